"""The page about memory and workload: of a learner, of a cohort, and of nobody."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.factories import make_attempt, make_card, make_question, make_stats, make_user
from worker.srs.prediction import Prediction
from worker.srs.report.data import UnknownLearnerError, gather, of_cohort, of_learner
from worker.srs.report.page import render
from worker.srs.report.statistics import GROUP_LEAST, groups, share

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


def learner_with_history(database, **values):
    user_id = make_user(database, **values)
    make_stats(database, user_id=user_id, attempts=80, correct=60)
    for number in range(30):
        question_id = make_question(database)
        due_on = NOW.date() + timedelta(number - 5)
        make_card(
            database, user_id=user_id, item_id=question_id, next_review_date=due_on, stability=9.0, difficulty=5.0
        )
        for days_ago in (40, 20, 3):
            at = NOW - timedelta(days=days_ago, minutes=number)
            make_attempt(database, user_id=user_id, question_id=question_id, attempted_at=at, score=int(number % 5 > 0))
    return user_id


def page_of(database, subject, **values):
    return render(gather(database, subject, days=60, now=NOW), **values)


def test_a_learner_s_page_shows_four_plots_with_their_sample_sizes(database):
    user_id = learner_with_history(database)
    page = page_of(database, of_learner(database, user_id, NOW))
    assert page.count('<svg role="img"') == 4
    assert str(user_id) in page
    assert "n = 30" in page
    assert "48 of 60 reviews recalled" in page


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_page_loads_nothing_and_runs_nothing(database, language):
    page = page_of(database, of_learner(database, learner_with_history(database), NOW), language=language)
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert not re.search(r"<script|<link|<img|@import|src=|https?://", without_names)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_learner_without_history_gets_a_page_that_says_so(database):
    page = page_of(database, of_learner(database, make_user(database), NOW))
    assert "<svg" not in page
    assert page.count('class="empty"') == 4


def test_a_cohort_holds_its_learners_and_no_others(database):
    fsrs = learner_with_history(database, scheduler="fsrs")
    learner_with_history(database, scheduler="sm2")
    subject = of_cohort(database, "fsrs", 1_000, NOW.date())
    assert fsrs in subject.user_ids
    assert len(of_cohort(database, "all", 1_000, NOW.date()).user_ids) == len(subject.user_ids) + 1
    assert "learners on FSRS" in page_of(database, subject)


def test_a_sample_is_the_same_each_time_and_tells_how_many_there_are(database):
    for _ in range(5):
        make_stats(database, attempts=1, correct=0)
    first, second = (of_cohort(database, "all", 3, NOW.date()) for _ in range(2))
    assert first == second
    assert (len(first.user_ids), first.learners) == (3, 5)


def test_an_unknown_learner_has_no_page(database):
    with pytest.raises(UnknownLearnerError):
        of_learner(database, uuid4(), NOW)


def test_an_interval_of_confidence_stays_within_bounds_for_small_samples():
    assert share(0, 3).low == 0
    assert share(3, 3).high == 1
    assert share(90, 100).low < 0.9 < share(90, 100).high


def test_predictions_are_grouped_evenly_and_not_at_all_if_there_are_too_few():
    many = [Prediction(place, place / 400, place % 2 == 0, 3, 2, 0) for place in range(400)]
    assert [group.recalled.n for group in groups(many)] == [40] * 10
    assert groups(many[: GROUP_LEAST - 1]) == []
