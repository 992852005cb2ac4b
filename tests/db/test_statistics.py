from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from freezegun import freeze_time
from sqlalchemy import event

from tests.factories import make_attempt, make_card, make_question, make_stats, make_user
from worker.db import DatabaseUtils
from worker.db.statistics import Tally, UnknownUserError, get_user_statistics

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # ten in the morning in Jakarta
TODAY = date(2026, 11, 24)


@pytest.fixture
def rows(database_url):
    """Insert rows that the session of the test sees."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


async def test_a_learner_without_any_history_has_zeros_everywhere(rows, committed):
    found = await get_user_statistics(session=committed, user_id=make_user(rows), at=NOW)
    assert found.total == Tally(0, 0, 0)
    assert found.total.accuracy is None
    assert found.by_level == dict.fromkeys(["A1", "A2", "B1", "B2"], Tally(0, 0, 0))
    assert set(found.by_skill) == {"grammar", "vocabulary", "reading", "listening", "writing", "speaking"}
    assert found.cards_by_state == {"new": 0, "learning": 0, "review": 0, "relearning": 0}
    assert (found.due_today, found.lessons_started, found.lessons_completed, found.last_attempted_at) == (0, 0, 0, None)


async def test_totals_come_from_the_counters(rows, committed):
    user = make_user(rows)
    make_stats(
        rows, user_id=user, attempts=10, correct=7, time_spent_ms=90_000, lessons_started=3, lessons_completed=2,
        last_attempted_at=NOW,
    )  # fmt: skip
    found = await get_user_statistics(session=committed, user_id=user, at=NOW)
    assert (found.total, found.total.accuracy) == (Tally(10, 7, 90_000), 0.7)
    assert (found.lessons_started, found.lessons_completed, found.last_attempted_at) == (3, 2, NOW)


async def test_attempts_are_summed_by_skill_and_by_level(rows, committed):
    user = make_user(rows)
    for skill, level, score, time_spent_ms in [
        ("grammar", "A1", 1, 1_000),
        ("grammar", "B1", Decimal("0.5"), 2_000),
        ("vocabulary", "A1", 0, None),
    ]:
        question = make_question(rows, skill=skill, level=level)
        make_attempt(rows, user_id=user, question_id=question, score=Decimal(score), time_spent_ms=time_spent_ms)
    make_attempt(rows)  # somebody else's
    found = await get_user_statistics(session=committed, user_id=user, at=NOW)
    assert {skill: tally for skill, tally in found.by_skill.items() if tally.attempts} == {
        "grammar": Tally(2, 1, 3_000),
        "vocabulary": Tally(1, 0, 0),
    }
    assert {level: tally for level, tally in found.by_level.items() if tally.attempts} == {
        "A1": Tally(2, 1, 1_000),
        "B1": Tally(1, 0, 2_000),
    }


async def test_cards_are_counted_by_state_and_those_due_today(rows, committed):
    user = make_user(rows)
    make_card(rows, user_id=user, state="review", next_review_date=TODAY)
    make_card(rows, user_id=user, state="review", next_review_date=TODAY - timedelta(days=9))
    make_card(rows, user_id=user, state="learning", next_review_date=TODAY)
    make_card(rows, user_id=user, state="review", next_review_date=TODAY + timedelta(days=1))
    make_card(rows, user_id=user, state="relearning", next_review_date=TODAY, is_suspended=True)
    make_card(rows, user_id=user, state="new", next_review_date=TODAY)
    make_card(rows, next_review_date=TODAY)  # somebody else's
    found = await get_user_statistics(session=committed, user_id=user, at=NOW)
    assert found.cards_by_state == {"new": 1, "learning": 1, "review": 3, "relearning": 1}
    assert (found.due_today, found.cards_suspended) == (3, 1)


@pytest.mark.parametrize(
    ("timezone", "day_start_hour", "at", "local_day"),
    [
        ("Asia/Jakarta", 4, datetime(2026, 11, 23, 20, 59, tzinfo=UTC), date(2026, 11, 23)),
        ("Asia/Jakarta", 4, datetime(2026, 11, 23, 21, 0, tzinfo=UTC), date(2026, 11, 24)),
        ("Asia/Jakarta", 0, datetime(2026, 11, 23, 17, 0, tzinfo=UTC), date(2026, 11, 24)),
        ("Asia/Jayapura", 4, datetime(2026, 11, 23, 19, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
async def test_today_is_the_learners_local_day(rows, committed, timezone, day_start_hour, at, local_day):
    user = make_user(rows, timezone=timezone, day_start_hour=day_start_hour)
    make_card(rows, user_id=user, next_review_date=date(2026, 11, 24))
    found = await get_user_statistics(session=committed, user_id=user, at=at)
    assert (found.local_day, found.due_today) == (local_day, int(local_day == date(2026, 11, 24)))


async def test_the_present_decides_when_no_instant_is_given(rows, committed):
    user = make_user(rows)
    with freeze_time("2027-03-01T12:00:00Z", real_asyncio=True):
        found = await get_user_statistics(session=committed, user_id=user)
    assert found.local_day == date(2027, 3, 1)


async def test_three_queries_whatever_the_history(rows, committed):
    user = make_user(rows)
    for _ in range(5):
        make_attempt(rows, user_id=user)
        make_card(rows, user_id=user)
    statements = []
    event.listen(committed.bind.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await get_user_statistics(session=committed, user_id=user, at=NOW)
    assert len(statements) == 3


async def test_an_unknown_user_is_an_error_with_the_id(committed):
    user = uuid4()
    with pytest.raises(UnknownUserError, match=f"there is no user {user}") as caught:
        await DatabaseUtils.get_user_statistics(session=committed, user_id=user)
    assert caught.value.user_id == user
