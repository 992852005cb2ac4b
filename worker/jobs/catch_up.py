"""Catch-up: which of the periods that have no run yet are run, and which are skipped, by the job's own policy.

A scheduled job's periods are decided in order, and how far is kept (`job_controls.covered_until`). In good order each
period is decided the second it begins. After an outage, a pause or a lost beat several wait together, and this rule
decides about all of them at once; the skipped ones are recorded with the reason given here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, Literal

from worker.jobs.definition import CatchUp, Trigger
from worker.jobs.periods import Schedule, latest_period, periods_after

LATE_AFTER: Final = timedelta(minutes=10)
"""A period that starts later than this is caught up, not on time: a restart or a full queue may take that long."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one period."""

    period: datetime
    decision: Literal["run", "skip"]
    reason: str
    trigger: Trigger
    """What the ledger says started it: `schedule`, or `catch_up` when it is late."""


def undecided(schedule: Schedule, covered_until: datetime | None, horizon: timedelta, now: datetime) -> list[datetime]:
    """Return the periods up to `now` that are not decided, in order, without those beyond the horizon but the last.

    The cost is that of the periods within the horizon, however long the outage was: of those before it, the last one
    stands for all.

    Args:
        schedule: when the job fires.
        covered_until: the last period that was decided; None for a job that is new: it begins with its latest period.
        horizon: how far back periods are caught up.
        now: the present instant.
    """
    latest = latest_period(schedule, now)
    if covered_until is None:
        return [latest]
    if latest <= covered_until:
        return []
    oldest = now - horizon
    if covered_until >= oldest:
        return list(_between(schedule, covered_until, now))
    too_old = latest_period(schedule, oldest - timedelta(microseconds=1))
    within = list(_between(schedule, too_old, now))
    return [too_old, *within] if too_old > covered_until else within


def decide(policy: CatchUp, horizon: timedelta, periods: Sequence[datetime], now: datetime) -> list[Decision]:
    """Decide about periods without a run (in order, none later than `now`); one decision each, in the same order."""
    return [_decide_one(policy, horizon, period, periods[-1], now) for period in periods]


def _decide_one(policy: CatchUp, horizon: timedelta, period: datetime, newest: datetime, now: datetime) -> Decision:
    late = now - period
    trigger: Trigger = "schedule" if period == newest and late <= LATE_AFTER else "catch_up"
    if late > horizon:
        reason = f"it and any before it are older than the job's horizon of {_words(horizon)}"
    elif policy != "all" and period != newest:
        reason = f"a later period, {newest:%Y-%m-%dT%H:%MZ}, stands for it (catch-up: {policy})"
    elif policy == "none" and late > LATE_AFTER:
        reason = f"it could not start within {_words(LATE_AFTER)} (catch-up: none)"
    else:
        return Decision(period, "run", "due" if trigger == "schedule" else f"missed (catch-up: {policy})", trigger)
    return Decision(period, "skip", reason, trigger)


def _between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    return takewhile(lambda period: period <= until, periods_after(schedule, after))


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size and minutes % size == 0:
            number = minutes // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return str(span)
