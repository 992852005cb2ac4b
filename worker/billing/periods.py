"""Periods of a subscription: counted from its anchor day, so that a short month never moves the later ones. Pure.

A boundary is the first instant of a local day in the subscription's zone. The n-th one lies n periods after the anchor,
in the calendar: from Jan 31 follow Feb 28 or 29, then Mar 31. Each period ends where the next begins.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from worker.clock import local_day, local_day_start
from worker.models.billing import PeriodUnit


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a plan is paid: every `count` units."""

    unit: PeriodUnit
    count: int = 1


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, before `end`: instants in UTC."""

    start: datetime
    end: datetime


def boundary_day(anchor: date, rhythm: Rhythm, number: int) -> date:
    """Return the local day on which period `number` begins; period 0 begins on the anchor itself.

    Args:
        anchor: the day from which periods are counted.
        rhythm: how long they are.
        number: which one; may be below 0.
    """
    steps = rhythm.count * number
    if rhythm.unit == "week":
        return anchor + timedelta(weeks=steps)
    months = anchor.year * 12 + anchor.month - 1 + steps * (12 if rhythm.unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def period_from(anchor: date, rhythm: Rhythm, start: datetime, timezone: str) -> Period:
    """Return the period that begins at `start` and ends at the first boundary after it.

    `start` is usually a boundary itself, so periods asked for one after the other tile time without gap or overlap.
    """
    day = local_day(start, timezone, 0)
    number = _number_near(anchor, rhythm, day)
    while local_day_start(boundary_day(anchor, rhythm, number), timezone, 0) > start:
        number -= 1
    while (end := local_day_start(boundary_day(anchor, rhythm, number), timezone, 0)) <= start:
        number += 1
    return Period(start, end)


def _number_near(anchor: date, rhythm: Rhythm, day: date) -> int:
    if rhythm.unit == "week":
        return (day - anchor).days // (7 * rhythm.count)
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    return months // (rhythm.count * (12 if rhythm.unit == "year" else 1))


def trial_period(now: datetime, trial_days: int, timezone: str) -> tuple[Period, date]:
    """Return the trial that begins on the local day of `now`, and the anchor of the paid periods: the day it ends.

    Without a trial (0 days) the period before the first paid one is returned, the day before: it is over already, so
    the first paid period is due at once and covers the whole present day.
    """
    today = local_day(now, timezone, 0)
    if trial_days:
        anchor = today + timedelta(days=trial_days)
        return Period(local_day_start(today, timezone, 0), local_day_start(anchor, timezone, 0)), anchor
    yesterday = local_day_start(today - timedelta(days=1), timezone, 0)
    return Period(yesterday, local_day_start(today, timezone, 0)), today


def resumed(period: Period, paused_at: datetime, now: datetime, timezone: str) -> tuple[Period, date]:
    """Return the period that a pause has lengthened, and the new anchor: the day on which it ends.

    What was left of it at the pause is given back in whole local days, a begun one counted as one: never less than
    what was paid for.
    """
    left = max(period.end - paused_at, timedelta(0))
    days = -(-left // timedelta(days=1))
    anchor = local_day(now, timezone, 0) + timedelta(days=max(days, 1))
    return Period(period.start, local_day_start(anchor, timezone, 0)), anchor


def grace_end(due_at: datetime, grace_days: int, timezone: str) -> datetime:
    """Return until when an unpaid subscription keeps its access: the end of the last of its days of grace."""
    day = local_day(due_at, timezone, 0) + timedelta(days=grace_days + 1)
    return local_day_start(day, timezone, 0)
