"""What operators do to jobs and runs: pause, resume, cancel, try again. Each works in the caller's transaction.

Who changes shards locks them before their run, as claims do, so that no two wait for one another in a circle. Nothing
here sends a message: the pulse sees what is free to be worked on within two seconds of the commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from worker.db import Connection
from worker.db.queries import load_query
from worker.jobs import ledger
from worker.jobs.catch_up import decide, undecided
from worker.jobs.definition import Job
from worker.jobs.errors import UnknownRunError, UnknownShardError, WrongStateError
from worker.jobs.planning import plan_shards
from worker.jobs.registry import registry

_PACKAGE: Final = "worker.jobs"
_OPEN: Final = ("planned", "running")
_UNDONE: Final = ("failed", "cancelled", "skipped")


@dataclass(frozen=True, slots=True)
class MissedPeriod:
    """A period that has begun without a run, and what the job's catch-up policy makes of it."""

    job: str
    period: datetime
    decision: Literal["run", "skip"]
    reason: str


def pause(connection: Connection, job: str, now: datetime) -> bool:
    """Pause a job until it is resumed, restarts of everything notwithstanding; return False if it was paused before.

    No period is started and no shard claimed meanwhile; shards at work come to their end. Events are recorded and wait.
    Runs started by hand go on: whoever starts one means it.
    """
    values = {"job": job, "now": now}
    return connection.execute(load_query(_PACKAGE, "pause_job"), values).rowcount == 1


def resume(connection: Connection, job: str, now: datetime) -> bool:
    """End a pause; return False if there was none. What it made the job miss is left to its catch-up policy."""
    del now  # as the others take it; the pulse asks for what was missed at its next tick
    statement = "UPDATE job_controls SET paused_at = NULL WHERE job = %s AND paused_at IS NOT NULL"
    return connection.execute(statement, (job,)).rowcount == 1


def paused(connection: Connection) -> set[str]:
    """Return the names of the jobs that are paused."""
    return {job for (job,) in connection.execute("SELECT job FROM job_controls WHERE paused_at IS NOT NULL")}


def cancel_run(connection: Connection, run_id: UUID, now: datetime) -> int:
    """Cancel a run that is not finished: nothing of it begins or commits any more. Return how many shards it stopped.

    What shards committed before stays. A shard at work is told at its end that it no longer holds its lease, and its
    transaction rolls back.

    Raises:
        UnknownRunError: there is no such run.
        WrongStateError: it is finished.
    """
    state = _state_of_run(connection, run_id)
    values = {"run_id": run_id, "now": now}
    stopped = connection.execute(
        "UPDATE job_shards SET state = 'cancelled', lease_expires_at = NULL, run_after = NULL, finished_at = %(now)s"
        " WHERE run_id = %(run_id)s AND state IN ('pending', 'running')",
        values,
    ).rowcount
    if connection.execute(load_query(_PACKAGE, "cancel_run"), values).rowcount == 0:
        raise WrongStateError(f"run {run_id}", state, "cancelled", " or ".join(_OPEN))
    return stopped


def retry_run(connection: Connection, run_id: UUID, now: datetime) -> int:
    """Have the shards that failed or were cancelled done after all, with all their starts; return how many.

    A run without shards, because its planning failed or its period was skipped, is planned now; what its planner raises
    is raised here.

    Raises:
        UnknownRunError: there is no such run.
        UnknownJobError: it must be planned, and this code no longer has its job.
        WrongStateError: it succeeded or is not finished.
    """
    state = _state_of_run(connection, run_id)
    shards = _reset_shards(connection, run_id, None)
    changed = _reopen(connection, run_id)
    if not changed:
        raise WrongStateError(f"run {run_id}", state, "tried again", " or ".join(_UNDONE))
    run = ledger.load_run(connection, run_id)
    if run.shards_total == 0:
        return plan_shards(connection, registry.get(run.job), run_id, run.period, run.parameters, now)
    return shards


def retry_shard(connection: Connection, run_id: UUID, number: int, now: datetime) -> None:
    """Have a shard that failed, was cancelled or rests done now, with all its starts; a run that had ended goes on.

    Raises:
        UnknownRunError: there is no such run.
        UnknownShardError: it has no such shard.
        WrongStateError: the shard is done, or at work.
    """
    del now  # as the others take it; a shard without a time to rest is free at once
    _state_of_run(connection, run_id)
    row = connection.execute(
        "SELECT state FROM job_shards WHERE run_id = %s AND number = %s", (run_id, number)
    ).fetchone()
    if row is None:
        raise UnknownShardError(run_id, number)
    if _reset_shards(connection, run_id, number) == 0:
        raise WrongStateError(f"shard {number} of run {run_id}", row[0], "tried again", "failed, cancelled or resting")
    _reopen(connection, run_id)


def missed_periods(connection: Connection, jobs: Iterable[Job], now: datetime) -> list[MissedPeriod]:
    """Return the periods that have begun and are not decided, and what becomes of each.

    For a paused job, that is what its resumption would bring. Of the periods beyond a job's horizon, the last stands
    for all.
    """
    missed = []
    for job in jobs:
        if job.schedule is not None:
            control = ledger.load_control(connection, job.name, now)
            periods = undecided(job.schedule, control.covered_until, job.horizon, now)
            missed += [
                MissedPeriod(job.name, each.period, each.decision, each.reason)
                for each in decide(job.catch_up, job.horizon, periods, now)
            ]
    return missed


def _state_of_run(connection: Connection, run_id: UUID) -> str:
    row = connection.execute("SELECT state FROM job_runs WHERE id = %s", (run_id,)).fetchone()
    if row is None:
        raise UnknownRunError(run_id)
    return str(row[0])


def _reset_shards(connection: Connection, run_id: UUID, number: int | None) -> int:
    values = {"run_id": run_id, "number": number}
    return connection.execute(load_query(_PACKAGE, "reset_shards"), values).rowcount


def _reopen(connection: Connection, run_id: UUID) -> bool:
    return connection.execute(load_query(_PACKAGE, "reopen_run"), {"run_id": run_id}).rowcount == 1
