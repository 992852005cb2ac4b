"""The remembered offsets give the local days of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.attempts.local_days import EPOCH, FALLBACK_ZONE, local_days, to_instant, to_microseconds
from worker.clock import local_day

_instants = st.integers(0, to_microseconds(datetime(2199, 12, 31, tzinfo=UTC))).map(to_instant)
_zones = st.sampled_from(
    [
        "UTC",
        "Asia/Jakarta",
        "Asia/Makassar",
        "Asia/Jayapura",
        "Asia/Kathmandu",
        "America/New_York",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Casablanca",
        "Asia/Gaza",
    ]
)


@given(_instants, _zones, st.integers(0, 23))
def test_a_local_day_is_the_clocks(instant, zone, day_start_hour):
    assert local_days(zone, day_start_hour)(to_microseconds(instant)) == local_day(instant, zone, day_start_hour)


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
        ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("day_start_hour", [0, 1, 2, 4, 23])
def test_each_minute_around_a_change_of_offset_is_right(zone, change, day_start_hour):
    of = local_days(zone, day_start_hour)
    for minutes in range(-1500, 1500, 7):
        instant = change + timedelta(minutes=minutes)
        assert of(to_microseconds(instant)) == local_day(instant, zone, day_start_hour)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Asia"])
def test_an_unknown_zone_counts_as_the_default_one(zone):
    instant = datetime(2026, 11, 24, 17, tzinfo=UTC)
    assert local_days(zone, 4)(to_microseconds(instant)) == local_day(instant, FALLBACK_ZONE, 4)


@given(_instants)
def test_microseconds_and_instants_convert_both_ways(instant):
    assert to_instant(to_microseconds(instant)) == instant
    assert to_microseconds(EPOCH) == 0
