"""Flower's configuration file (FLOWER_CONF): how it shows the arguments of tasks."""

import ast
from typing import Any


def format_task(task: Any) -> Any:
    """Return one of Flower's tasks with arguments that people can read; Flower calls it with a copy."""
    task.args = readable_arguments(task.name, task.args)
    return task


def readable_arguments(name: str | None, arguments: Any) -> Any:
    """Return what a task's arguments mean; those of unknown tasks, or cut off by Celery, as they are."""
    try:
        values = ast.literal_eval(arguments) if isinstance(arguments, str) else arguments
    except (ValueError, SyntaxError):
        return arguments
    match name, values:
        case "attempts.drain", (lane, *_):
            return f"lane {lane}"
        case "jobs.start", (job, *rest):
            known = [str(value) for value in rest if value]
            return f"{job} for {', '.join(known)}" if known else f"{job}: what is due"
        case "jobs.run_shard", (run_id, number, *_):
            return f"run {run_id} from shard {number}"
    return arguments
