"""A learner's statistics over the API."""

from datetime import UTC, date, datetime, timedelta

import pytest
from freezegun import freeze_time

from tests.factories import make_attempt, make_card, make_question, make_user

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)  # in Jakarta
TODAY = date(2026, 11, 23)


@pytest.fixture
def user_id(committed):
    return make_user(committed, timezone="Asia/Jakarta", day_start_hour=4)


@pytest.fixture
def attempt(committed, user_id):
    def make(question_id, days_ago, score=1, **values):
        at = values.pop("attempted_at", NOON - timedelta(days=days_ago))
        return make_attempt(committed, user_id=user_id, question_id=question_id, attempted_at=at, score=score, **values)

    return make


def statistics(api, user_id, **query):
    with freeze_time(NOON, real_asyncio=True):
        answer = api.client.get(f"/v1/users/{user_id}/statistics", params=query)
    assert answer.status_code == 200
    return answer.json()


def test_a_learner_who_did_nothing_has_zeros(api, user_id):
    found = statistics(api, user_id)
    assert found["streak"] == {"current": 0, "longest": 0, "last_studied_on": None}
    assert found["retention"] == {"reviews": 0, "recalled": 0, "retention": None}
    assert len(found["workload"]) == 30
    assert found["cards"]["total"] == 0


def test_true_retention_counts_the_first_answer_of_a_later_day(api, committed, user_id, attempt):
    question_id = make_question(committed)
    attempt(question_id, 25)
    attempt(question_id, 25, 0)  # the same day: practice, whatever its outcome
    attempt(question_id, 3, 0)
    attempt(question_id, 3, attempted_at=NOON - timedelta(days=3) + timedelta(minutes=5))
    attempt(question_id, 0)
    found = statistics(api, user_id)
    assert found["retention"] == {"reviews": 2, "recalled": 1, "retention": 0.5}
    assert found["retention_mature"] == {"reviews": 1, "recalled": 0, "retention": 0.0}
    assert found["retention_young"] == {"reviews": 1, "recalled": 1, "retention": 1.0}


def test_days_are_the_learner_s_and_the_streak_counts_them(api, committed, user_id, attempt):
    question_id = make_question(committed)
    day_start = datetime(2026, 11, 22, 21, tzinfo=UTC)  # 04:00 in Jakarta: today begins
    for number in range(3):
        attempt(question_id, 0, attempted_at=day_start - timedelta(days=number))
    attempt(question_id, 0, attempted_at=day_start - timedelta(seconds=1), time_spent_ms=30_000)
    found = statistics(api, user_id, days=2)
    assert found["streak"]["current"] == 3
    assert [(day["on"], day["answers"]) for day in found["workload"]] == [("2026-11-22", 2), ("2026-11-23", 1)]
    assert found["answers_per_day"] == 1.5


def test_cards_are_counted_by_state(api, committed, user_id):
    for values in (
        {"state": "new", "interval": 0},
        {"state": "learning", "interval": 0},
        {"state": "relearning", "interval": 1},
        {"interval": 20},
        {"interval": 21, "buried_until": TODAY + timedelta(1)},
        {"is_suspended": True, "leech_at": NOON},
    ):
        make_card(committed, user_id=user_id, **{"next_review_date": TODAY} | values)
    assert statistics(api, user_id)["cards"] == {
        "total": 6,
        "new": 1,
        "learning": 1,
        "relearning": 1,
        "young": 1,
        "mature": 1,
        "suspended": 1,
        "buried": 1,
        "leeches": 1,
        "due": 3,
    }
