"""Rows for tests, one plain function a table: what a test does not name gets a sensible value, parents included.

Each inserts through a psycopg connection and returns the row's id (its key's columns where it has no id). Any column
may be given by name; JSON columns take Python values; an unknown name is a TypeError.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection, sql
from psycopg.types.json import Json, Jsonb
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON

from tests.samples import ANSWERS, QUESTIONS
from tests.support.seeded import NAME
from worker.clock import now
from worker.ids import uuid7
from worker.models import Base, UserPreferences
from worker.srs.fsrs import DEFAULT_PARAMETERS

PREFERENCES = {column.name for column in UserPreferences.__table__.columns} - {"user_id", "created_at", "updated_at"}
_PERIODS = count()


def insert_row(connection: Connection[Any], table: str, **values: Any) -> tuple[Any, ...]:
    """Insert one row and return its key's columns."""
    columns = Base.metadata.tables[table].columns
    if unknown := values.keys() - columns.keys():
        raise TypeError(f"{table} has no column {', '.join(sorted(unknown))}")
    adapted = {
        name: value if value is None or not isinstance(columns[name].type, JSON)
        else (Jsonb(value) if isinstance(columns[name].type, JSONB) else Json(value))
        for name, value in values.items()
    }  # fmt: skip
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, adapted)),
        sql.SQL(", ").join(map(sql.Placeholder, adapted)),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in Base.metadata.tables[table].primary_key),
    )
    key = connection.execute(statement, adapted).fetchone()
    assert key is not None
    return tuple(key)


def insert(connection: Connection[Any], table: str, **values: Any) -> UUID:
    """Insert one row of a table whose key is one UUID, and return that."""
    (key,) = insert_row(connection, table, **values)
    assert isinstance(key, UUID)
    return key


def make_user(connection: Connection[Any], **values: Any) -> UUID:
    """An active learner in Jakarta; names of preferences (day_start_hour, new_limit …) make the row of preferences."""
    preferences = {name: values.pop(name) for name in PREFERENCES & values.keys()}
    user = {"email": f"{uuid4().hex}@example.org", "full_name": NAME, "timezone": "Asia/Jakarta"}
    user_id = insert(connection, "users", **user | values)
    if preferences:
        make_preferences(connection, user_id=user_id, **preferences)
    return user_id


def make_preferences(connection: Connection[Any], *, user_id: UUID | None = None, **values: Any) -> UUID:
    return insert(connection, "user_preferences", user_id=user_id or make_user(connection), **values)


def make_api_token(connection: Connection[Any], **values: Any) -> UUID:
    token = {"name": "Report", "prefix": "elp_abcd", "token_hash": uuid4().bytes * 2}
    return insert(connection, "api_tokens", **token | values)


def make_question(connection: Connection[Any], *, type: str = "multiple_choice", **values: Any) -> UUID:  # noqa: A002
    """A published question; its content is the sample of its type unless stem, options and answer_key are given."""
    question = {"level": "A1", "skill": "vocabulary", "topic": "daily life", "status": "published"}
    return insert(connection, "questions", type=type, **question | QUESTIONS.get(type, {}) | values)


def make_lesson(connection: Connection[Any], *, question_ids: Iterable[UUID] = (), **values: Any) -> UUID:
    """A published lesson that holds the questions given, in their order."""
    lesson = {"slug": f"lesson-{uuid4().hex}", "title": "Daily life", "title_id": "Kehidupan sehari-hari"}
    lesson |= {"level": "A1", "skill": "vocabulary", "topic": "daily life", "status": "published"}
    lesson_id = insert(connection, "lessons", **lesson | values)
    for position, question_id in enumerate(question_ids):
        link_question(connection, lesson_id=lesson_id, question_id=question_id, position=position)
    return lesson_id


def link_question(
    connection: Connection[Any],
    *,
    lesson_id: UUID | None = None,
    question_id: UUID | None = None,
    position: int = 0,
    **values: Any,
) -> tuple[Any, ...]:
    """Put a question into a lesson."""
    link = {"lesson_id": lesson_id or make_lesson(connection), "question_id": question_id or make_question(connection)}
    return insert_row(connection, "lesson_questions", **link, position=position, **values)


def make_question_set(connection: Connection[Any], *, question_ids: Iterable[UUID] = (), **values: Any) -> UUID:
    """A published tryout that holds the questions given, in their order."""
    question_set = {"slug": f"set-{uuid4().hex}", "title": "Tryout 1", "status": "published"}
    set_id = insert(connection, "question_sets", **question_set | values)
    for position, question_id in enumerate(question_ids):
        link_set_question(connection, question_set_id=set_id, question_id=question_id, position=position)
    return set_id


def link_set_question(
    connection: Connection[Any],
    *,
    question_set_id: UUID | None = None,
    question_id: UUID | None = None,
    position: int = 0,
    **values: Any,
) -> tuple[Any, ...]:
    """Put a question into a set."""
    link = {
        "question_set_id": question_set_id or make_question_set(connection),
        "question_id": question_id or make_question(connection),
    }
    return insert_row(connection, "questionset_questions", **link, position=position, **values)


def make_inbox_attempt(connection: Connection[Any], **values: Any) -> UUID:
    """An attempt accepted and not yet graded; its learner and question need not exist."""
    attempt = {"id": uuid7(), "user_id": uuid4(), "question_id": uuid4(), "attempted_at": now(), "received_at": now()}
    return insert(connection, "attempt_inbox", **attempt | {"answer": ANSWERS["multiple_choice"]} | values)


def make_attempt(
    connection: Connection[Any], *, user_id: UUID | None = None, question_id: UUID | None = None, **values: Any
) -> UUID:
    """A graded attempt, fully right unless `score` says otherwise; its id carries `attempted_at`."""
    attempted_at = values.setdefault("attempted_at", now())
    score = values.setdefault("score", Decimal(1))
    attempt = {
        "id": uuid7(attempted_at),
        "user_id": user_id or make_user(connection),
        "question_id": question_id or make_question(connection),
        "answer": ANSWERS["multiple_choice"],
        "is_correct": score == 1,
        "time_spent_ms": 9_000,
        "received_at": attempted_at,
        "graded_at": attempted_at,
    }
    return insert(connection, "question_attempts", **attempt | values)


def make_rejection(connection: Connection[Any], **values: Any) -> UUID:
    rejection = {"id": uuid7(), "user_id": uuid4(), "question_id": uuid4(), "reason": "unknown_question", "payload": {}}
    rejection |= {"attempted_at": now(), "received_at": now(), "rejected_at": now()}
    return insert(connection, "attempt_rejections", **rejection | values)


def make_progress(
    connection: Connection[Any], *, user_id: UUID | None = None, lesson_id: UUID | None = None, **values: Any
) -> UUID:
    """A learner's progress in a lesson, not started unless more is said."""
    pair = {"user_id": user_id or make_user(connection), "lesson_id": lesson_id or make_lesson(connection)}
    return insert(connection, "lesson_progress", **pair, **values)


def make_stats(connection: Connection[Any], *, user_id: UUID | None = None, **values: Any) -> UUID:
    stats = {"has_all_days": True}
    return insert(connection, "user_stats", user_id=user_id or make_user(connection), **stats | values)


def make_card(
    connection: Connection[Any], *, user_id: UUID | None = None, item_id: UUID | None = None, **values: Any
) -> UUID:
    """A card in review with a week's interval, due today (UTC)."""
    card = {"state": "review", "interval": 7, "repetitions": 3, "next_review_date": now().date()}
    card |= {"last_reviewed_at": now() - timedelta(days=7)}
    pair = {"user_id": user_id or make_user(connection), "item_id": item_id or make_question(connection)}
    return insert(connection, "srs_cards", **pair, **card | values)


def make_due_queue(connection: Connection[Any], *, user_id: UUID | None = None, **values: Any) -> tuple[Any, ...]:
    """An empty queue of today (UTC)."""
    queue = {"local_date": now().date(), "card_ids": [], "learning": 0, "review": 0, "new": 0, "overdue_total": 0}
    queue |= {"built_at": now()}
    return insert_row(connection, "srs_due_queues", user_id=user_id or make_user(connection), **queue | values)


def make_fit(connection: Connection[Any], *, user_id: UUID | None = None, **values: Any) -> UUID:
    """An accepted fit of a learner's FSRS parameters; they are the published defaults."""
    fit = {"parameters": list(DEFAULT_PARAMETERS), "is_accepted": True, "reviews": 400, "metrics": {}}
    return insert(
        connection, "srs_fits", user_id=user_id or make_user(connection), **fit | {"fitted_at": now()} | values
    )


def make_achievement(connection: Connection[Any], *, user_id: UUID | None = None, **values: Any) -> UUID:
    achievement = {"code": "first-lesson", "awarded_at": now()}
    return insert(connection, "user_achievements", user_id=user_id or make_user(connection), **achievement | values)


def make_achievement_mark(connection: Connection[Any], **values: Any) -> tuple[Any, ...]:
    return insert_row(connection, "achievement_marks", **{"user_id": uuid4()} | values)


def make_user_day(connection: Connection[Any], *, user_id: UUID | None = None, **values: Any) -> tuple[Any, ...]:
    """A day (today's, UTC) with ten attempts, eight of them right."""
    day = {"local_date": now().date(), "attempts": 10, "correct": 8}
    return insert_row(connection, "user_days", user_id=user_id or make_user(connection), **day | values)


def make_event(connection: Connection[Any], **values: Any) -> UUID:
    """An app event about nobody in particular."""
    return insert(connection, "app_events", **{"kind": "tryout.scored", "payload": {"score": 1}} | values)


def make_tryout_session(
    connection: Connection[Any], *, user_id: UUID | None = None, question_set_id: UUID | None = None, **values: Any
) -> UUID:
    """A sitting in progress with an hour to go."""
    session = {"state": "in_progress", "started_at": now(), "deadline_at": now() + timedelta(hours=1)}
    pair = {
        "user_id": user_id or make_user(connection),
        "question_set_id": question_set_id or make_question_set(connection),
    }
    return insert(connection, "tryout_sessions", **pair, **session | values)


def make_tryout_answer(
    connection: Connection[Any],
    *,
    tryout_session_id: UUID | None = None,
    question_id: UUID | None = None,
    **values: Any,
) -> tuple[Any, ...]:
    pair = {
        "tryout_session_id": tryout_session_id or make_tryout_session(connection),
        "question_id": question_id or make_question(connection),
    }
    answer = {"answer": ANSWERS["multiple_choice"], "answered_at": now()}
    return insert_row(connection, "tryout_answers", **pair, **answer | values)


def make_run(connection: Connection[Any], **values: Any) -> UUID:
    """A running run of a job with one shard to do, each for a period of its own in the past."""
    period = now().replace(minute=0, second=0, microsecond=0) - timedelta(minutes=15 * next(_PERIODS))
    run = {"job": "srs.build_due_queues", "period": period, "state": "running", "shards_total": 1}
    return insert(connection, "job_runs", **run | {"started_at": now()} | values)


def make_shard(connection: Connection[Any], *, run_id: UUID | None = None, number: int = 0, **values: Any) -> UUID:
    """A pending shard."""
    return insert(connection, "job_shards", run_id=run_id or make_run(connection), number=number, **values)


def make_outbox_entry(connection: Connection[Any], **values: Any) -> UUID:
    return insert(connection, "job_outbox", **{"task": "attempts.drain", "payload": {"lane": 0}} | values)


def make_job_control(connection: Connection[Any], **values: Any) -> tuple[Any, ...]:
    """A job that is known and not paused."""
    return insert_row(connection, "job_controls", **{"job": f"test.job_{uuid4().hex}"} | values)


def make_run_summary(connection: Connection[Any], **values: Any) -> tuple[Any, ...]:
    """A day of a job without runs."""
    summary = {"job": f"test.job_{uuid4().hex}", "ended_on": date(2026, 3, 1)}
    return insert_row(connection, "job_run_summaries", **summary | values)


def make_job_task(connection: Connection[Any], **values: Any) -> tuple[Any, ...]:
    """A task that takes any payload."""
    return insert_row(
        connection, "job_tasks", **{"kind": "task", "name": f"test.{uuid4().hex}", "queue": "default"} | values
    )
