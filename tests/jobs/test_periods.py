"""Periods through the year: what cron means where clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.jobs.beat import firing_times
from worker.jobs.periods import Schedule, in_words, latest_period, next_period, periods_after

ZONES = [
    "UTC",
    "Asia/Jakarta",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",  # 5 h 45 min ahead
    "Africa/Casablanca",  # goes back for Ramadan
    "America/Santiago",  # skips midnight
    "Pacific/Apia",
]
instants = st.integers(0, 4 * 366 * 86_400).map(lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
zones = st.sampled_from(ZONES)
every_so_often = st.sampled_from(
    ["*/15 * * * *", "* * * * *", "7 * * * *", "*/20 */2 * * *", "0 * * * *", "*/10 2 * * *"]
)
at_times_of_day = st.sampled_from(
    ["30 2 * * *", "0 0 * * *", "15 1,2,3 * * *", "0,30 2 * * *", "59 23 * * *", "5 3 * * 1-5"]
)
schedules = st.builds(Schedule, every_so_often | at_times_of_day, zones)


def between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    return list(takewhile(lambda period: period <= end, periods_after(schedule, start)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(schedules, instants)
def test_periods_follow_one_another_in_utc(schedule: Schedule, instant: datetime) -> None:
    periods = list(islice(periods_after(schedule, instant), 30))
    assert all(period.tzinfo is UTC for period in periods)
    assert [instant, *periods] == sorted({instant, *periods})


@given(schedules, instants)
def test_latest_period_is_the_one_with_none_between_it_and_now(schedule: Schedule, instant: datetime) -> None:
    latest = latest_period(schedule, instant)
    assert latest <= instant < next_period(schedule, latest)
    assert next_period(schedule, latest) == next_period(schedule, instant)


@given(schedules, instants)
def test_a_period_is_its_own_latest(schedule: Schedule, instant: datetime) -> None:
    period = next_period(schedule, instant)
    assert latest_period(schedule, period) == period
    assert latest_period(schedule, period - timedelta(microseconds=1)) < period


@given(schedules, instants, st.integers(1, 5_000))
def test_where_one_starts_to_look_changes_no_period(schedule: Schedule, instant: datetime, minutes: int) -> None:
    later, end = instant + timedelta(minutes=minutes), instant + timedelta(days=5)
    assert between(schedule, later, end) == [period for period in between(schedule, instant, end) if period > later]


@given(every_so_often, zones, instants)
def test_job_that_runs_every_so_often_fires_whenever_the_wall_clock_matches(
    cron: str, zone: str, instant: datetime
) -> None:
    start = instant.replace(second=0, microsecond=0)
    minutes, hours = fields(cron)
    real = [start + timedelta(minutes=n) for n in range(1, 3 * 1440)]
    local = [(moment, moment.astimezone(ZoneInfo(zone))) for moment in real]
    wanted = [moment for moment, wall in local if wall.minute in minutes and wall.hour in hours]
    assert between(Schedule(cron, zone), start, real[-1]) == wanted


@given(st.integers(0, 23), st.integers(0, 59), zones, instants)
@example(2, 1, "America/New_York", datetime(2024, 2, 19, 7, 0, tzinfo=UTC))
def test_daily_job_fires_once_on_each_date(hour: int, minute: int, zone: str, instant: datetime) -> None:
    periods = between(Schedule(f"{minute} {hour} * * *", zone), instant, instant + timedelta(days=20))
    for period in periods:
        wall = period.astimezone(ZoneInfo(zone))
        assert (wall.hour, wall.minute) >= (hour, minute) or is_after_jump(period, zone)
    # A time that a jump leaves out is replaced by the jump's end: any minutes away from the days beside it.
    moved = {period for period in periods if is_after_jump(period, zone)}
    distances = {after - before for before, after in pairwise(periods) if not {before, after} & moved}
    assert distances <= {timedelta(hours=hours) for hours in (22, 22.5, 23, 23.5, 24, 24.5, 25, 26)}
    assert all(timedelta(hours=22) <= after - before <= timedelta(hours=26) for before, after in pairwise(periods))
    assert 19 <= len(periods) <= 21


@given(schedules, instants)
def test_beats_times_of_day_cover_every_period_but_those_moved_by_a_jump(schedule: Schedule, instant: datetime) -> None:
    times = firing_times(schedule, instant)
    for period in islice(periods_after(schedule, instant), 50):
        assert period.hour * 60 + period.minute in times or is_after_jump(period, schedule.zone)


@pytest.mark.parametrize(
    ("cron", "zone", "start", "periods"),
    [
        # 14 March 2027: New York skips 02:00–03:00, at 07:00 UTC.
        ("30 2 * * *", "America/New_York", "2027-03-13T12:00", ["2027-03-14T07:00", "2027-03-15T06:30"]),
        (
            "0 * * * *",
            "America/New_York",
            "2027-03-14T05:30",
            ["2027-03-14T06:00", "2027-03-14T07:00", "2027-03-14T08:00"],
        ),
        # 1 November 2026: 01:00–02:00 comes twice, from 05:00 and from 06:00 UTC.
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        (
            "0 * * * *",
            "America/New_York",
            "2026-11-01T04:30",
            ["2026-11-01T05:00", "2026-11-01T06:00", "2026-11-01T07:00"],
        ),
        ("0 4 * * *", "Asia/Jakarta", "2026-11-23T00:00", ["2026-11-23T21:00", "2026-11-24T21:00"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 31 * *", "UTC", "2026-01-31T00:00", ["2026-03-31T00:00", "2026-05-31T00:00"]),
    ],
)
def test_known_cases(cron: str, zone: str, start: str, periods: list[str]) -> None:
    found = list(islice(periods_after(Schedule(cron, zone), utc(start)), len(periods)))
    assert found == [utc(period) for period in periods]


def test_latest_leap_day_is_found_years_back() -> None:
    assert latest_period(Schedule("0 0 29 2 *"), utc("2027-12-31T00:00")) == utc("2024-02-29T00:00")


def test_schedule_reads_as_a_sentence() -> None:
    assert in_words(Schedule("30 2 * * *", "Asia/Jakarta")) == "At 02:30 every day (Asia/Jakarta)"


def fields(cron: str) -> tuple[set[int], set[int]]:
    def values(field: str, size: int) -> set[int]:
        if field.startswith("*/"):
            return set(range(0, size, int(field[2:])))
        return set(range(size)) if field == "*" else {int(field)}

    minute, hour = cron.split()[:2]
    return values(minute, 60), values(hour, 24)


def is_after_jump(period: datetime, zone: str) -> bool:
    """Whether the clock was put forward at this instant."""
    before, after = ((period + timedelta(seconds=s)).astimezone(ZoneInfo(zone)).utcoffset() for s in (-1, 0))
    assert before is not None
    assert after is not None
    return after > before
