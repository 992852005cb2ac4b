"""Dry run: what a job would do, found out by doing it and rolling it back.

Planner and body are the ones that run for real, each shard in a transaction of its own that never commits; the ledger
is not touched, so a dry run of a period neither takes its run nor waits for one. The shards don't see one another's
effects: where a job's shards build on each other, the counts are those of each alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from worker import clock
from worker.db import Connection, transaction
from worker.ids import uuid7
from worker.jobs.definition import Bounds, Job, Shard
from worker.jobs.errors import NoScheduleError
from worker.jobs.outcomes import Failure, outcome
from worker.jobs.periods import latest_period
from worker.jobs.planning import bounds_of
from worker.jobs.registry import registry
from worker.jobs.shard_work import limit_transaction

ERRORS: Final = 20
"""Errors that a report holds, at most."""


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """What a run would come to."""

    job: str
    period: datetime
    shards: int
    items: int
    """What the job counts, summed over the shards."""
    failed: int
    """Shards whose body failed."""
    samples: list[Any] = field(default_factory=list)
    """Some of what it would do, as its body showed them."""
    errors: list[str] = field(default_factory=list)
    """Of the first shards that failed, why."""


def dry_run(name: str, period: datetime | None = None, parameters: dict[str, Any] | None = None) -> DryRunReport:
    """Do what a run of the job would do, and undo it.

    It takes as long as the run itself, and holds the locks of one shard at a time.

    Args:
        name: the job.
        period: the period; the latest of its schedule when left out.
        parameters: JSON values for planner and body.

    Raises:
        UnknownJobError: no such job.
        NoScheduleError: no period was given and the job has no schedule.
        UnknownParameterError: it takes no such parameter.
    """
    job = registry.get(name)
    given = parameters or {}
    job.check_start("schedule", given)
    if period is None:
        if job.schedule is None:
            raise NoScheduleError(name)
        period = latest_period(job.schedule, clock.now())
    planned = outcome(partial(_rolled_back_plan, job, period, given))
    if isinstance(planned, Failure):
        return DryRunReport(name, period, 0, 0, failed=1, errors=[f"planning failed: {planned}"])
    run_id, samples, errors = uuid7(clock.now()), list[Any](), list[str]()
    items = failed = 0
    for number, bounds in enumerate(planned):
        shard = partial(Shard, run_id=run_id, number=number, period=period, bounds=bounds, parameters=given)
        tried = outcome(partial(_rolled_back_work, job, partial(shard, is_dry_run=True, samples=samples)))
        if isinstance(tried, Failure):
            failed += 1
            errors += [f"shard {number}: {tried}"] if len(errors) < ERRORS else []
        else:
            items += tried
    return DryRunReport(name, period, len(planned), items, failed, samples, errors)


def _rolled_back_plan(job: Job, period: datetime, parameters: dict[str, Any]) -> list[Bounds]:
    with transaction() as connection, connection.transaction(force_rollback=True):
        return list(bounds_of(connection, job, period, parameters))


def _rolled_back_work(job: Job, shard: Callable[[Connection], Shard]) -> int:
    with transaction() as connection, connection.transaction(force_rollback=True):
        limit_transaction(connection, job.time_limit_s)
        items = job.body(shard(connection))
        # What a commit would check, a rollback must ask for.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return items
