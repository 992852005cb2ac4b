"""The load of the coming days, from what is scheduled and the learner's limits."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.srs.forecast import Due, plan_load

TODAY = date(2026, 11, 23)


def load(due, new_cards=0, *, days=3, review_limit=200, new_limit=10):
    due_on = {TODAY + timedelta(number): Due(count, 0) for number, count in enumerate(due)}
    return plan_load(due_on, new_cards, today=TODAY, days=days, review_limit=review_limit, new_limit=new_limit)


def test_days_without_cards_are_there_with_zeros():
    assert [(day.on, day.due, day.review) for day in load([4, 0, 2])] == [
        (TODAY, 4, 4),
        (TODAY + timedelta(1), 0, 0),
        (TODAY + timedelta(2), 2, 2),
    ]


def test_what_the_review_limit_leaves_over_waits_for_the_next_days():
    assert [(day.backlog, day.review) for day in load([250, 30, 0], review_limit=100)] == [
        (0, 100),
        (150, 100),
        (80, 80),
    ]


def test_new_cards_come_by_the_limit_until_the_deck_has_none():
    assert [day.new for day in load([], 25)] == [10, 10, 5]


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=60),
    st.integers(0, 500),
    st.integers(0, 300),
    st.integers(0, 50),
)
def test_no_card_is_lost_and_no_limit_exceeded(due, new_cards, review_limit, new_limit):
    days = load(due, new_cards, days=len(due), review_limit=review_limit, new_limit=new_limit)
    done = sum(day.review for day in days)
    left = days[-1].backlog + days[-1].due - days[-1].review
    assert done + left == sum(due)
    assert all(day.review <= review_limit and day.new <= new_limit for day in days)
    assert sum(day.new for day in days) <= new_cards
