"""True retention, workload and streak."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs.study import Streak, StudyDay, retention, streak, workload

TODAY = date(2026, 11, 23)


def ago(days):
    return TODAY - timedelta(days)


def studied(days_ago, **values):
    zeros = dict.fromkeys(StudyDay._fields[1:], 0)
    return StudyDay(ago(days_ago), **zeros | values)


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        ([], Streak(0, 0, None)),
        ([0], Streak(1, 1, TODAY)),
        ([1, 2], Streak(2, 2, ago(1))),
        ([2, 3, 4], Streak(0, 3, ago(2))),
        ([0, 1, 5, 6, 7, 8], Streak(2, 4, TODAY)),
        ([-1, 0, 1], Streak(3, 3, ago(-1))),
    ],
    ids=["never", "today", "not yet today", "broken", "a longer one before", "over the date line"],
)
def test_a_streak_counts_days_in_a_row_up_to_today_or_yesterday(days_ago, expected):
    assert streak([ago(days) for days in days_ago], TODAY) == expected


@given(st.sets(st.integers(0, 60)))
def test_the_present_streak_is_never_above_the_longest(days_ago):
    found = streak([ago(days) for days in days_ago], TODAY)
    assert found.current <= found.longest <= len(days_ago)
    assert (found.current > 0) == bool(days_ago & {0, 1})


def test_true_retention_tells_mature_items_apart():
    days = [studied(1, reviews=10, recalled=7, mature_reviews=4, mature_recalled=4), studied(0, reviews=2, recalled=2)]
    assert retention(days).retention == 0.75
    assert retention(days, mature=True).retention == 1
    assert retention(days, mature=False).retention == 0.625


def test_without_reviews_there_is_no_retention():
    assert retention([studied(0, answers=9, new=9)]).retention is None


def test_the_workload_has_every_day_and_today_last():
    found = workload([studied(1, answers=20, time_spent_ms=90_000, reviews=5, new=15)], today=TODAY, last=3)
    assert [(day.on, day.answers, day.minutes) for day in found] == [(ago(2), 0, 0), (ago(1), 20, 1.5), (TODAY, 0, 0)]
