"""Local days in every zone there is: one after the other, whole, and beginning on a quarter of an hour."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

from hypothesis import example, given
from hypothesis import strategies as st

from worker.clock import local_day, local_day_start

DAY = timedelta(days=1)
ZONES = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
zones = st.sampled_from(ZONES)
hours = st.integers(0, 23)
instants = st.datetimes(
    min_value=datetime(2015, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2036, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(at=instants, zone=zones, hour=hours)
@example(at=datetime(2028, 2, 29, 12, tzinfo=UTC), zone="Asia/Jakarta", hour=4)
def test_every_instant_belongs_to_one_day_which_has_begun(at, zone, hour):
    day = local_day(at, zone, hour)
    assert local_day_start(day, zone, hour) <= at
    assert at < local_day_start(day + DAY, zone, hour) + timedelta(hours=2)  # told twice where clocks go back over it


@given(at=instants, zone=zones, hour=hours)
def test_days_follow_each_other_and_none_is_lost_or_double(at, zone, hour):
    day = local_day(at, zone, hour)
    starts = [local_day_start(day + number * DAY, zone, hour) for number in range(3)]
    for start, following in pairwise(starts):
        assert timedelta(hours=21) <= following - start <= timedelta(hours=27)


@given(at=instants, later=st.timedeltas(timedelta(0), timedelta(hours=20)), zone=zones, hour=hours)
def test_two_instants_within_twenty_hours_are_on_the_same_day_or_neighbours(at, later, zone, hour):
    assert (local_day(at + later, zone, hour) - local_day(at, zone, hour)).days in (-1, 0, 1)


@given(at=instants, later=st.timedeltas(timedelta(0), timedelta(days=3)), before=zones, after=zones, hour=hours)
def test_a_change_of_zone_moves_the_date_by_a_day_at_most_either_way(at, later, before, after, hour):
    there = local_day(at + later, after, hour)
    assert abs((there - local_day(at + later, before, hour)).days) <= 1 + 1
    # Read in the present zone, study days are as far apart as they are lived: no gap and no double day by travelling.
    assert abs((there - local_day(at, after, hour)).days - later / DAY) < 1 + 3 / 24


@given(day=st.dates(date(2026, 1, 1), date(2030, 12, 31)), zone=zones, hour=hours)
def test_days_begin_on_a_quarter_of_an_hour_so_the_job_is_never_late(day, zone, hour):
    assert local_day_start(day, zone, hour).timestamp() % 900 == 0


@given(zone=zones, hour=hours)
def test_leap_day_is_a_day(zone, hour):
    days = [local_day(local_day_start(date(2028, 2, 28) + number * DAY, zone, hour), zone, hour) for number in range(3)]
    assert days == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
