"""What may be done to a card beside answering it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs.card_actions import AUDIT_ACTIONS, BURY_DAYS_MAX, CardRow, InvalidActionError, apply, changes

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def row(**values):
    card = {"state": "review", "interval": 7, "ease": 230, "repetitions": 3, "lapses": 2, "step": 0}
    card |= {"next_review_date": TODAY, "due_at": None, "introduced_at": NOW - timedelta(90), "stability": 7.5}
    card |= {"difficulty": 5.5, "last_reviewed_at": NOW - timedelta(7), "is_suspended": False, "buried_until": None}
    return CardRow(**card | {"leech_at": None} | values)


def done(card, action, until=None):
    return apply(card, action, today=TODAY, until=until, now=NOW)


@given(
    st.sampled_from(list(AUDIT_ACTIONS)),
    st.sampled_from(["new", "learning", "review", "relearning"]),
    st.booleans(),
    st.sampled_from([None, TODAY - timedelta(1), TODAY, TODAY + timedelta(5)]),
    st.sampled_from([None, NOW]),
)
def test_an_action_taken_twice_changes_nothing_more(action, state, is_suspended, buried_until, leech_at):
    once = done(row(state=state, is_suspended=is_suspended, buried_until=buried_until, leech_at=leech_at), action)
    assert done(once, action) is once


def test_suspending_and_unsuspending_leave_the_schedule_alone():
    card = row()
    assert done(done(card, "suspend"), "unsuspend") == card


def test_unsuspending_a_leech_makes_it_none():
    assert done(row(is_suspended=True, leech_at=NOW), "unsuspend").leech_at is None


def test_a_card_is_buried_until_tomorrow_unless_a_day_is_given():
    assert done(row(), "bury").buried_until == TODAY + timedelta(1)
    assert done(row(), "bury", TODAY + timedelta(9)).buried_until == TODAY + timedelta(9)


@pytest.mark.parametrize("days", [0, -1, BURY_DAYS_MAX + 1])
def test_a_card_can_be_buried_for_a_year_at_most_and_not_into_the_past(days):
    with pytest.raises(InvalidActionError, match="until"):
        done(row(), "bury", TODAY + timedelta(days))


def test_a_day_goes_with_burying_alone():
    with pytest.raises(InvalidActionError, match="until"):
        done(row(), "suspend", TODAY + timedelta(1))


def test_a_reset_card_is_new_and_due_today_and_takes_no_attempt_from_before():
    card = done(row(buried_until=TODAY + timedelta(3)), "reset")
    assert (card.state, card.interval, card.ease, card.lapses, card.stability) == ("new", 0, 250, 0, None)
    assert (card.next_review_date, card.last_reviewed_at, card.buried_until) == (TODAY, NOW, None)


def test_a_reset_leaves_a_suspended_card_suspended():
    assert done(row(is_suspended=True), "reset").is_suspended


def test_the_changes_name_only_what_differs():
    before = row()
    assert changes(before, done(before, "suspend")) == ({"is_suspended": False}, {"is_suspended": True})
