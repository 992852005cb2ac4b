"""SM-2 keeps its promises over all cards and answers."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs.card import CardState
from worker.srs.sm2 import EASE_MAX, EASE_MIN, MAX_INTERVAL, new_card, quality, review

_TODAY = date(2026, 11, 24)
_qualities = st.integers(0, 5)


def _reviewed_when_due(qualities, card=None):
    card = card or new_card(_TODAY)
    for q in qualities:
        card = review(card, q, card.due_on)
    return card


@st.composite
def _cards(draw):
    return _reviewed_when_due(draw(st.lists(_qualities, max_size=12)))


def test_good_answers_give_the_published_intervals():
    card, intervals = new_card(_TODAY), []
    for _ in range(5):
        card = review(card, 4, card.due_on)
        intervals.append(card.interval)
    assert intervals == [1, 6, 15, 38, 95]


def test_a_fraction_of_a_day_is_rounded_up():
    card = CardState("review", 6, 251, 2, 0, _TODAY)
    assert review(card, 4, _TODAY).interval == 16


@pytest.mark.parametrize(("q", "ease"), [(3, 236), (4, 250), (5, 260), (2, 250), (1, 250), (0, 250)])
def test_the_ease_factor_changes_by_the_formula_and_not_below_three(q, ease):
    assert review(new_card(_TODAY), q, _TODAY).ease == ease


@given(_cards(), st.integers(0, 2))
def test_a_failed_answer_starts_from_the_beginning_and_keeps_the_ease(card, q):
    after = review(card, q, _TODAY)
    assert (after.repetitions, after.interval, after.ease) == (0, 1, card.ease)
    assert after.due_on == _TODAY + timedelta(1)
    assert after.is_learning
    assert after.lapses == card.lapses + (card.state == "review")


@given(_cards(), _qualities, st.integers(-400, 400))
def test_a_review_is_never_scheduled_for_the_past(card, q, days):
    reviewed_on = card.due_on + timedelta(days)
    after = review(card, q, reviewed_on)
    assert after.due_on > reviewed_on
    if q >= 3:
        assert after.due_on >= card.due_on or card.state == "new"


@given(_cards(), st.lists(_qualities, max_size=60))
def test_ease_and_interval_stay_within_their_bounds(card, qualities):
    after = _reviewed_when_due(qualities, card)
    assert EASE_MIN <= after.ease <= EASE_MAX
    assert 0 <= after.interval <= MAX_INTERVAL
    assert after.lapses >= card.lapses


@given(_cards(), st.integers(3, 5), st.integers(3, 5))
def test_intervals_grow_while_answers_are_right(card, first, second):
    once = review(card, first, card.due_on)
    twice = review(once, second, once.due_on)
    assert twice.interval > once.interval or once.interval == MAX_INTERVAL


@given(_cards(), st.integers(3, 4))
def test_a_better_answer_never_gives_a_shorter_interval(card, q):
    assert review(card, q + 1, card.due_on).interval >= review(card, q, card.due_on).interval


@given(_cards(), st.integers(3, 5), st.integers(1, 50))
def test_a_right_answer_before_the_card_is_due_is_practice(card, q, days):
    if card.state != "new":
        assert review(card, q, card.due_on - timedelta(days)) is card


def test_a_new_card_is_ready_on_any_day():
    assert review(new_card(_TODAY), 4, _TODAY - timedelta(9)).due_on == _TODAY - timedelta(8)


def test_a_lapse_is_counted_once_until_the_item_is_in_review_again():
    card = _reviewed_when_due([4, 4, 1, 1, 0])
    assert (card.lapses, card.state) == (1, "relearning")
    assert _reviewed_when_due([4, 1], card).lapses == 2


def test_an_item_failed_before_it_was_ever_passed_has_no_lapse():
    assert (_reviewed_when_due([1, 1]).lapses, _reviewed_when_due([1, 1]).state) == (0, "learning")


def test_sixty_perfect_answers_stay_in_the_calendar():
    card = _reviewed_when_due([5] * 60)
    assert (card.interval, card.ease) == (MAX_INTERVAL, EASE_MAX)


@pytest.mark.parametrize(
    ("score", "is_blank", "time_spent_ms", "expected"),
    [
        (1.0, False, None, 4),
        (1.0, False, 0, 5),
        (1.0, False, 5_000, 5),
        (1.0, False, 5_001, 4),
        (1.0, False, 20_000, 4),
        (1.0, False, 20_001, 3),
        (0.5, False, 100, 2),
        (0.0001, False, None, 2),
        (0.0, False, 100, 1),
        (0.0, True, 100, 0),
    ],
)
def test_an_attempt_becomes_the_documented_quality(score, is_blank, time_spent_ms, expected):
    assert quality(score, is_blank, time_spent_ms, 10_000) == expected
