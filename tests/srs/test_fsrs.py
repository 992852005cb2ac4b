"""What stands around FSRS's model: steps, same-day reviews, bounds, fuzz, ratings."""

from datetime import date, timedelta
from random import Random
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fsrs_equality import TOLERANCE, compare
from worker.srs import fsrs
from worker.srs.card import CardState
from worker.srs.fsrs import InvalidSchedulerError, Scheduler, bounded_interval, fuzz_range, review
from worker.srs.sm2 import new_card
from worker.srs.spread import fuzzed

_DAY = date(2028, 2, 28)
_DEFAULT = Scheduler()

_ratings = st.sampled_from([1, 2, 3, 4])
_steps = st.lists(st.integers(1, 200_000), max_size=4).map(tuple)
_histories = st.lists(st.tuples(_ratings, st.integers(0, 400)), min_size=1, max_size=15)


@st.composite
def _schedulers(draw):
    first, last = sorted([draw(st.integers(1, 36_500)), draw(st.integers(1, 36_500))])
    return Scheduler(
        desired_retention=draw(st.floats(0.70, 0.99)),
        learning_steps_s=draw(_steps),
        relearning_steps_s=draw(_steps),
        minimum_interval=first,
        maximum_interval=last,
    )


def _by_chance(seed):
    generator = Random(seed)
    return lambda first, last, _exact: generator.randint(first, last)


def _fold(history, scheduler=_DEFAULT, choose=None):
    card = new_card(_DAY)
    for rating, elapsed in history:
        yield card, (card := review(card, rating, _DAY, elapsed_days=elapsed, scheduler=scheduler, choose=choose))


def _review_card(**values):
    return CardState(
        **{"state": "review", "interval": 10, "ease": 250, "repetitions": 3, "lapses": 0, "due_on": _DAY}
        | {"stability": 10.0, "difficulty": 5.0}
        | values
    )


def test_random_histories_come_out_as_from_py_fsrs():
    found = compare(2_000, seed=6)
    assert found.reviews > 15_000
    assert found.wrong_states == 0
    assert found.worst < TOLERANCE
    for ours, theirs, exact in found.due:
        assert abs(ours - theirs) == 1
        assert abs(exact % 1 - 0.5) < max(exact, 1) * 3e-6


@given(history=_histories, scheduler=_schedulers(), seed=st.integers())
def test_every_card_stays_within_its_bounds(history, scheduler, seed):
    for _, card in _fold(history, scheduler, _by_chance(seed)):
        assert card.stability > 0
        assert 1 <= card.difficulty <= 10
        assert card.due_on >= _DAY
        if card.state == "review":
            assert scheduler.minimum_interval <= card.interval <= scheduler.maximum_interval
            assert card.due_on == _DAY + timedelta(card.interval)
            assert card.step == 0
        else:
            assert card.interval == 0
            steps = scheduler.learning_steps_s if card.state == "learning" else scheduler.relearning_steps_s
            assert card.step < len(steps)


@given(history=_histories, scheduler=_schedulers())
def test_only_forgetting_a_card_in_review_counts_as_a_lapse(history, scheduler):
    for (before, after), (rating, _) in zip(_fold(history, scheduler), history, strict=True):
        assert after.lapses - before.lapses == (rating == fsrs.AGAIN and before.state == "review")


@given(elapsed=st.integers(0, 1000), stability=st.floats(0.01, 3000), difficulty=st.floats(1, 10))
def test_a_better_answer_never_comes_back_earlier(elapsed, stability, difficulty):
    card = _review_card(stability=stability, difficulty=difficulty)
    due = [review(card, rating, _DAY, elapsed_days=elapsed, scheduler=_DEFAULT).due_on for rating in (1, 2, 3, 4)]
    assert due == sorted(due)


@given(low=st.floats(0.70, 0.99), high=st.floats(0.70, 0.99), stability=st.floats(0.01, 3000))
def test_a_higher_desired_retention_never_lengthens_an_interval(low, high, stability):
    low, high = sorted([low, high])
    card = _review_card(stability=stability)
    intervals = [
        review(card, 3, _DAY, elapsed_days=5, scheduler=Scheduler(desired_retention=each)).interval
        for each in (low, high)
    ]
    assert intervals[0] >= intervals[1]


@given(interval=st.integers(1, 36_500), scheduler=_schedulers(), seed=st.integers())
def test_fuzz_stays_within_its_range_and_around_the_interval(interval, scheduler, seed):
    interval = bounded_interval(interval, scheduler)
    first, last = fuzz_range(interval, scheduler)
    assert scheduler.minimum_interval <= first <= interval <= last <= scheduler.maximum_interval
    assert last - first <= 2 + 2 * (0.15 * 4.5 + 0.1 * 13 + 0.05 * interval) + 1


def test_the_same_seed_gives_the_same_due_days_and_another_seed_others():
    history = [(3, 0), (3, 0), (3, 2), (3, 11), (3, 46), (3, 163)]

    def due(seed):
        return [card.due_on for _, card in _fold(history, choose=_by_chance(seed))]

    assert due(1) == due(1)
    assert len({tuple(due(seed)) for seed in range(20)}) > 1


def test_fuzz_reaches_every_day_of_its_range():
    card = _review_card()
    exact = review(card, 3, _DAY, elapsed_days=10, scheduler=_DEFAULT).interval
    first, last = fuzz_range(exact, _DEFAULT)
    seen = {
        review(card, 3, _DAY, elapsed_days=10, scheduler=_DEFAULT, choose=fuzzed(number.to_bytes(16))).interval
        for number in range(500)
    }
    assert seen == set(range(first, last + 1))


def test_fuzz_changes_no_memory_state():
    card = _review_card()
    plain = review(card, 3, _DAY, elapsed_days=10, scheduler=_DEFAULT)
    moved = review(card, 3, _DAY, elapsed_days=10, scheduler=_DEFAULT, choose=lambda _first, last, _exact: last)
    assert moved.interval > plain.interval
    assert (moved.stability, moved.difficulty) == (plain.stability, plain.difficulty)


def test_step_before_the_day_begins_is_due_on_the_day_its_delay_ends():
    after = review(
        new_card(_DAY), 3, _DAY, elapsed_days=0, scheduler=_DEFAULT, day_after=lambda s: _DAY + timedelta(s >= 600)
    )
    assert after.due_on == _DAY + timedelta(1)


def test_interval_over_a_leap_day_counts_it():
    after = review(_review_card(interval=2), 3, _DAY, elapsed_days=0, scheduler=Scheduler(maximum_interval=2))
    assert after.due_on == date(2028, 3, 1)


def test_negative_elapsed_days_count_as_the_same_day():
    """A learner who flew east to west lives a date twice."""
    card = _review_card()
    assert review(card, 3, _DAY, elapsed_days=-1, scheduler=_DEFAULT) == review(
        card, 3, _DAY, elapsed_days=0, scheduler=_DEFAULT
    )


def test_sm2s_ease_is_left_alone():
    assert {card.ease for _, card in _fold([(4, 0), (1, 9), (2, 0), (3, 4)])} == {250}


@pytest.mark.parametrize(("quality", "rating"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (5, 4)])
def test_each_quality_has_its_rating(quality, rating):
    assert fsrs.rating_of(quality) == rating


@pytest.mark.parametrize(
    ("state", "rating", "elapsed", "practice"),
    [
        ("review", 3, 0, True),
        ("review", 4, -1, True),
        ("review", 1, 0, False),
        ("review", 3, 1, False),
        ("learning", 3, 0, False),
        ("relearning", 3, 0, False),
        ("new", 3, 0, False),
    ],
)
def test_only_right_answers_on_the_day_of_a_review_are_practice(state, rating, elapsed, practice):
    assert fsrs.is_practice(_review_card(state=state), rating, elapsed) is practice


@pytest.mark.parametrize(
    "values",
    [
        {"desired_retention": 0.69},
        {"desired_retention": 1.0},
        {"parameters": (1.0,)},
        {"parameters": (float("nan"),) * 21},
        {"minimum_interval": 0},
        {"minimum_interval": 9, "maximum_interval": 8},
        {"maximum_interval": 36_501},
        {"learning_steps_s": (0,)},
    ],
)
def test_settings_outside_their_ranges_are_refused(values):
    with pytest.raises(InvalidSchedulerError):
        Scheduler(**values)


def test_scheduler_made_in_one_thread_works_in_another():
    cards = []
    thread = Thread(target=lambda: cards.extend(card for _, card in _fold([(3, 0)])))
    thread.start()
    thread.join()
    assert len(cards) == 1
