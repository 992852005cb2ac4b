"""The learner's local day: it starts when the wall clock shows `day_start_hour`, wherever and whenever that is."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfoNotFoundError

import pytest
from freezegun import freeze_time
from hypothesis import example, given
from hypothesis import strategies as st

from worker import clock
from worker.clock import local_day, local_day_start

ZONES = [
    "America/New_York",
    "America/Sao_Paulo",  # until 2019 its clock jumped over midnight
    "America/St_Johns",  # until 2011 its clock changed at 00:01
    "Asia/Jakarta",
    "Asia/Jayapura",
    "Asia/Kathmandu",
    "Asia/Makassar",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Europe/Berlin",
    "Pacific/Apia",  # had no 30 December 2011
    "UTC",
]
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

days = st.dates(min_value=date(1970, 1, 2), max_value=date(2037, 12, 30))
zones = st.sampled_from(ZONES)
hours = st.integers(min_value=0, max_value=23)
instants = st.datetimes(
    min_value=datetime(1970, 1, 3),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2037, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def was_skipped(day: date, zone: str, hour: int) -> bool:
    """Samoa went from 29 to 31 December 2011: with a day start at midnight, the 30th has no instant at all."""
    return (zone, day, hour) == ("Pacific/Apia", date(2011, 12, 30), 0)


@given(days, zones, hours)
@example(date(2018, 11, 4), "America/Sao_Paulo", 0)
@example(date(2018, 2, 18), "America/Sao_Paulo", 0)
@example(date(2026, 3, 8), "America/New_York", 2)
@example(date(2026, 11, 1), "America/New_York", 1)
@example(date(2026, 10, 4), "Australia/Lord_Howe", 2)
@example(date(2026, 4, 5), "Australia/Lord_Howe", 2)
@example(date(2006, 4, 2), "America/St_Johns", 0)
@example(date(2006, 10, 29), "America/St_Johns", 0)
@example(date(2011, 12, 30), "Pacific/Apia", 0)
@example(date(2011, 12, 30), "Pacific/Apia", 4)
@example(date(2011, 12, 31), "Pacific/Apia", 0)
@example(date(2011, 12, 31), "Pacific/Apia", 4)
def test_day_begins_at_its_start_and_the_day_before_ends_there(day: date, zone: str, hour: int) -> None:
    start = local_day_start(day, zone, hour)
    assert start.tzinfo is UTC
    if not was_skipped(day, zone, hour):
        assert local_day(start, zone, hour) == day
    if not was_skipped(day - DAY, zone, hour):
        assert local_day(start - SECOND, zone, hour) == day - DAY


@given(days, zones, hours)
def test_days_follow_one_another_without_gap_or_overlap(day: date, zone: str, hour: int) -> None:
    starts = [local_day_start(day + timedelta(days=offset), zone, hour) for offset in range(-1, 3)]
    for start, following in pairwise(starts):
        assert timedelta(0) <= following - start <= timedelta(hours=25)


@given(instants, zones, hours)
def test_instant_is_within_the_day_it_is_said_to_be_on(instant: datetime, zone: str, hour: int) -> None:
    day = local_day(instant, zone, hour)
    assert local_day_start(day, zone, hour) <= instant
    # Where the clock is set back over the day's start, the minutes after it are told twice: still the old day's.
    assert instant < local_day_start(day + DAY, zone, hour) + timedelta(hours=1)


@given(instants, zones, hours, st.integers(min_value=-14, max_value=14))
def test_local_day_does_not_depend_on_how_the_instant_is_written(
    instant: datetime, zone: str, hour: int, offset: int
) -> None:
    elsewhere = instant.astimezone(timezone(timedelta(hours=offset)))
    assert local_day(elsewhere, zone, hour) == local_day(instant, zone, hour)


@given(days, hours, st.sampled_from([("Asia/Jakarta", 7), ("Asia/Makassar", 8), ("Asia/Jayapura", 9)]))
def test_indonesian_days_begin_at_fixed_offsets_from_utc(day: date, hour: int, zone: tuple[str, int]) -> None:
    name, offset = zone
    expected = datetime(day.year, day.month, day.day, hour, tzinfo=timezone(timedelta(hours=offset)))
    assert local_day_start(day, name, hour) == expected


def test_late_evening_in_indonesia_belongs_to_three_different_instants_of_one_day() -> None:
    starts = [
        local_day_start(date(2026, 11, 24), zone, 4) for zone in ("Asia/Jayapura", "Asia/Makassar", "Asia/Jakarta")
    ]
    assert [start.isoformat() for start in starts] == [
        "2026-11-23T19:00:00+00:00",
        "2026-11-23T20:00:00+00:00",
        "2026-11-23T21:00:00+00:00",
    ]


def test_study_after_midnight_counts_for_the_evening_before() -> None:
    assert local_day(datetime(2026, 11, 23, 20, 59, 59, tzinfo=UTC), "Asia/Jakarta", 4) == date(2026, 11, 23)
    assert local_day(datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC), "Asia/Jakarta", 4) == date(2026, 11, 24)


def test_day_that_starts_in_a_gap_begins_at_the_jump() -> None:
    assert local_day_start(date(2018, 11, 4), "America/Sao_Paulo", 0) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert local_day_start(date(2026, 3, 8), "America/New_York", 2) == datetime(2026, 3, 8, 7, tzinfo=UTC)
    # The gap of Lord Howe lasts half an hour, from 02:00 to 02:30.
    assert local_day_start(date(2026, 10, 4), "Australia/Lord_Howe", 2) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


def test_day_whose_start_is_told_twice_begins_the_first_time() -> None:
    assert local_day_start(date(2026, 11, 1), "America/New_York", 1) == datetime(2026, 11, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "expected_hours"),
    [(date(2026, 3, 7), 23), (date(2026, 3, 8), 24), (date(2026, 10, 31), 25), (date(2026, 11, 1), 24)],
)
def test_day_around_a_change_of_the_clock_has_23_or_25_hours(day: date, expected_hours: int) -> None:
    length = local_day_start(day + DAY, "America/New_York", 4) - local_day_start(day, "America/New_York", 4)
    assert length == timedelta(hours=expected_hours)


def test_day_that_the_zone_never_had_begins_and_ends_at_the_jump() -> None:
    jump = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert local_day_start(date(2011, 12, 30), "Pacific/Apia", 0) == jump
    assert local_day_start(date(2011, 12, 31), "Pacific/Apia", 0) == jump
    assert local_day(jump, "Pacific/Apia", 0) == date(2011, 12, 31)


def test_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        local_day(datetime(2026, 11, 24, tzinfo=UTC), "Asia/Atlantis", 4)


def test_now_is_aware_in_utc_and_moved_by_freezegun() -> None:
    with freeze_time("2026-11-24T03:00:00Z"):
        assert clock.now() == datetime(2026, 11, 24, 3, tzinfo=UTC)
        assert clock.now().tzinfo is UTC
