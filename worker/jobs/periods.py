"""Periods: the instants at which a cron expression fires in a time zone, right through changes of daylight saving.

A period is the firing's instant in UTC and names the run (`job_runs` is unique in job and period). The expressions
and their behaviour are Debian cron's:

- A time of day that the clock skips in spring fires once, when the clock jumps; one that it shows twice in autumn
  fires once, the first time.
- An expression whose minute or hour begins with `*` follows real time: each real minute whose wall clock matches,
  so hourly jobs fire in both of two equal hours and never in a skipped one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from worker import clock
from worker.jobs.errors import InvalidScheduleError

_FIELDS: Final = 5
_LARGEST_STEP_BACK: Final = timedelta(hours=3)
"""No zone has put its clock back by more since 2000 (the largest step is two hours, at Troll station)."""
_LOOK_BACK: Final = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 32, 367, 5 * 366, 29 * 366))
"""How far `latest_period` looks back, step by step: an hour serves most schedules, 28 years hold each leap weekday."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression of five fields and the IANA time zone in which it is meant.

    Raises:
        InvalidScheduleError: the expression or the zone cannot be read, or it never fires.
    """

    cron: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if len(self.cron.split()) != _FIELDS:
            raise InvalidScheduleError(self.cron, self.zone, "needs five fields: minute hour day month weekday")
        try:
            clock.zone(self.zone)
        except (KeyError, ValueError):
            raise InvalidScheduleError(self.cron, self.zone, "no such time zone") from None
        try:
            next(CronSim(self.cron, datetime(2024, 1, 1, tzinfo=UTC)))
        except CronSimError as error:
            raise InvalidScheduleError(self.cron, self.zone, str(error)) from None
        except StopIteration:
            raise InvalidScheduleError(self.cron, self.zone, "never fires") from None


def periods_after(schedule: Schedule, instant: datetime) -> Iterator[datetime]:
    """Yield the periods later than `instant` in order, in UTC; the cost is that of the steps between two of them.

    cronsim names the wall-clock times, knowing no zone; what each is in UTC is decided here. (Its own way through a
    change of the clock loses firings in zones that change by half an hour.)
    """
    if schedule.zone == "UTC":  # no step to consider
        for wall_time in CronSim(schedule.cron, instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)):
            yield wall_time.replace(tzinfo=UTC)
        return
    zone = clock.zone(schedule.zone)
    names_times = not any(field.startswith("*") for field in schedule.cron.split()[:2])
    wall_clock = instant.astimezone(zone).replace(tzinfo=None, microsecond=0) - _LARGEST_STEP_BACK
    found: list[datetime] = []
    last = instant
    for wall_time in CronSim(schedule.cron, wall_clock):
        first = _real_time(wall_time, zone)
        if names_times:
            heappush(found, first.astimezone(UTC))
        elif first.replace(tzinfo=None) == wall_time:
            heappush(found, first.astimezone(UTC))
            heappush(found, first.replace(fold=1).astimezone(UTC))
        # No later wall-clock time is shown for the first time before this one, so what came up to here is complete;
        # second showings wait in the heap until their turn.
        while found and found[0] <= first.astimezone(UTC):
            period = heappop(found)
            if period > last:
                last = period
                yield period


def next_period(schedule: Schedule, after: datetime) -> datetime:
    """Return the first period later than `after`."""
    return next(periods_after(schedule, after))


def latest_period(schedule: Schedule, at: datetime) -> datetime:
    """Return the last period that is not later than `at`.

    It walks forward from ever further back, so that there is one definition of a period and not a second one in
    reverse.

    Raises:
        InvalidScheduleError: there was none in 29 years.
    """
    for distance in _LOOK_BACK:
        latest = None
        for period in periods_after(schedule, at - distance):
            if period > at:
                break
            latest = period
        if latest is not None:
            return latest
    raise InvalidScheduleError(schedule.cron, schedule.zone, f"did not fire in the 29 years before {at:%Y-%m-%d}")


class LatestPeriods:
    """Knows the latest period of schedules without a walk each time: for whoever asks every second."""

    def __init__(self) -> None:
        self._known: dict[Schedule, tuple[datetime, datetime]] = {}

    def at(self, schedule: Schedule, instant: datetime) -> datetime:
        """Return the last period that is not later than `instant`, as `latest_period` does."""
        latest, following = self._known.get(schedule, (instant, instant))
        if not latest <= instant < following:
            latest = latest_period(schedule, instant)
            self._known[schedule] = latest, next_period(schedule, instant)
        return latest


def in_words(schedule: Schedule) -> str:
    """Return the schedule as an English sentence, such as "At 03:00 every day (Asia/Jakarta)"."""
    words = CronSim(schedule.cron, datetime(2024, 1, 1, tzinfo=UTC)).explain()
    return f"{words} ({schedule.zone})"


def _real_time(wall_time: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the zone's clock shows `wall_time`, or its jump over it."""
    shown = wall_time.replace(tzinfo=zone)
    while shown.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != shown.replace(tzinfo=None):
        shown += timedelta(minutes=1)
    return shown
