"""The rules of the queue, one by one, in plain Python."""

from datetime import date, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs.queue_policy import QueueCard, QueueRules, choose_cards, mixed, reviews_of_the_day

TODAY = date(2026, 11, 24)
_numbers = count(1)


def card(overdue=0, **values):
    values = {"id": UUID(int=next(_numbers)), "state": "review", "interval": 10} | values
    return QueueCard(due_on=TODAY - timedelta(overdue), **values)


def new(**values):
    return card(**{"state": "new", "interval": 0} | values)


def learning(**values):
    return card(**{"state": "learning", "interval": 0} | values)


def asked(cards, today=TODAY, **rules):
    return choose_cards(cards, QueueRules(**rules), today).card_ids


def ids(*cards):
    return [each.id for each in cards]


# --- which cards, which first ---


def test_learning_and_relearning_come_first_then_reviews_then_new_cards():
    cards = [new(), card(overdue=9), learning(), learning(state="relearning")]
    assert asked(cards) == ids(cards[2], cards[3], cards[1], cards[0])


@pytest.mark.parametrize("kind", [card, new, learning])
def test_suspended_cards_and_cards_buried_beyond_today_are_left_out(kind):
    tomorrow = TODAY + timedelta(1)
    assert asked([kind(is_suspended=True), kind(buried_until=tomorrow), kind(overdue=-1)]) == []
    back = kind(buried_until=TODAY)
    assert asked([back]) == ids(back)


def test_reviews_come_by_overdueness_in_their_intervals():
    cards = [card(overdue=10, interval=100), card(overdue=2, interval=4), card(overdue=3, interval=3)]
    assert asked(cards) == ids(cards[2], cards[1], cards[0])


def test_reviews_come_by_lowest_or_highest_retrievability_where_the_learner_wishes():
    nearly_gone = card(overdue=5, interval=10, stability=5.0)
    fresh = card(overdue=5, interval=10, stability=40.0)
    as_sm2_left_it = card(overdue=5, interval=10)
    cards = [fresh, nearly_gone, as_sm2_left_it]
    assert asked(cards, review_order="lowest_retrievability") == ids(nearly_gone, as_sm2_left_it, fresh)
    assert asked(cards, review_order="highest_retrievability") == ids(fresh, as_sm2_left_it, nearly_gone)


def test_ties_go_by_due_day_then_by_id():
    later, second, first = card(overdue=1, interval=2), card(overdue=2, interval=4), card(overdue=2, interval=4)
    second, first = sorted([second, first], key=lambda each: each.id, reverse=True)
    assert asked([later, second, first]) == ids(first, second, later)


def test_new_cards_may_be_mixed_in_evenly():
    reviews, fresh = [card() for _ in range(6)], [new() for _ in range(2)]
    first = learning()
    a, b, c, d, e, f = reviews
    assert asked([*reviews, *fresh, first], new_order="mixed") == ids(first, a, b, fresh[0], c, d, fresh[1], e, f)


@given(reviews=st.integers(0, 30), fresh=st.integers(0, 30))
def test_mixing_keeps_both_orders_and_spreads_evenly(reviews, fresh):
    old, young = [card() for _ in range(reviews)], [new() for _ in range(fresh)]
    both = mixed(old, young)
    assert [each for each in both if each.state == "review"] == old
    assert [each for each in both if each.state == "new"] == young
    for number, each in enumerate(young, start=1):
        before = sum(other.state == "review" for other in both[: both.index(each)])
        assert abs(before - number * (reviews + 1) / (fresh + 1)) <= 1


# --- how many ---


def test_limits_cut_the_end_and_what_was_done_today_counts_for_them():
    cards = [learning(), card(overdue=2), card(overdue=1), *(new() for _ in range(3))]
    assert len(asked(cards, review_limit=2, new_limit=1)) == 3
    chosen = choose_cards(cards, QueueRules(review_limit=4, reviewed=2, new_limit=3, introduced=1), TODAY)
    assert (chosen.learning, chosen.review, chosen.new, chosen.overdue_total) == (1, 1, 2, 3)
    assert asked(cards, review_limit=1, reviewed=5, new_limit=1, introduced=5) == []


# --- siblings ---


def test_of_siblings_only_the_first_comes_and_the_others_another_day():
    first, second, other = card(overdue=3, family="go"), card(overdue=2, family="go"), card(family="come")
    young, only = new(family="go"), new()
    assert asked([young, only, second, other, first]) == ids(first, other, only)


def test_siblings_of_a_card_in_learning_wait_and_learning_never_does():
    both = learning(family="go"), learning(family="go")
    assert asked([*both, card(family="go"), new(family="go")]) == ids(*both)


def test_siblings_of_what_was_reviewed_today_wait():
    done = card(overdue=-9, family="go", reviewed_today=True)
    assert asked([done, card(family="go"), new(family="go")]) == []


def test_a_buried_siblings_place_goes_to_another():
    cards = [card(overdue=9, family="go"), card(overdue=8, family="go"), card(overdue=1)]
    assert asked(cards, review_limit=2) == ids(cards[0], cards[2])


# --- backlog ---


def test_a_backlog_is_spread_over_days_the_most_valuable_first():
    overdue = [card(overdue=5 + number, interval=10, stability=10.0) for number in range(210)]
    today = card(interval=10, stability=10.0)
    shown = asked([*overdue, today])
    assert len(shown) == 1 + 210 // 7
    assert shown == ids(today, *overdue[:30])


def test_a_backlog_of_up_to_a_days_goal_is_done_at_once_in_the_usual_order():
    cards = [card(overdue=1 + number, interval=10) for number in range(20)]
    assert asked(cards) == ids(*reversed(cards))
    assert len(asked(cards, daily_goal=5, backlog_days=10)) == 5


def test_backlog_of_one_day_comes_all_at_once():
    cards = [card(overdue=1 + number) for number in range(100)]
    assert len(asked(cards, backlog_days=1)) == 100


@given(overdue=st.integers(0, 2_000), days=st.integers(1, 60), goal=st.integers(0, 100))
def test_a_learner_who_does_each_days_share_clears_any_backlog(overdue, days, goal):
    rules = QueueRules(backlog_days=days, daily_goal=goal)
    spent = 0
    while overdue:
        share = reviews_of_the_day([card(overdue=1)] * overdue, rules, TODAY)
        assert 1 <= share <= max(-(-overdue // days), goal)
        overdue -= share
        spent += 1
    assert spent <= 60 * 9


# --- vacation ---


@pytest.mark.parametrize(("day", "cards"), [(-3, 1), (-2, 0), (0, 0), (2, 0), (3, 1)])
def test_vacation_days_have_an_empty_queue(day, cards):
    vacation = TODAY - timedelta(2), TODAY + timedelta(2)
    chosen = choose_cards([card(overdue=9)], QueueRules(vacation=vacation), TODAY + timedelta(day))
    assert (len(chosen.card_ids), chosen.overdue_total) == (cards, cards)
