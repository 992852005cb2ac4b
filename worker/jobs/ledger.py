"""The ledger: runs and their shards as rows. Every function works in the caller's transaction at the caller's instant.

A claim is fenced by `leased_by`, which is new for each start: whoever lost the lease finds no running row to mark.
Afterwards `leased_by` tells who had the shard last.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from worker.db import Connection
from worker.db.queries import load_query
from worker.ids import uuid7
from worker.jobs.definition import Bounds, Job, Trigger
from worker.jobs.errors import LeaseLostError, UnknownRunError

_PACKAGE = "worker.jobs"
_LONGEST_ERROR = 4_000
CONCURRENCY_LOCK_CLASS: Final = 0x454C5005
"""Class of the advisory locks under which shards of a job with a limit are claimed, one claim at a time."""
CLOCK_SLACK: Final = timedelta(minutes=1)
"""How far the clocks of two machines may be apart; a mark further ahead was set by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as a worker needs it."""

    run_id: UUID
    job: str
    period: datetime
    parameters: dict[str, Any]
    state: str
    shards_total: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A shard leased to this worker for one start."""

    shard_id: UUID
    run_id: UUID
    number: int
    bounds: Bounds
    starts: int
    leased_by: str


@dataclass(frozen=True, slots=True)
class Control:
    """What is kept of a job besides its runs."""

    paused_at: datetime | None
    covered_until: datetime | None
    """The last period that is decided; None: the job is new."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that was ended just now, with its counts."""

    run_id: UUID
    job: str
    state: str
    shards_done: int
    shards_failed: int
    items: int
    started_at: datetime


def open_run(
    connection: Connection, job: str, period: datetime, *, trigger: Trigger, parameters: dict[str, Any], now: datetime
) -> UUID | None:
    """Insert the run of `job` for `period` and return its id; None when it exists, whoever planned it."""
    values = {
        "run_id": uuid7(now),
        "job": job,
        "period": period,
        "trigger": trigger,
        "parameters": Jsonb(parameters),
        "now": now,
    }
    row = connection.execute(load_query(_PACKAGE, "insert_run"), values).fetchone()
    return None if row is None else row[0]


def add_shards(connection: Connection, run_id: UUID, shards: Iterable[Bounds], now: datetime) -> int:
    """Write the shards of a new run, numbered from 0, and return how many; the cost is that of a COPY."""
    total = 0
    with connection.cursor().copy("COPY job_shards (id, run_id, number, bounds) FROM STDIN") as copy:
        for total, bounds in enumerate(shards, start=1):
            copy.write_row((uuid7(now), run_id, total - 1, Jsonb(bounds)))
    connection.execute("UPDATE job_runs SET shards_total = %s WHERE id = %s", (total, run_id))
    return total


def record_failed_plan(
    connection: Connection,
    job: str,
    period: datetime,
    *,
    trigger: Trigger,
    parameters: dict[str, Any],
    error: str,
    now: datetime,
) -> UUID | None:
    """Record a run whose planner failed, so that it is seen; return its id, None when the period has a run."""
    run_id = open_run(connection, job, period, trigger=trigger, parameters=parameters, now=now)
    if run_id is not None:
        connection.execute(
            "UPDATE job_runs SET state = 'failed', error = %s, finished_at = %s WHERE id = %s",
            (f"planning failed: {error}"[:_LONGEST_ERROR], now, run_id),
        )
    return run_id


def skip_periods(
    connection: Connection, job: str, periods: Sequence[tuple[datetime, Trigger, str]], now: datetime
) -> int:
    """Record periods as skipped, each with its trigger and the reason; those that have a run keep it.

    Returns:
        How many were recorded.
    """
    values = {
        "job": job,
        "ids": [uuid7(now) for _ in periods],
        "periods": [period for period, _, _ in periods],
        "triggers": [trigger for _, trigger, _ in periods],
        "reasons": [reason for _, _, reason in periods],
        "now": now,
    }
    return connection.execute(load_query(_PACKAGE, "skip_periods"), values).rowcount


def load_control(connection: Connection, job: str, now: datetime) -> Control:
    """Return whether a job is paused and how far its periods are decided.

    A mark that lies in the future was set while a clock was wrong: then the ledger itself tells.
    """
    row = connection.execute("SELECT paused_at, covered_until FROM job_controls WHERE job = %s", (job,)).fetchone()
    control = Control(None, None) if row is None else Control(*row)
    if control.covered_until is None or control.covered_until <= now + CLOCK_SLACK:
        return control
    last = connection.execute(load_query(_PACKAGE, "last_scheduled_period"), {"job": job, "now": now}).fetchone()
    return Control(control.paused_at, None if last is None else last[0])


def cover(connection: Connection, job: str, period: datetime, now: datetime) -> None:
    """Note that all periods up to this one are decided; a mark in the future is put right, else it only grows."""
    values = {"job": job, "period": period, "plausible_until": now + CLOCK_SLACK}
    connection.execute(load_query(_PACKAGE, "cover_period"), values)


def load_run(connection: Connection, run_id: UUID) -> Run:
    """Return a run.

    Raises:
        UnknownRunError: there is none with this id.
    """
    return _one_run(connection, "id = %s", (run_id,)) or _unknown(run_id)


def find_run(connection: Connection, job: str, period: datetime) -> Run | None:
    """Return the run of `job` for `period`, or None."""
    return _one_run(connection, "job = %s AND period = %s", (job, period))


def claim_shard(connection: Connection, run: Run, job: Job, from_number: int, *, now: datetime) -> Claim | None:
    """Lease the first free shard numbered `from_number` or more to this process; None when there is none for it.

    There is none, too, while the job is paused (runs started by hand go on) and while as many of its shards are at work
    as may be. Claims of a job with such a limit take turns, each for the moment of its transaction; whoever finds the
    limit reached goes away: those at work claim the next.
    """
    if job.concurrency is not None:
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (CONCURRENCY_LOCK_CLASS, job.name))
    leased_by = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
    values = {
        "run_id": run.run_id,
        "job": job.name,
        "from_number": from_number,
        "now": now,
        "most": job.concurrency,
        "leased_by": leased_by,
        "lease_expires_at": now + timedelta(seconds=job.lease_s),
    }
    row = connection.execute(load_query(_PACKAGE, "claim_shard"), values).fetchone()
    return None if row is None else Claim(row[0], run.run_id, row[1], row[2], row[3], leased_by)


def mark_running(connection: Connection, run_id: UUID, now: datetime) -> None:
    """Note that work on a run has begun; nothing if it had before."""
    connection.execute(
        "UPDATE job_runs SET state = 'running', started_at = %s WHERE id = %s AND state = 'planned'", (now, run_id)
    )


def extend_lease(connection: Connection, claim: Claim, until: datetime) -> bool:
    """Keep a claim until a later instant; False when another worker holds the shard."""
    return _update(connection, claim, "lease_expires_at = %s", until)


def was_taken_over(connection: Connection, claim: Claim) -> bool:
    """Return whether another worker has had the shard since this claim."""
    row = connection.execute("SELECT leased_by FROM job_shards WHERE id = %s", (claim.shard_id,)).fetchone()
    return row is None or row[0] != claim.leased_by


def mark_done(connection: Connection, claim: Claim, *, items: int, now: datetime) -> None:
    """Mark a shard done, in the transaction of its work.

    Raises:
        LeaseLostError: another worker holds it; the caller's transaction must be rolled back.
    """
    changes = "state = 'done', items = %s, finished_at = %s, lease_expires_at = NULL, error = NULL"
    if not _update(connection, claim, changes, items, now):
        raise LeaseLostError(claim.run_id, claim.number)


def mark_failed_start(
    connection: Connection, claim: Claim, *, error: str, now: datetime, run_after: datetime | None
) -> bool:
    """Record a start that failed: the shard rests until `run_after`, or is failed for good when that is None.

    Returns:
        Whether the claim was still this worker's.
    """
    changes = "state = %s, error = %s, run_after = %s, finished_at = %s, lease_expires_at = NULL"
    state, finished_at = ("failed", now) if run_after is None else ("pending", None)
    return _update(connection, claim, changes, state, error[:_LONGEST_ERROR], run_after, finished_at)


def release(connection: Connection, claim: Claim) -> bool:
    """Hand an interrupted shard back at once; the start does not count, for the shard was not at fault."""
    return _update(connection, claim, "state = 'pending', starts = starts - 1, lease_expires_at = NULL")


def finish_runs(connection: Connection, now: datetime, run_id: UUID | None = None) -> list[FinishedRun]:
    """End the runs that have no shard left to do (or only the one named, if it has none) and return them."""
    rows = connection.execute(load_query(_PACKAGE, "finish_runs"), {"run_id": run_id, "now": now}).fetchall()
    return [FinishedRun(*row) for row in rows]


def _update(connection: Connection, claim: Claim, changes: str, *values: object) -> bool:
    statement = f"UPDATE job_shards SET {changes} WHERE id = %s AND state = 'running' AND leased_by = %s"  # noqa: S608 (constants)
    cursor = connection.execute(statement, (*values, claim.shard_id, claim.leased_by))
    return cursor.rowcount == 1


def _one_run(connection: Connection, condition: str, values: tuple[object, ...]) -> Run | None:
    statement = f"SELECT id, job, period, parameters, state, shards_total FROM job_runs WHERE {condition}"  # noqa: S608 (constants)
    row = connection.execute(statement, values).fetchone()
    return None if row is None else Run(*row)


def _unknown(run_id: UUID) -> Run:
    raise UnknownRunError(run_id)
