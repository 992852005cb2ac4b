"""A card that changes its scheduler goes on where it is."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs import conversion, fsrs, sm2
from worker.srs.card import CardState
from worker.srs.fsrs import Scheduler

_DAY = date(2026, 11, 24)
_DEFAULT = Scheduler()


def _sm2_card(state="review", interval=10, ease=250, repetitions=3):
    return CardState(state, interval, ease, repetitions, 1, _DAY)


@given(
    state=st.sampled_from(["learning", "review", "relearning"]),
    interval=st.integers(0, 36_500),
    ease=st.integers(130, 500),
)
def test_every_sm2_card_gets_a_memory_state_within_bounds_and_stays_due_when_it_was(state, interval, ease):
    card = _sm2_card(state, interval, ease)
    converted = conversion.from_sm2(card, _DEFAULT)
    assert 0 < converted.stability <= 36_500
    assert 1 <= converted.difficulty <= 10
    assert conversion.to_sm2(converted) == card
    assert (converted.due_on, converted.interval, converted.ease) == (card.due_on, card.interval, card.ease)


def test_at_the_retention_of_sm2_stability_is_the_interval():
    assert conversion.from_sm2(_sm2_card(interval=40), _DEFAULT).stability == pytest.approx(40, rel=1e-6)


def test_the_easier_the_card_the_lower_its_difficulty():
    difficulties = [conversion.from_sm2(_sm2_card(ease=ease), _DEFAULT).difficulty for ease in (130, 200, 250, 300)]
    assert difficulties == sorted(difficulties, reverse=True)


def test_new_card_is_left_alone():
    card = sm2.new_card(_DAY)
    assert conversion.from_sm2(card, _DEFAULT) is card


def test_card_with_a_memory_state_is_left_alone():
    card = conversion.from_sm2(_sm2_card(), _DEFAULT)
    assert conversion.from_sm2(card, _DEFAULT) is card


def test_card_of_sm2_is_left_alone_on_the_way_back():
    card = _sm2_card()
    assert conversion.to_sm2(card) is card


def test_there_and_back_is_the_same_card():
    card = _sm2_card()
    assert conversion.to_sm2(conversion.from_sm2(card, _DEFAULT)) == card


def test_sm2_multiplies_the_interval_that_fsrs_left():
    card = fsrs.review(sm2.new_card(_DAY), 4, _DAY, elapsed_days=0, scheduler=_DEFAULT)
    after = sm2.review(conversion.to_sm2(card), 4, card.due_on)
    assert after.interval == card.interval * 250 // 100
