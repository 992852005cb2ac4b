"""The only source of time: instants in UTC, and the learner's local day.

Every rule takes its instant as an argument; only the outermost callers ask `now()`. freezegun and the simulator
therefore move the whole system. Durations (time-outs, rates) are measured with `time.monotonic`, which nothing moves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from worker.errors import ElpError

Source = Callable[[], datetime]
"""Tells the present instant, aware, in UTC."""

_source: Source | None = None


class TimeRunsForwardError(ElpError):
    """A virtual clock was asked to go back, or given an instant without a zone."""

    def __init__(self, present: datetime, wanted: datetime) -> None:
        super().__init__(f"virtual time stands at {present.isoformat()} and cannot move to {wanted.isoformat()}")
        self.present = present
        self.wanted = wanted


class VirtualClock:
    """A clock that stands still until it is moved; all threads of the process see it."""

    def __init__(self, at: datetime) -> None:
        """Stand at `at`, an aware instant."""
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        """Return where it stands."""
        return self._at

    def move_to(self, instant: datetime) -> None:
        """Stand at a later instant (or at the same).

        Raises:
            TimeRunsForwardError: it lies in the past, or has no zone.
        """
        if instant.tzinfo is None or instant < self._at:
            raise TimeRunsForwardError(self._at, instant)
        self._at = instant.astimezone(UTC)


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC) if _source is None else _source()


def set_source(source: Source | None) -> None:
    """Have `now()` ask `source` in this process from here on; None: the machine's clock again."""
    global _source  # noqa: PLW0603 - one clock a process is the point
    _source = source


@contextmanager
def travelling(start: datetime) -> Iterator[VirtualClock]:
    """Have this process live in virtual time inside the block: yields the clock, which stands at `start`."""
    before, virtual = _source, VirtualClock(start)
    set_source(virtual)
    try:
        yield virtual
    finally:
        set_source(before)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone called `name`.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: no such zone is known (a KeyError).
        ValueError: the name cannot be a zone's key at all.
    """
    return ZoneInfo(name)


def local_day(instant: datetime, zone_name: str, day_start_hour: int) -> date:
    """Return the learner's local day at `instant`.

    A local day starts when the wall clock of the learner's zone shows `day_start_hour` (0–23) and lasts until it
    does so again: 23, 24 or 25 hours around a change of daylight-saving time.
    """
    wall_clock = instant.astimezone(zone(zone_name)).replace(tzinfo=None)
    return (wall_clock - timedelta(hours=day_start_hour)).date()


def local_day_start(day: date, zone_name: str, day_start_hour: int) -> datetime:
    """Return the instant (UTC) at which the local day `day` begins: the first one for which `local_day` says `day`.

    Where the clock jumps over `day_start_hour`, the day begins at the jump. A day that the zone never had (Samoa's
    30 December 2011, with a day start at midnight) begins there, too, and is over at once.
    """
    wall_clock = datetime.combine(day, time(day_start_hour), tzinfo=zone(zone_name))
    begins_at = wall_clock.astimezone(UTC)
    if begins_at.astimezone(wall_clock.tzinfo).replace(tzinfo=None) == wall_clock.replace(tzinfo=None):
        return begins_at
    # The wall clock never shows this time (a gap, PEP 495): its two readings lie before and after the jump, which is
    # found between them by halving. Jumps happen at whole seconds.
    before, after = sorted(wall_clock.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if local_day(middle, zone_name, day_start_hour) >= day:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
