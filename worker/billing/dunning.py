"""What follows a declined charge: when it is tried again, and whether the learner needs another payment method. Pure.

A hard decline (stolen card, closed account) is never tried again with that method. A soft one (no balance, limit
reached) is tried on the days 1, 3, 5 and 7 after the due day, in the morning of the learner's zone. Indonesian salaries
are paid on the 25th, the last or the first day of a month: a try that would come up to two days before waits for it.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from worker.clock import local_day, zone
from worker.models.billing import DeclineKind

RETRY_DAYS: Final = (1, 3, 5, 7)
"""Days after the due day."""
RETRY_HOUR: Final = 10
"""Local: banks' nightly work is over, and a person sees the notice."""
_WAITS_FOR_PAYDAY: Final = 2
_SALARY_DAY: Final = 25


@dataclass(frozen=True, slots=True)
class Step:
    """What follows a decline.

    Attributes:
        retry_at: when the charge is tried again; None: not with this method.
        wants_method: whether the learner is asked for another payment method now.
    """

    retry_at: datetime | None
    wants_method: bool


def after_decline(kind: DeclineKind, due_at: datetime, now: datetime, timezone: str, grace_ends_at: datetime) -> Step:
    """Return what follows a charge that was declined at `now`.

    Args:
        kind: of the decline.
        due_at: when the unpaid period began.
        now: the instant of the decline.
        timezone: the subscription's.
        grace_ends_at: no try comes at or after it.
    """
    if kind == "hard":
        return Step(None, wants_method=True)
    earlier = now
    for instant in retry_instants(due_at, timezone, grace_ends_at):
        if instant > earlier:
            return Step(instant, wants_method=False)
    return Step(None, wants_method=True)


def retry_instants(due_at: datetime, timezone: str, grace_ends_at: datetime) -> list[datetime]:
    """Return when a period that fell due at `due_at` is tried again, in order, all before the grace period's end."""
    due_on = local_day(due_at, timezone, 0)
    last_on = local_day(grace_ends_at - timedelta(microseconds=1), timezone, 0)
    days = sorted({_moved_to_payday(due_on + timedelta(days=offset), last_on) for offset in RETRY_DAYS})
    instants = [datetime.combine(day, time(RETRY_HOUR), tzinfo=zone(timezone)) for day in days]
    return [instant for instant in instants if due_at < instant < grace_ends_at]


def _moved_to_payday(day: date, last: date) -> date:
    for ahead in range(1, _WAITS_FOR_PAYDAY + 1):
        later = day + timedelta(days=ahead)
        if later <= last and is_payday(later):
            return day if is_payday(day) else later
    return day


def is_payday(day: date) -> bool:
    """Return whether salaries are usually paid on that day."""
    return day.day in {1, _SALARY_DAY} or (day + timedelta(days=1)).day == 1
