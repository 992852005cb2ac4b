"""Learners' local days of many instants: `worker.clock.local_day`, with the zone's offset remembered for each hour."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from worker import clock

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts instants in microseconds from here; so does the attempt pipeline, in plain integers."""
FALLBACK_ZONE: Final = "Asia/Jakarta"
"""The default of `users.timezone`, for a zone that the server knows and this process does not."""

_EPOCH_ORDINAL: Final = EPOCH.toordinal()
_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_MAX_HOURS: Final = 10_000


def to_microseconds(instant: datetime) -> int:
    """Return an aware instant as microseconds since `EPOCH`."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def to_instant(microseconds: int) -> datetime:
    """Return the instant, in UTC, that lies so many microseconds after `EPOCH`."""
    return EPOCH + timedelta(microseconds=microseconds)


def effective_zone(zone_name: str) -> str:
    """Return the zone by which a learner's days are counted: theirs, or `FALLBACK_ZONE` where it is unknown here."""
    try:
        clock.zone(zone_name)
    except (KeyError, ValueError, OSError):
        return FALLBACK_ZONE
    return zone_name


@lru_cache(maxsize=4096)
def local_times(zone_name: str, day_start_hour: int) -> Callable[[int], tuple[date, int]]:
    """Return a function from an instant (microseconds since `EPOCH`) to its local day and the wall clock's hour.

    An unknown zone counts as `FALLBACK_ZONE`. The function remembers offsets by hour of UTC, for up to some thousand
    hours; in the hours in which the zone changes its offset it asks `worker.clock`.
    """
    zone_name = effective_zone(zone_name)
    zone = clock.zone(zone_name)
    shifts: dict[int, int] = {}
    day_start = day_start_hour * _HOUR

    def offset(microseconds: int) -> timedelta | None:
        return to_instant(microseconds).astimezone(zone).utcoffset()

    def local_time(microseconds: int) -> tuple[date, int]:
        hour = microseconds // _HOUR
        shift = shifts.get(hour)
        if shift is None:
            begin, end = offset(hour * _HOUR), offset((hour + 1) * _HOUR - 1)
            if begin is None or begin != end:
                instant = to_instant(microseconds)
                return clock.local_day(instant, zone_name, day_start_hour), instant.astimezone(zone).hour
            if len(shifts) >= _MAX_HOURS:
                shifts.clear()
            shift = shifts[hour] = begin // timedelta(microseconds=1)
        wall_clock = microseconds + shift
        return date.fromordinal(_EPOCH_ORDINAL + (wall_clock - day_start) // _DAY), wall_clock % _DAY // _HOUR

    return local_time


def local_days(zone_name: str, day_start_hour: int) -> Callable[[int], date]:
    """Return a function from an instant (microseconds since `EPOCH`) to the local day it belongs to."""
    local_time = local_times(zone_name, day_start_hour)
    return lambda microseconds: local_time(microseconds)[0]
