"""The engine's two messages: start what is due, and work on a run's shards; and the job that keeps the ledger small."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from worker.app import app, task
from worker.jobs import Bounds, Planning, Shard, job
from worker.jobs.definition import Trigger
from worker.jobs.execution import StartedRun, start_due, start_run, work_on_run
from worker.jobs.history import days_to_prune, prune_day
from worker.jobs.messages import Messages
from worker.jobs.registry import registry
from worker.settings import get_settings

_messages = Messages(app)


@task("jobs.start")
def start(
    job: str, period: str | None = None, parameters: dict[str, Any] | None = None, trigger: Trigger | None = None
) -> None:
    """Start runs of a job, and wake workers for those that are new.

    Args:
        job: its name; alone, the job is brought up to date with its schedule.
        period: the one period to run it for (ISO 8601); for an event, its instant.
        parameters: for that run.
        trigger: what caused that run; `schedule` when left out.
    """
    if period is None and trigger is None:
        due = start_due(job)
        _wake(job, due.started)
        if not due.is_complete:
            _messages.start(job)
    else:
        instant = None if period is None else datetime.fromisoformat(period)
        _wake(job, [start_run(job, instant, trigger=trigger or "schedule", parameters=parameters)])


def _wake(job: str, started: list[StartedRun]) -> None:
    for each in started:
        if each.is_new:
            _messages.run(registry.get(job), each.run.run_id, each.run.shards_total)


@task("jobs.run_shard")
def run_shard(run_id: str, number: int) -> None:
    """Work on the shards of a run, from `number` on, and hand over when others should have their turn."""
    work = work_on_run(UUID(run_id), number)
    if work.next_number is not None:
        _messages.shard(registry.get(work.job), UUID(run_id), work.next_number)


def plan_pruning(planning: Planning) -> Iterator[Bounds]:
    """Yield each day whose runs the ledger has kept long enough."""
    before = planning.period.astimezone(UTC) - timedelta(days=get_settings().job_history_days)
    for day in days_to_prune(planning.connection, before):
        yield {"day": day.isoformat()}


@job("jobs.prune", schedule="20 2 * * *", planner=plan_pruning, parameters={})
def prune_runs(shard: Shard) -> int:
    """Summarise and delete the runs that are older than the ledger keeps them, a day of them in each shard."""
    day = date.fromisoformat(shard.bounds["day"])
    deleted = prune_day(shard.connection, day)
    shard.show({"day": day.isoformat(), "runs": deleted})
    return deleted
