"""A preview says what the answer then does."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.srs.answering import answer, fsrs_scheduler
from worker.srs.card import CardState
from worker.srs.preview import QUALITIES, preview
from worker.srs.sm2 import new_card

TODAY = date(2026, 11, 23)
FSRS = fsrs_scheduler(0.9)
REVIEW = CardState("review", 10, 250, 3, 0, TODAY, 0, 10.0, 5.0)


def shown(card, **values):
    return {
        one.scheduler: {outcome.grade: outcome for outcome in one.grades}
        for one in preview(card, TODAY, scheduler=FSRS, **{"last_on": TODAY - timedelta(10), "used": "fsrs"} | values)
    }


def test_the_learner_s_own_scheduler_comes_first():
    for used in ("sm2", "fsrs"):
        first, second = preview(REVIEW, TODAY, last_on=None, scheduler=FSRS, used=used)
        assert (first.scheduler, first.is_used, second.is_used) == (used, True, False)


def test_better_grades_never_give_shorter_intervals():
    for grades in shown(REVIEW).values():
        intervals = [grades[grade].interval_days for grade in ("again", "hard", "good", "easy")]
        assert intervals == sorted(intervals)


def test_a_new_card_shows_its_steps_and_its_first_interval():
    grades = shown(new_card(TODAY), last_on=None)["fsrs"]
    assert (grades["again"].state, grades["again"].interval_days) == ("learning", 0)
    assert (grades["easy"].state, grades["easy"].interval_days) == ("review", 8)


def test_a_step_that_ends_after_the_day_is_due_on_the_next_one():
    late = shown(new_card(TODAY), last_on=None, day_after=lambda _: TODAY + timedelta(1))
    assert late["fsrs"]["good"].due_on == TODAY + timedelta(1)


def test_an_answer_that_is_practice_says_so_and_leaves_the_day():
    early = CardState("review", 10, 250, 3, 0, TODAY + timedelta(4))
    outcome = shown(early)["sm2"]["good"]
    assert outcome.is_practice
    assert outcome.due_on == early.due_on


@pytest.mark.parametrize("grade", ["hard", "good", "easy"])
def test_the_fuzz_range_holds_the_exact_day(grade):
    outcome = shown(REVIEW)["fsrs"][grade]
    assert outcome.earliest_on <= outcome.due_on <= outcome.latest_on


@given(st.integers(1, 400), st.integers(130, 500), st.integers(0, 60), st.sampled_from(list(QUALITIES)))
def test_a_preview_is_what_the_answer_does(interval, ease, late, grade):
    card = CardState("review", interval, ease, 2, 0, TODAY - timedelta(late), 0, float(interval), 5.0)
    last_on = TODAY - timedelta(interval + late)
    for name, scheduler in (("sm2", None), ("fsrs", FSRS)):
        after = answer(card, QUALITIES[grade], TODAY, last_on=last_on, scheduler=scheduler)
        outcome = shown(card, last_on=last_on)[name][grade]
        assert (outcome.state, outcome.interval_days, outcome.due_on) == (after.state, after.interval, after.due_on)
