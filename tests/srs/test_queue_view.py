"""Why a card stands in a queue, and when it has left it."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from worker.srs.queue_view import DueReason, LearningReason, NewReason, OverdueReason, StoredCard, view

TODAY = date(2026, 11, 23)
BUILT_AT = datetime(2026, 11, 22, 21, 5, tzinfo=UTC)


def stored(**values):
    card = {"state": "review", "interval": 8, "next_review_date": TODAY, "is_suspended": False, "buried_until": None}
    card |= {"last_reviewed_at": BUILT_AT - timedelta(days=8), "item_type": "question", "item_id": uuid4()}
    return StoredCard(place=1, card_id=uuid4(), **card | values)


def seen(**values):
    return view(stored(**values), local_date=TODAY, built_at=BUILT_AT)


def test_a_card_due_today_says_so():
    assert seen().reasons == [DueReason(TODAY, 0)]


def test_a_card_overdue_says_since_when_and_how_many_of_its_intervals():
    due_on = TODAY - timedelta(4)
    assert seen(next_review_date=due_on).reasons == [OverdueReason(0.5), DueReason(due_on, 4)]


@pytest.mark.parametrize(("state", "is_relearning"), [("learning", False), ("relearning", True)])
def test_a_card_being_learnt_says_that_first(state, is_relearning):
    assert seen(state=state, interval=0).reasons == [LearningReason(is_relearning), DueReason(TODAY, 0)]


def test_a_new_card_is_new_and_nothing_else():
    assert seen(state="new", interval=0, next_review_date=TODAY - timedelta(9)).reasons == [NewReason()]


@pytest.mark.parametrize(
    ("values", "left_by"),
    [
        ({"next_review_date": TODAY + timedelta(8), "last_reviewed_at": BUILT_AT + timedelta(hours=1)}, "answered"),
        ({"is_suspended": True}, "suspended"),
        ({"buried_until": TODAY + timedelta(1)}, "buried"),
        ({"next_review_date": None, "state": None}, "removed"),
        ({"buried_until": TODAY}, None),
        ({"state": "relearning", "interval": 0, "last_reviewed_at": BUILT_AT + timedelta(hours=1)}, None),
        ({"state": "new", "last_reviewed_at": BUILT_AT + timedelta(hours=1)}, None),
    ],
    ids=["answered", "suspended", "buried", "removed", "back from burial", "failed: comes again", "reset"],
)
def test_a_card_that_need_not_be_shown_any_more_says_why(values, left_by):
    card = seen(**values)
    assert card.left_by == left_by
    assert bool(card.reasons) == (left_by is None)
