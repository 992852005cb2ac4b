"""An answer moves a card by the scheduler of its learner, whichever scheduled it before."""

from datetime import date, timedelta

import pytest

from worker.srs import fsrs, sm2
from worker.srs.answering import answer, fsrs_scheduler
from worker.srs.card import CardState

_DAY = date(2026, 11, 24)
_FSRS = fsrs_scheduler(0.9)


def _answer(card, quality, *, scheduler=_FSRS, last_on=None, on=_DAY, choose=None):
    return answer(card, quality, on, last_on=last_on, scheduler=scheduler, choose=choose)


def _card(**values):
    card = {"state": "review", "interval": 10, "ease": 230, "repetitions": 3, "lapses": 0, "due_on": _DAY}
    return CardState(**card | values)


@pytest.mark.parametrize("quality", range(6))
def test_without_fsrs_it_is_sm2(quality):
    assert _answer(_card(), quality, scheduler=None) == sm2.review(_card(), quality, _DAY)


def test_practice_under_sm2_returns_the_same_card_also_when_fsrs_scheduled_it_before():
    card = _card(due_on=_DAY + timedelta(3), stability=10.0, difficulty=5.0)
    assert _answer(card, 4, scheduler=None) is card


def test_practice_under_fsrs_returns_the_same_card_also_when_sm2_scheduled_it_before():
    card = _card()
    assert _answer(card, 4, last_on=_DAY) is card


def test_sm2_forgets_the_memory_state():
    after = _answer(_card(stability=10.0, difficulty=5.0, step=0), 4, scheduler=None)
    assert (after.interval, after.stability, after.difficulty) == (23, None, None)


def test_fsrs_converts_what_sm2_left():
    after = _answer(_card(), 4, last_on=_DAY - timedelta(10))
    assert after.stability > 10
    assert after.ease == 230


def test_days_since_the_last_review_are_local_days():
    card = _card(stability=10.0, difficulty=5.0)
    after = _answer(card, 4, last_on=_DAY - timedelta(12))
    assert after == fsrs.review(card, 3, _DAY, elapsed_days=12, scheduler=_FSRS)


def test_the_same_settings_give_the_same_scheduler():
    assert fsrs_scheduler(0.9) is fsrs_scheduler(0.9)
