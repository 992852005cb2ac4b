"""A learner's due queue: what it holds, which local day it is for, and how the cache keeps it. Pure.

The rules are in `queue_policy.py`; `queries/build_due_queues.sql` applies them, since the database sorts millions of
cards in place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from worker import clock

DEFAULT_ZONE: Final = "Asia/Jakarta"
"""Where a learner is taken to live whose time zone this machine does not know."""
DEFAULT_DAY_START_HOUR: Final = 4
"""When the day of a learner without preferences begins; so have the schema's defaults."""


class DueQueue(msgspec.Struct, frozen=True, kw_only=True):
    """The queue of one learner for one local day, as the cache and the API show it.

    Attributes:
        card_ids: learning cards, then reviews, then new ones (or mixed in among the reviews), each in its order.
        learning, review, new: how many of each `card_ids` holds.
        overdue_total: learning and review cards that were due, before the learner's review limit.
    """

    user_id: UUID
    local_date: date
    card_ids: list[UUID]
    learning: int
    review: int
    new: int
    overdue_total: int
    built_at: datetime


@dataclass(frozen=True, slots=True)
class DayRule:
    """How a group of learners counts days, and how many they are."""

    timezone: str
    day_start_hour: int
    learners: int


@dataclass(frozen=True, slots=True)
class LocalDays:
    """The local day of each rule and its start: lists in step, as SQL takes them, and who had to be guessed."""

    timezones: list[str]
    day_start_hours: list[int]
    local_dates: list[date]
    starts_at: list[datetime]
    learners_in_unknown_zones: int

    def values(self) -> dict[str, Any]:
        """Return the lists by name, as parameters of a statement."""
        return {
            "timezones": self.timezones,
            "day_start_hours": self.day_start_hours,
            "local_dates": self.local_dates,
            "starts_at": self.starts_at,
        }


def cache_key(user_id: UUID | str, local_date: date | str) -> str:
    """Return the Redis key of a queue."""
    return f"elp:due:{user_id}:{local_date}"


def local_days(rules: Iterable[DayRule], at: datetime) -> LocalDays:
    """Return the local day at `at` under each rule; the cost is that of the rules, not of the learners.

    A zone that this machine does not know is taken for `DEFAULT_ZONE`: its learners get a queue, at most hours off,
    rather than none.
    """
    rules = list(rules)
    zones = [rule.timezone if _is_known(rule.timezone) else DEFAULT_ZONE for rule in rules]
    hours = [rule.day_start_hour for rule in rules]
    days = [clock.local_day(at, zone, hour) for zone, hour in zip(zones, hours, strict=True)]
    return LocalDays(
        timezones=[rule.timezone for rule in rules],
        day_start_hours=hours,
        local_dates=days,
        starts_at=[clock.local_day_start(*of_rule) for of_rule in zip(days, zones, hours, strict=True)],
        learners_in_unknown_zones=sum(rule.learners for rule in rules if not _is_known(rule.timezone)),
    )


def _is_known(zone_name: str) -> bool:
    try:
        clock.zone(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
