"""What may exist once exists once: each unique key refuses the second row, under its name, and nothing beyond it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection, errors

from tests.factories import make_lesson, make_question, make_question_set, make_run, make_tryout_session, make_user
from tests.factories_operations import make_subscription
from tests.models.tables import FACTORIES

SOME_ID = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
T1 = datetime(2026, 4, 1, 9, tzinfo=UTC)
PAID = {"state": "succeeded", "concluded_at": T0, "period_start": T0}

# name → (table, the values that two rows share, what makes the second row another one)
UNIQUES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "uq_users_email": ("users", {"email": "siti@example.org"}, {"email": "siti@example.com"}),
    "uq_api_tokens_token_hash": ("api_tokens", {"token_hash": b"x" * 32}, {"token_hash": b"y" * 32}),
    "uq_lessons_slug": ("lessons", {"slug": "greetings"}, {"slug": "greetings-2"}),
    "uq_question_sets_slug": ("question_sets", {"slug": "tryout"}, {"slug": "tryout-2"}),
    "uq_lesson_questions_position": ("lesson_questions", {"lesson_id": make_lesson, "position": 3}, {"position": 4}),
    "uq_questionset_questions_position": (
        "questionset_questions",
        {"question_set_id": make_question_set, "position": 3},
        {"position": 4},
    ),
    "uq_lesson_progress_user_lesson": (
        "lesson_progress",
        {"user_id": make_user, "lesson_id": make_lesson},
        {"lesson_id": make_lesson},
    ),
    "uq_srs_cards_item": ("srs_cards", {"user_id": make_user, "item_id": make_question}, {"user_id": make_user}),
    "uq_user_achievements_code": ("user_achievements", {"user_id": make_user, "code": "a"}, {"code": "b"}),
    "uq_job_runs_period": ("job_runs", {"job": "a", "period": T0}, {"period": T1}),
    "uq_job_shards_number": ("job_shards", {"run_id": make_run, "number": 1}, {"number": 2}),
    "uq_job_outbox_dedupe_key": ("job_outbox", {"dedupe_key": "lane:1"}, {"dedupe_key": None}),
    "uq_app_events_dedupe_key": ("app_events", {"dedupe_key": "tryout:1"}, {"dedupe_key": None}),
    "uq_plans_code": ("plans", {"code": "premium"}, {"code": "premium-2"}),
    "uq_payment_transactions_idempotency_key": (
        "payment_transactions",
        {"idempotency_key": "s:p:1"},
        {"idempotency_key": "s:p:2"},
    ),
    "uq_payment_transactions_gateway_reference": (
        "payment_transactions",
        {"gateway": "xendit", "gateway_reference": "pr-1"},
        {"gateway": "midtrans"},
    ),
    "uq_payment_transactions_period": (
        "payment_transactions",
        {"subscription_id": make_subscription, "period_end": T1, **PAID},
        {"state": "declined"},
    ),
    "uq_webhook_inbox_event": ("webhook_inbox", {"gateway": "stripe", "event_id": "e1"}, {"gateway": "xendit"}),
    "uq_reconciliation_breaks_fingerprint": (
        "reconciliation_breaks",
        {"fingerprint": "stripe:amount:1"},
        {"fingerprint": "stripe:fee:1"},
    ),
    "uq_tryout_signals_finding": (
        "tryout_signals",
        {"tryout_session_id": make_tryout_session},
        {"tryout_session_id": make_tryout_session},
    ),
    "uq_audit_blocks_block_id": ("audit_blocks", {"block_id": SOME_ID}, {"block_id": UUID(int=1)}),
    "uq_backups_label": ("backups", {"label": "full-1"}, {"label": "full-2"}),
}

UNIQUE_INDEXES_OF_THE_SCHEMA = """
SELECT indexes.relname FROM pg_index JOIN pg_class AS indexes ON indexes.oid = indexrelid
WHERE indisunique AND NOT indisprimary AND NOT indexes.relispartition
  AND indexes.relnamespace = 'public'::regnamespace
"""


def rows(database: Connection, name: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    table, shared, other = UNIQUES[name]
    first = {column: value(database) if callable(value) else value for column, value in shared.items()}
    return table, first, first | {key: value(database) if callable(value) else value for key, value in other.items()}


@pytest.mark.parametrize("name", UNIQUES)
def test_second_row_of_a_unique_key_is_refused(database: Connection, name: str):
    table, first, _ = rows(database, name)
    FACTORIES[table](database, **first)
    with pytest.raises(errors.UniqueViolation) as refused, database.transaction():
        FACTORIES[table](database, **first)
    assert refused.value.diag.constraint_name == name


@pytest.mark.parametrize("name", UNIQUES)
def test_row_that_differs_within_a_unique_key_is_accepted(database: Connection, name: str):
    table, first, second = rows(database, name)
    FACTORIES[table](database, **first)
    FACTORIES[table](database, **second)


def test_each_unique_key_of_the_schema_has_a_case(database: Connection):
    assert sorted(name for (name,) in database.execute(UNIQUE_INDEXES_OF_THE_SCHEMA)) == sorted(UNIQUES)


@pytest.mark.parametrize("email", ["SITI@EXAMPLE.ORG", "Siti@Example.org"])
def test_email_is_unique_whatever_its_case(database: Connection, email: str):
    make_user(database, email="siti@example.org")
    with pytest.raises(errors.UniqueViolation) as refused, database.transaction():
        make_user(database, email=email)
    assert refused.value.diag.constraint_name == "uq_users_email"


def test_outbox_key_may_be_used_again_once_its_entry_was_relayed(database: Connection):
    FACTORIES["job_outbox"](database, dedupe_key="lane:1", relayed_at=T0)
    FACTORIES["job_outbox"](database, dedupe_key="lane:1")


def test_refund_of_a_period_stands_beside_its_successful_charge(database: Connection):
    subscription = make_subscription(database)
    charge = FACTORIES["payment_transactions"](database, subscription_id=subscription, **PAID)
    FACTORIES["payment_transactions"](database, subscription_id=subscription, kind="refund", parent_id=charge, **PAID)


def test_positions_of_a_lesson_are_swapped_by_one_statement(database: Connection):
    lesson = make_lesson(database, question_ids=[make_question(database), make_question(database)])
    database.execute("UPDATE lesson_questions SET position = 1 - position WHERE lesson_id = %s", [lesson])


GIVEN_KEYS: dict[str, dict[str, Callable[[Connection], Any]]] = {
    "user_preferences": {"user_id": make_user},
    "user_stats": {"user_id": make_user},
    "user_days": {"user_id": make_user, "local_date": lambda _: date(2026, 3, 1)},
    "srs_due_queues": {"user_id": make_user, "local_date": lambda _: date(2026, 3, 1)},
    "tryout_answers": {"tryout_session_id": make_tryout_session, "question_id": make_question},
    "tryout_cohort_scores": {"question_set_id": make_question_set, "raw_score": lambda _: 1},
    "attempt_inbox": {"id": lambda _: SOME_ID},
    "attempt_rejections": {"id": lambda _: SOME_ID},
    "question_attempts": {"id": lambda _: SOME_ID},
}


@pytest.mark.parametrize("table", GIVEN_KEYS)
def test_key_that_comes_from_outside_is_taken_once(database: Connection, table: str):
    row = {column: make(database) for column, make in GIVEN_KEYS[table].items()}
    FACTORIES[table](database, **row)
    with pytest.raises(errors.UniqueViolation), database.transaction():
        FACTORIES[table](database, **row)
