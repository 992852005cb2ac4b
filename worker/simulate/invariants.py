"""What must always hold, whatever the date: a registry of small looks, each of which names what is wrong.

A capability adds its own with `@invariant`; the simulator runs those of a day each virtual day, those of a month each
month and all of them at the end. A look is cheap or rare: it shares the time of a simulated year.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from worker import clock
from worker.db import Connection
from worker.db.queries import load_query
from worker.jobs.catch_up import LATE_AFTER
from worker.jobs.definition import Job
from worker.jobs.periods import next_period
from worker.simulate.outages import Outage, up_again_at
from worker.simulate.population import Resident

_PACKAGE: Final = "worker.simulate"
_QUARTER: Final = timedelta(minutes=15)
_TOLERANCE: Final = timedelta(minutes=10)
"""How long attempts may wait while everything is up; in truth it is seconds."""
_LONGEST_RUN: Final = timedelta(hours=1)
"""A run with failing shards rests between its starts, 16 minutes in all."""
_PATIENCE: Final = timedelta(minutes=1)
"""The pulse finds what an outage left within seconds."""
_PROBE: Final = timedelta(hours=6)

Each = Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class Due:
    """A period of a scheduled job that began, and whether everything was down then."""

    job: str
    period: datetime
    while_down: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """What the devices were told, in attempts."""

    sent: int
    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Look:
    """What an invariant sees: the database, and what the simulation knows about the same time."""

    connection: Connection
    since: datetime
    """Up to here the last look of this kind saw everything."""
    until: datetime
    """What was due up to here must be done."""
    begun_at: datetime
    """Start of the simulation."""
    due: Sequence[Due]
    """Periods in (since, until], in order."""
    jobs: Mapping[str, Job]
    residents: Mapping[UUID, Resident]
    outages: Sequence[Outage]
    counts: Counts

    def was_up(self, begins_at: datetime, ends_at: datetime) -> bool:
        """Return whether everything was up all the time between two instants."""
        return all(outage.ends_at <= begins_at or ends_at < outage.begins_at for outage in self.outages)


Check = Callable[[Look], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A named check, and how often it is worth its price."""

    name: str
    each: Each
    check: Check


INVARIANTS: Final[list[Invariant]] = []


def invariant(name: str, *, each: Each = "day") -> Callable[[Check], Check]:
    """Add the decorated function: it yields a line for each thing that breaks the invariant `name`.

    Args:
        name: a sentence that is true as long as all is well.
        each: how often to look.
    """

    def add(check: Check) -> Check:
        INVARIANTS.append(Invariant(name, each, check))
        return check

    return add


@invariant("each period of a job has exactly one run, finished or skipped by its policy")
def periods_ran_once(look: Look) -> Iterable[str]:
    """Compare what was due with the ledger; what an outage made late follows the job's catch-up policy."""
    rows = look.connection.execute(
        load_query(_PACKAGE, "runs_of_periods"),
        {"jobs": [name for name, job in look.jobs.items() if job.schedule], "since": look.since, "until": look.until},
    ).fetchall()
    runs = {(job, period): state for job, period, state in rows}
    if len(runs) != len(rows):
        yield "a period has two runs"
    due = {(each.job, each.period): each for each in look.due}
    for (job, period), each in due.items():
        state, wanted = runs.get((job, period), "no run"), _wanted(look, each)
        if state not in wanted:
            yield f"{job} {period.isoformat()}: {state}, not {' or '.join(sorted(wanted))}"
    for job, period in runs.keys() - due.keys():
        yield f"{job} {period.isoformat()}: a run that no schedule asks for"


def _wanted(look: Look, due: Due) -> set[str]:
    """Return the states that the run of a period may have in the end; the policies as docs/jobs.md words them."""
    finished = {"succeeded", "failed"}  # whether it may fail is another invariant's matter
    if not due.while_down:
        return finished
    job, up_at = look.jobs[due.job], up_again_at(due.period, look.outages)
    assert job.schedule is not None
    is_newest = next_period(job.schedule, due.period) > up_at
    if up_at + _PATIENCE - due.period > job.horizon:
        # Of the periods beyond the horizon the last one stands for all, and just at its edge seconds decide.
        return {"skipped", "no run", *(finished if up_at - _PATIENCE - due.period <= job.horizon else ())}
    if job.catch_up == "all":
        return finished
    if not is_newest:
        # The pulse looks some seconds after the end: a period that begins then is the newest.
        return {"skipped"}
    if job.catch_up == "none":
        return {"skipped"} if up_at - due.period > LATE_AFTER else {*finished, "skipped"}
    return finished if next_period(job.schedule, due.period) > up_at + _PATIENCE else {*finished, "skipped"}


@invariant("no run fails")
def nothing_failed(look: Look) -> Iterable[str]:
    """Nothing in the simulation is poison."""
    for job, period, error in look.connection.execute(
        load_query(_PACKAGE, "failed_runs"), {"since": look.since, "until": look.until}
    ):
        yield f"{job} {period.isoformat()}: {error}"


@invariant("nothing is stuck: no old run, attempt or outbox entry waits while everything is up")
def nothing_stuck(look: Look) -> Iterable[str]:
    """Look for what waits longer than it may."""
    if not look.was_up(look.until - _LONGEST_RUN, look.until):
        return
    values = {"runs_before": look.until - _LONGEST_RUN, "entries_before": look.until - _TOLERANCE}
    for kind, waiting, oldest in look.connection.execute(load_query(_PACKAGE, "stuck"), values):
        yield f"{waiting} {kind}, the oldest since {oldest.isoformat()}"


@invariant("attempts accepted = graded + rejected + waiting")
def attempts_add_up(look: Look) -> Iterable[str]:
    """Compare what the devices were told with what there is."""
    row = look.connection.execute(load_query(_PACKAGE, "attempt_totals")).fetchone()
    assert row is not None
    graded, rejected, waiting = row
    if look.counts.accepted != graded + rejected + waiting:
        yield f"accepted {look.counts.accepted} ≠ graded {graded} + rejected {rejected} + waiting {waiting}"
    if look.counts.sent != look.counts.accepted + look.counts.duplicates:
        yield f"sent {look.counts.sent} ≠ accepted {look.counts.accepted} + duplicates {look.counts.duplicates}"


@invariant("each learner has one queue for each local day, not later than 15 minutes after it began")
def queues_in_time(look: Look) -> Iterable[str]:
    """Judge the queues built since the last look, and look for missing ones at some instants between."""
    rows = look.connection.execute(
        load_query(_PACKAGE, "queues_since"), {"since": look.since.date() - timedelta(days=2)}
    ).fetchall()
    built = {(user_id, day): built_at for user_id, day, built_at in rows}
    if len(built) != len(rows):
        yield "a local day has two queues"
    for (user_id, day), built_at in built.items():
        resident = look.residents[user_id]
        if look.since < built_at <= look.until and built_at > (latest := _latest(look, resident, day, built_at)):
            yield f"{_who(resident)} {day}: built at {built_at.isoformat()}, not by {latest.isoformat()}"
    probe = look.until
    while probe > max(look.since, look.begun_at + _QUARTER):
        before = probe - _QUARTER
        for resident in look.residents.values() if look.was_up(before, probe) else ():
            zone = resident.zone_at(probe)
            day = clock.local_day(before, zone, resident.day_start_hour)
            # Who travels west meanwhile gets the present day's queue anew, and loses that of the day after.
            moved = any(before - _QUARTER < move.at <= look.until for move in resident.moves)
            if not moved and (resident.learner.id, day) not in built:
                yield f"{_who(resident)} {day}: no queue at {probe.isoformat()}"
        probe -= _PROBE


def _latest(look: Look, resident: Resident, day: object, built_at: datetime) -> datetime:
    """Return when a queue must be there: a quarter after day start, arrival, start or outage, whichever is last."""
    zone = resident.zone_at(built_at)
    begins_at = clock.local_day_start(day, zone, resident.day_start_hour)  # type: ignore[arg-type]
    arrived_at = max((move.at for move in resident.moves if move.at <= built_at), default=look.begun_at)
    latest = max(begins_at, arrived_at, look.begun_at) + _QUARTER
    up_at = up_again_at(latest, look.outages)
    if up_at == latest and not look.was_up(latest - _QUARTER, latest):
        up_at = max(outage.ends_at for outage in look.outages if outage.ends_at <= latest)
        return max(latest, up_at + _QUARTER)
    return latest if up_at == latest else up_at + _QUARTER


def _who(resident: Resident) -> str:
    learner = resident.learner
    return f"learner {learner.id} ({learner.timezone}, {resident.day_start_hour} h, {len(resident.moves)} moves)"


@invariant("there is a partition for the attempts of today and of a month from now, and none falls beside them")
def partitions_exist(look: Look) -> Iterable[str]:
    """Look for the partitions' names, and into the default one."""
    wanted = [f"question_attempts_{at:%Y_%m}" for at in (look.until, look.until + timedelta(days=28))]
    for (name,) in look.connection.execute(load_query(_PACKAGE, "missing_partitions"), {"names": wanted}):
        yield f"no partition {name}"
    row = look.connection.execute("SELECT count(*) FROM question_attempts_default").fetchone()
    if row is not None and row[0]:
        yield f"{row[0]} attempts fell into the default partition"


@invariant("statistics equal a plain recount of the attempts", each="month")
def statistics_equal_recount(look: Look) -> Iterable[str]:
    """Recount in SQL."""
    for user_id, has, should in look.connection.execute(load_query(_PACKAGE, "wrong_statistics"), {}):
        yield f"learner {user_id}: {has}, but the attempts say {should}"


@invariant("lesson progress equals a plain recount of the attempts", each="month")
def progress_equals_recount(look: Look) -> Iterable[str]:
    """Recount in SQL."""
    for user_id, lesson_id, has, should in look.connection.execute(load_query(_PACKAGE, "wrong_progress"), {}):
        yield f"learner {user_id}, lesson {lesson_id}: {has}, but the attempts say {should}"
