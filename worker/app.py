"""The Celery application: `celery -A worker.app worker`, `celery -A worker.app beat`.

Importing it is cheap and needs no settings; they are read when something first publishes or consumes. Whoever wants
a worker to look at PostgreSQL calls `nudge` after its commit.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import structlog
from celery import Celery, current_task, signals

from worker import logging
from worker.errors import ElpError
from worker.jobs.bootstep import PulseStep
from worker.jobs.definition import Queue
from worker.jobs.delivery import deliver, message_of
from worker.jobs.known_tasks import declare_task
from worker.jobs.nudges import send_nudge
from worker.settings import get_settings

P = ParamSpec("P")
R = TypeVar("R")

app: Final = Celery("elp", set_as_current=True)
app.config_from_object("celeryconfig")
app.steps["worker"].add(PulseStep)


class TaskOutOfMemoryError(ElpError):
    """A task needed more memory than it could get.

    Celery stops the whole worker on a bare MemoryError, and with late acknowledgement the same message then stops the
    next one; as an ordinary error it fails this task only.
    """

    def __init__(self, task: str) -> None:
        super().__init__(f"task {task} ran out of memory: lower its batch size or raise the memory limit")
        self.task = task


def task(
    name: str, *, queue: Queue = "default", from_app: bool = False, max_starts: int = 5, **options: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that makes a function the Celery task `name`.

    The function stays callable as it is; only messages reach it through Celery. Each line it logs carries the task's
    name and id. The outbox may send it, too (docs/outbox.md): then its entry is done with what the function commits.

    Args:
        name: what messages call it, such as `attempts.drain`.
        queue: the queue to which the outbox sends it.
        from_app: whether the platform's app may enqueue it by `POST /v1/events`.
        max_starts: starts for one outbox entry, crashes included, after which the entry is parked.
        options: Celery's options for this task.
    """

    def register(body: Callable[P, R]) -> Callable[P, R]:
        known = declare_task(name, body, queue=queue, from_app=from_app, max_starts=max_starts)

        @wraps(body)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
            message = message_of(current_task.request)
            try:
                if message is not None:
                    return deliver(known, message, body, kwargs)
                return body(*args, **kwargs)
            except MemoryError as error:
                raise TaskOutOfMemoryError(name) from error

        app.task(name=name, **options)(guarded)
        return body

    return register


def nudge(name: str, *arguments: Any, queue: str, expires_s: int | None = 60) -> bool:
    """Ask some worker to run the task `name`: call it after COMMIT, and never rely on it.

    Args:
        name: the task's name.
        arguments: ids only, as JSON values.
        queue: one of the queues in celeryconfig.
        expires_s: seconds after which a worker drops it unread; the pulse repeats what is still needed, so nudges don't
            pile up while no worker runs. None: never.

    Returns:
        Whether Redis took it. When not, it was logged and counted, and the pulse will nudge in its stead.
    """
    return send_nudge(app, name, *arguments, queue=queue, expires_s=expires_s)


def _configure_logging(**_: Any) -> None:
    # Connected to this signal, Celery leaves logging alone altogether.
    logging.configure("beat" if "beat" in sys.argv else "worker", get_settings())


def _bind_worker(sender: str, **_: Any) -> None:
    structlog.contextvars.bind_contextvars(worker=sender)


def _bind_task(task_id: str, task: Any, **_: Any) -> None:
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)


def _unbind_task(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars("task", "task_id")


signals.setup_logging.connect(_configure_logging)
signals.celeryd_init.connect(_bind_worker)
signals.task_prerun.connect(_bind_task)
signals.task_postrun.connect(_unbind_task)
