"""The ledger as operators read it: jobs with their last run, runs with their counts, a run with its shards."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from worker.db import Connection
from worker.db.queries import load_query
from worker.jobs.definition import Job
from worker.jobs.errors import UnknownRunError
from worker.jobs.periods import in_words, next_period
from worker.jobs.punctuality import punctuality_of

_PACKAGE = "worker.jobs"


@dataclass(frozen=True, slots=True)
class LatestRun:
    """The run of a job's newest period."""

    job: str
    id: UUID
    period: datetime
    state: str
    trigger: str
    started_at: datetime | None
    finished_at: datetime | None
    items: int


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job: when it runs, and how its newest run went."""

    name: str
    summary: str
    queue: str
    schedule: str | None
    """None: by hand or on an event only."""
    last_period: datetime | None
    """The schedule's latest period, whether it ran or not."""
    next_period: datetime | None
    latest_run: LatestRun | None
    catch_up: str
    """What becomes of missed periods: latest, all or none."""
    may_run_by_hand: bool
    last_succeeded: datetime | None
    """The latest period it succeeded for."""
    lag_s: float | None
    """Seconds since that period, or since its first run while none succeeded; None: it never ran."""
    is_late: bool
    """It lacks two periods, or one for more than an hour."""
    is_paused: bool


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run with the present counts of its shards."""

    id: UUID
    job: str
    period: datetime
    state: str
    trigger: str
    parameters: dict[str, Any]
    shards: int
    done: int
    failed: int
    running: int
    items: int
    error: str | None
    planned_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShardReport:
    """One shard of a run."""

    number: int
    bounds: dict[str, Any]
    state: str
    starts: int
    leased_by: str | None
    lease_expires_at: datetime | None
    run_after: datetime | None
    items: int
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None


def report_jobs(connection: Connection, jobs: Iterable[Job], now: datetime) -> list[JobReport]:
    """Return the jobs in the order given, each with its newest run; the cost is a look-up a job."""
    jobs = list(jobs)
    with connection.cursor(row_factory=class_row(LatestRun)) as cursor:
        cursor.execute(load_query(_PACKAGE, "latest_runs"), {"jobs": [job.name for job in jobs]})
        latest = {run.job: run for run in cursor}
    punctual = {found.job: found for found in punctuality_of(connection, jobs, now)}
    return [
        JobReport(
            name=job.name,
            summary=job.summary,
            queue=job.queue,
            schedule=None if job.schedule is None else in_words(job.schedule),
            last_period=punctual[job.name].last_period,
            next_period=None if job.schedule is None else next_period(job.schedule, now),
            latest_run=latest.get(job.name),
            catch_up=job.catch_up,
            may_run_by_hand=job.manual,
            last_succeeded=punctual[job.name].last_succeeded,
            lag_s=None if (lag := punctual[job.name].lag(now)) is None else lag.total_seconds(),
            is_late=punctual[job.name].is_late(now),
            is_paused=punctual[job.name].is_paused,
        )
        for job in jobs
    ]


def report_history(connection: Connection, job: str | None = None, limit: int = 20) -> list[RunReport]:
    """Return the runs planned last, of one job or of all, the newest first."""
    return _runs(connection, job=job, run_id=None, limit=limit)


def report_run(connection: Connection, run_id: UUID, *, all_shards: bool) -> tuple[RunReport, list[ShardReport]]:
    """Return a run and its shards in order; those done are left out unless `all_shards`.

    Raises:
        UnknownRunError: there is no such run.
    """
    found = _runs(connection, job=None, run_id=run_id, limit=1)
    if not found:
        raise UnknownRunError(run_id)
    with connection.cursor(row_factory=class_row(ShardReport)) as cursor:
        cursor.execute(load_query(_PACKAGE, "run_shards"), {"run_id": run_id, "all": all_shards})
        return found[0], cursor.fetchall()


def _runs(connection: Connection, **values: object) -> list[RunReport]:
    with connection.cursor(row_factory=class_row(RunReport)) as cursor:
        return cursor.execute(load_query(_PACKAGE, "run_history"), values).fetchall()
