"""Runs a job: starts the periods that are due, or one period, and works on the shards of a run."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID
from zlib import crc32

import psycopg

from worker import clock
from worker.audit import AuditEntry, record
from worker.db import Connection, transaction
from worker.jobs import ledger
from worker.jobs.catch_up import decide, undecided
from worker.jobs.definition import Job, Trigger
from worker.jobs.errors import EventPeriodError, NoScheduleError
from worker.jobs.leases import LeaseKeeper
from worker.jobs.ledger import Run
from worker.jobs.outcomes import Failure, outcome
from worker.jobs.periods import latest_period
from worker.jobs.planning import plan_shards
from worker.jobs.registry import registry
from worker.jobs.shard_work import claims, work_on_shard
from worker.logging import get_logger
from worker.metrics import metrics

_log = get_logger(__name__)

LOOP_S: Final = 20.0
"""Seconds after which a task takes no further shard, so that other work of its queue gets a turn."""
_SPREAD: Final = 1_000
"""Microseconds over which events of one instant are spread, each with a period of its own."""


@dataclass(frozen=True, slots=True)
class StartedRun:
    """The run of a period, and whether this call planned it."""

    run: Run
    is_new: bool


@dataclass(frozen=True, slots=True)
class StartedPeriods:
    """What bringing a job up to date came to."""

    started: list[StartedRun]
    skipped: int
    is_complete: bool
    """False: time was up before the periods were, and it wants to be called again."""


@dataclass(frozen=True, slots=True)
class WorkDone:
    """What one task did for a run."""

    job: str
    done: int
    failed: int
    next_number: int | None
    """Where to go on when time was up before the shards were; None when nothing claimable was left."""


def start_due(name: str, *, budget_s: float = LOOP_S) -> StartedPeriods:
    """Bring a job up to date: start or skip, by its catch-up policy, each period up to now that is not decided.

    Usually that is the period which has just begun; after an outage or a pause, all since. Safe to call any number of
    times, at once or later. A paused job is left alone.

    Raises:
        UnknownJobError: no such job.
        NoScheduleError: it has no schedule.
        psycopg.OperationalError: PostgreSQL failed; what was not decided before stays undecided.
    """
    stop_at = time.monotonic() + budget_s
    job = registry.get(name)
    if job.schedule is None:
        raise NoScheduleError(name)
    now = clock.now()
    with transaction() as connection:
        control = ledger.load_control(connection, name, now)
    started: list[StartedRun] = []
    skipped = 0
    if control.paused_at is not None:
        return StartedPeriods(started, skipped, is_complete=True)
    periods = undecided(job.schedule, control.covered_until, job.horizon, now)
    decisions = decide(job.catch_up, job.horizon, periods, now)
    # In order, each step with its mark of how far it came: whoever is interrupted leaves the rest to the next.
    for is_skipped, group in groupby(decisions, lambda decision: decision.decision == "skip"):
        if is_skipped:
            reasons = [(decision.period, decision.trigger, decision.reason) for decision in group]
            with transaction() as connection:
                skipped += ledger.skip_periods(connection, name, reasons, now)
                ledger.cover(connection, name, reasons[-1][0], now)
            continue
        for decision in group:
            if time.monotonic() >= stop_at:
                return StartedPeriods(started, skipped, is_complete=False)
            started.append(start_run(name, decision.period, trigger=decision.trigger))
            with transaction() as connection:
                ledger.cover(connection, name, decision.period, now)
    if skipped:
        _log.warning("periods_skipped", job=name, skipped=skipped, started=len(started))
    return StartedPeriods(started, skipped, is_complete=True)


def start_run(
    name: str,
    period: datetime | None = None,
    *,
    trigger: Trigger = "schedule",
    parameters: dict[str, Any] | None = None,
    actor: str | None = None,
) -> StartedRun:
    """Plan the run of a job for a period, unless it has one: run and shards commit together.

    Safe to call any number of times, at once or later: the first call plans, the others find its run.

    Args:
        name: the job.
        period: its period; when left out, the latest one of its schedule. For an event, its instant: several events of
            one instant get runs of their own, unless their parameters are equal too.
        trigger: what caused the run, for the ledger.
        parameters: JSON values for planner and body.
        actor: who starts it by hand, for the audit log; None: the platform itself.

    Raises:
        UnknownJobError: no such job.
        NoScheduleError: no period was given and the job has no schedule.
        EventPeriodError: no period was given for an event.
        NotByHandError: the job may not be started by hand.
        UnknownParameterError: it takes no such parameter.
        psycopg.OperationalError: PostgreSQL failed; nothing is recorded, the period still counts as missing.
    """
    job = registry.get(name)
    given: dict[str, Any] = json.loads(json.dumps(parameters or {}))
    job.check_start(trigger, given)
    if trigger == "event":
        return _start_event(job, period, given)
    if period is None:
        if job.schedule is None:
            raise NoScheduleError(name)
        period = latest_period(job.schedule, clock.now())
    return _start(job, period, trigger, given, actor)


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
        for claim in claims(run, job, number):
            succeeded = work_on_shard(run, job, claim, keeper)
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
    """Say that a run ended, and count it."""
    metrics().runs_finished.labels(ended.job, ended.state).inc()
    _log.info(
        "run_finished",
        job=ended.job,
        run_id=str(ended.run_id),
        state=ended.state,
        shards_done=ended.shards_done,
        shards_failed=ended.shards_failed,
        items=ended.items,
    )


def _start(
    job: Job, period: datetime, trigger: Trigger, parameters: dict[str, Any], actor: str | None = None
) -> StartedRun:
    planned = outcome(lambda: _plan(job, period, trigger, parameters, actor))
    if isinstance(planned, Failure):
        if isinstance(planned.error, psycopg.OperationalError):
            raise planned.error
        _log.error("planning_failed", job=job.name, period=period.isoformat(), exc_info=planned.error)
    with transaction() as connection:
        if isinstance(planned, Failure):
            planned = ledger.record_failed_plan(
                connection,
                job.name,
                period,
                trigger=trigger,
                parameters=parameters,
                error=str(planned),
                now=clock.now(),
            )
            _note(connection, actor, planned, job, period, parameters)
        run = ledger.find_run(connection, job.name, period)
    assert run is not None, "planned above, or by whoever made the insert a no-op"
    return StartedRun(run, is_new=planned is not None)


def _start_event(job: Job, instant: datetime | None, parameters: dict[str, Any]) -> StartedRun:
    """Start a run for an event: known by its instant and its parameters, so that a second delivery finds the first's.

    Rows written in one transaction bear one instant, so the period is that instant and a fraction of a millisecond
    that follows from the parameters; where two meet all the same, the later takes the next free microsecond.
    """
    if instant is None:
        raise EventPeriodError(job.name)
    spread = crc32(json.dumps(parameters, sort_keys=True).encode()) % _SPREAD
    period = instant + timedelta(microseconds=spread)
    while True:
        started = _start(job, period, "event", parameters)
        if started.is_new or started.run.parameters == parameters:
            return started
        period += timedelta(microseconds=1)


def _plan(job: Job, period: datetime, trigger: Trigger, parameters: dict[str, Any], actor: str | None) -> UUID | None:
    """Plan the run and return its id, or None when the period has one."""
    with transaction() as connection:
        now = clock.now()
        run_id = ledger.open_run(connection, job.name, period, trigger=trigger, parameters=parameters, now=now)
        if run_id is None:
            return None
        total = plan_shards(connection, job, run_id, period, parameters, now)
        _note(connection, actor, run_id, job, period, parameters)
    _log.info("run_planned", job=job.name, run_id=str(run_id), period=period.isoformat(), shards=total)
    return run_id


def _note(
    connection: Connection,
    actor: str | None,
    run_id: UUID | None,
    job: Job,
    period: datetime,
    parameters: dict[str, Any],
) -> None:
    """Record who started a run by hand, in the transaction that plans it."""
    if actor is not None and run_id is not None:
        after = {"job": job.name, "period": period.isoformat(), "parameters": parameters}
        record(connection, [AuditEntry(actor, "job_run.started", "job_run", str(run_id), None, after)], clock.now())
