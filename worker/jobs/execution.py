"""Runs a job: plans a run with its shards in one transaction, then works on the shards, each in one of its own."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg

from worker import clock
from worker.db import Connection, transaction
from worker.jobs import ledger
from worker.jobs.definition import Bounds, Job, Planning, Shard, Trigger, retry_delay
from worker.jobs.errors import LeaseLostError, NoScheduleError
from worker.jobs.leases import LeaseKeeper
from worker.jobs.ledger import Claim, Run
from worker.jobs.periods import latest_period
from worker.jobs.registry import registry
from worker.logging import get_logger

_log = get_logger(__name__)

T = TypeVar("T")

LOOP_S: Final = 20.0
"""Seconds after which a task takes no further shard, so that other work of its queue gets a turn."""


@dataclass(frozen=True, slots=True)
class StartedRun:
    """The run of a period, and whether this call planned it."""

    run: Run
    is_new: bool


@dataclass(frozen=True, slots=True)
class WorkDone:
    """What one task did for a run."""

    job: str

    done: int
    failed: int
    next_number: int | None
    """Where to go on when time was up before the shards were; None when nothing claimable was left."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a job's own code raised."""

    error: Exception

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


def start_run(
    name: str,
    period: datetime | None = None,
    *,
    trigger: Trigger = "schedule",
    parameters: dict[str, Any] | None = None,
) -> StartedRun:
    """Plan the run of a job for a period, unless it has one: run and shards commit together.

    Safe to call any number of times, at once or later: the first call plans, the others find its run.

    Args:
        name: the job.
        period: its period; the latest one of its schedule when left out.
        trigger: what caused the run, for the ledger.
        parameters: JSON values for planner and body.

    Raises:
        UnknownJobError: no such job.
        NoScheduleError: no period was given and the job has no schedule.
        psycopg.OperationalError: PostgreSQL failed; nothing is recorded, the period still counts as missing.
    """
    job = registry.get(name)
    if period is None:
        if job.schedule is None:
            raise NoScheduleError(name)
        period = latest_period(job.schedule, clock.now())
    planned = _outcome(lambda: _plan(job, period, trigger, parameters or {}))
    if isinstance(planned, Failure):
        if isinstance(planned.error, psycopg.OperationalError):
            raise planned.error
        _log.error("planning_failed", job=name, period=period.isoformat(), exc_info=planned.error)
    with transaction() as connection:
        if isinstance(planned, Failure):
            planned = ledger.record_failed_plan(
                connection, name, period, trigger=trigger, error=str(planned), now=clock.now()
            )
        run = ledger.find_run(connection, name, period)
    assert run is not None, "planned above, or by whoever made the insert a no-op"
    return StartedRun(run, is_new=planned is not None)


def work_on_run(run_id: UUID, number: int = 0, *, budget_s: float = LOOP_S) -> WorkDone:
    """Work on the shards of a run, from `number` on and around, until none is free or the time is up.

    Raises:
        UnknownRunError: no such run.
        UnknownJobError: this worker's code no longer has the run's job.
    """
    stop_at = time.monotonic() + budget_s
    with transaction() as connection:
        run = ledger.load_run(connection, run_id)
    job = registry.get(run.job)
    done = failed = 0
    next_number = None
    with LeaseKeeper(timedelta(seconds=job.lease_s)) as keeper:
        for claim in _claims(run, job, number):
            succeeded = _work_on_shard(run, job, claim, keeper)
            done, failed = done + succeeded, failed + (not succeeded)
            if time.monotonic() >= stop_at:
                next_number = claim.number + 1
                break
    with transaction() as connection:
        finished = ledger.finish_runs(connection, clock.now(), run_id)
    for ended in finished:
        log_finished(ended)
    return WorkDone(job.name, done, failed, None if finished else next_number)


def log_finished(ended: ledger.FinishedRun) -> None:
    """Say that a run ended."""
    _log.info(
        "run_finished",
        job=ended.job,
        run_id=str(ended.run_id),
        state=ended.state,
        shards_done=ended.shards_done,
        shards_failed=ended.shards_failed,
        items=ended.items,
    )


def _plan(job: Job, period: datetime, trigger: Trigger, parameters: dict[str, Any]) -> UUID | None:
    """Plan the run and return its id, or None when the period has one."""
    with transaction() as connection:
        now = clock.now()
        run_id = ledger.open_run(connection, job.name, period, trigger=trigger, parameters=parameters, now=now)
        if run_id is None:
            return None
        shards: list[Bounds] = [{}]
        if job.planner is not None:
            shards = list(job.planner(Planning(connection, period, parameters)))
        total = ledger.add_shards(connection, run_id, shards, now)
        if total == 0:
            ledger.finish_runs(connection, now, run_id)
    _log.info("run_planned", job=job.name, run_id=str(run_id), period=period.isoformat(), shards=total)
    return run_id


def _claims(run: Run, job: Job, number: int) -> Iterator[Claim]:
    """Yield shards leased to this process: from `number` to the end, then once from the beginning."""
    position, may_wrap = number, number > 0
    while True:
        with transaction() as connection:
            # A claim lost in a crash of the server is a shard still free: it needs no wait for the disk.
            connection.execute("SET LOCAL synchronous_commit = off")
            now = clock.now()
            claim = ledger.claim_shard(connection, run.run_id, position, now=now, lease=timedelta(seconds=job.lease_s))
            if claim is not None and run.state == "planned":
                ledger.mark_running(connection, run.run_id, now)
        if claim is not None:
            position = claim.number + 1
            yield claim
        elif may_wrap:
            position, may_wrap = 0, False
        else:
            return


def _work_on_shard(run: Run, job: Job, claim: Claim, keeper: LeaseKeeper) -> bool:
    """Do one shard, work and done mark in one transaction; return whether it committed."""
    if claim.starts > job.max_starts:
        # It never came to an end, not even to an error: it kills whoever works on it.
        _record_failure(claim, f"its worker was lost {job.max_starts} times", is_final=True)
        return False
    try:
        with keeper.holding(claim):
            committed = _outcome(lambda: _commit_shard(run, job, claim))
    except (SystemExit, KeyboardInterrupt):
        with transaction() as connection:
            ledger.release(connection, claim)
        _log.info("shard_released", job=job.name, run_id=str(run.run_id), shard=claim.number)
        raise
    if isinstance(committed, Failure):
        if isinstance(committed.error, LeaseLostError):
            _log.warning("shard_taken_over", job=job.name, run_id=str(run.run_id), shard=claim.number)
        else:
            _log.error(
                "shard_failed", job=job.name, run_id=str(run.run_id), shard=claim.number, exc_info=committed.error
            )
            _record_failure(claim, str(committed), is_final=claim.starts >= job.max_starts)
        return False
    for callback in committed.callbacks:
        called = _outcome(callback)
        if isinstance(called, Failure):
            _log.error("after_commit_failed", job=job.name, run_id=str(run.run_id), exc_info=called.error)
    return True


def _commit_shard(run: Run, job: Job, claim: Claim) -> Shard:
    with transaction() as connection:
        _limit(connection, job.time_limit_s)
        shard = Shard(connection, run.run_id, claim.number, run.period, claim.bounds, run.parameters)
        items = job.body(shard)
        ledger.mark_done(connection, claim, items=items, now=clock.now())
    return shard


def _limit(connection: Connection, time_limit_s: int) -> None:
    """Have the server itself end what outlives the limit, or whose client is gone: a killed worker holds no locks."""
    connection.execute(
        """SELECT set_config('statement_timeout', %(limit)s, true),
                  set_config('idle_in_transaction_session_timeout', %(limit)s, true),
                  set_config('client_connection_check_interval', '2s', true)""",
        {"limit": f"{time_limit_s}s"},
    )


def _record_failure(claim: Claim, error: str, *, is_final: bool) -> None:
    now = clock.now()
    run_after = None if is_final else now + retry_delay(claim.starts)
    with transaction() as connection:
        ledger.mark_failed_start(connection, claim, error=error, now=now, run_after=run_after)


def _outcome(call: Callable[[], T]) -> T | Failure:
    """Call a job's own code and return its value, or what it raised.

    The one place that catches every Exception: the code is a job author's, a failure of any kind belongs in the ledger
    (MemoryError and Celery's soft time limit included), and the callers look at what it was.
    """
    try:
        return call()
    except Exception as error:  # noqa: BLE001
        return Failure(error)
