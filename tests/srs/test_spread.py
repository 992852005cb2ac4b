"""Fuzz and balancing: where in its range a card comes back; and which lapse makes a leech."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs.fsrs import Scheduler, fuzz_range
from worker.srs.leeches import becomes_leech
from worker.srs.spread import balanced, fuzzed

DAY = date(2026, 11, 24)  # a Tuesday
loads = st.dictionaries(st.integers(0, 4_000).map(lambda days: DAY + timedelta(days)), st.integers(-1, 99))
weights = st.lists(st.sampled_from([0, 1, 50, 100]), min_size=7, max_size=7).filter(any)


@given(exact=st.integers(1, 36_500), seed=st.binary(max_size=20))
def test_chance_stays_within_the_range(exact, seed):
    first, last = fuzz_range(exact, Scheduler())
    assert first <= fuzzed(seed)(first, last, exact) <= last


@given(exact=st.integers(1, 2_000), load=loads, weekday_weights=weights)
def test_balancing_stays_within_the_range_and_takes_no_fuller_day(exact, load, weekday_weights):
    first, last = fuzz_range(exact, Scheduler())
    chosen = balanced(DAY, load, weekday_weights)(first, last, exact)
    assert first <= chosen <= last

    def burden(interval):
        day = DAY + timedelta(interval)
        weight = weekday_weights[day.weekday()]
        return (load.get(day, 0) + 1) / weight if weight else float("inf")

    assert burden(chosen) == min(burden(interval) for interval in range(first, last + 1))


def test_of_equal_days_the_nearest_to_the_exact_one_is_taken():
    assert balanced(DAY, {})(8, 12, 10) == 10
    assert balanced(DAY, {DAY + timedelta(10): 1})(8, 12, 10) == 9


def test_a_day_of_half_weight_takes_half_the_cards():
    load: dict[date, int] = {}
    choose = balanced(DAY, load, [100, 50, 100, 100, 100, 100, 100])
    for _ in range(30):
        due = DAY + timedelta(choose(13, 14, 13))  # a Monday and a Tuesday
        load[due] = load.get(due, 0) + 1
    assert sorted(load.values()) == [10, 20]


def test_range_without_any_day_wished_leaves_the_card_where_it_is():
    assert balanced(DAY, {}, [0] * 6 + [100])(2, 4, 3) == 3
    assert balanced(DAY, {}, vacation=(DAY, DAY + timedelta(30)))(8, 12, 10) == 10


@pytest.mark.parametrize(("threshold", "leeches"), [(8, [8, 12, 16]), (7, [7, 11, 15]), (1, [*range(1, 17)]), (0, [])])
def test_leeches_come_at_the_threshold_and_each_half_of_it_after(threshold, leeches):
    assert [lapses for lapses in range(17) if becomes_leech(lapses, threshold)] == leeches
