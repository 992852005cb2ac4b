"""Names and indexes that the rest of the product, its documents and its operators count on."""

from decimal import Decimal

import pytest
from psycopg import Connection

from tests.factories import make_preferences

INDEXES = {
    "uq_users_email": "UNIQUE INDEX ... ON users USING btree (lower(email))",
    "idx_users_active": "INDEX ... ON users USING btree (id) WHERE is_active",
    "idx_lessons_level_skill": "INDEX ... ON lessons USING btree (level, skill)",
    "idx_lessons_search": "INDEX ... ON lessons USING gin (search_vector) WITH (fastupdate=off)",
    "idx_questions_type_level": "INDEX ... ON questions USING btree (type, level)",
    "idx_questions_search": "INDEX ... ON questions USING gin (search_vector) WITH (fastupdate=off)",
    "idx_lesson_progress_completion": "INDEX ... ON lesson_progress USING btree (lesson_id, completion_percentage)",
    "idx_question_attempts_user": "INDEX ... ON ONLY question_attempts USING btree (user_id, attempted_at)",
    "idx_question_attempts_question": "INDEX ... ON ONLY question_attempts USING btree (question_id)",
    "idx_srs_cards_due": (
        "INDEX ... ON srs_cards USING btree (user_id, next_review_date) "
        'INCLUDE (id, "interval", is_learning, state, buried_until) WHERE (NOT is_suspended)'
    ),
    "uq_srs_cards_item": "UNIQUE INDEX ... ON srs_cards USING btree (user_id, item_type, item_id)",
    "uq_user_achievements_code": "UNIQUE INDEX ... ON user_achievements USING btree (user_id, code)",
    "idx_attempt_inbox_lane": "INDEX ... ON attempt_inbox USING btree (lane, seq)",
    "idx_attempt_rejections_user": "INDEX ... ON attempt_rejections USING btree (user_id, rejected_at)",
    "uq_job_runs_period": "UNIQUE INDEX ... ON job_runs USING btree (job, period)",
    "uq_job_outbox_dedupe_key": (
        "UNIQUE INDEX ... ON job_outbox USING btree (dedupe_key) WHERE ((relayed_at IS NULL) AND (parked_at IS NULL))"
    ),
    "uq_payment_transactions_period": (
        "UNIQUE INDEX ... ON payment_transactions USING btree (subscription_id, period_start) "
        "WHERE ((kind = 'charge'::text) AND (state = 'succeeded'::text))"
    ),
}

STRANGE_NAMES = """
SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE connamespace = 'public'::regnamespace AND NOT relispartition AND relname <> 'alembic_version'
  AND contype IN ('c', 'f', 'p', 'u')
  AND conname !~ ('^' || (CASE contype WHEN 'c' THEN 'ck' WHEN 'f' THEN 'fk' WHEN 'p' THEN 'pk' ELSE 'uq' END)
                      || '_' || relname || (CASE contype WHEN 'p' THEN '$' ELSE '_' END))
UNION ALL
SELECT indexes.relname FROM pg_index JOIN pg_class AS indexes ON indexes.oid = indexrelid
JOIN pg_class AS tables ON tables.oid = indrelid
WHERE indexes.relnamespace = 'public'::regnamespace AND NOT indexes.relispartition AND NOT indisprimary
  AND indexes.relname !~ ('^' || (CASE WHEN indisunique THEN 'uq' ELSE 'idx' END) || '_' || tables.relname || '_')
"""


@pytest.mark.parametrize("name", INDEXES)
def test_index_of_the_design_exists_as_described(database: Connection, name: str):
    row = database.execute("SELECT replace(pg_get_indexdef(%s::regclass), 'public.', '')", [name]).fetchone()
    assert row == (f"CREATE {INDEXES[name].replace('...', name)}",)


def test_constraints_and_indexes_are_named_after_their_table_and_rule(database: Connection):
    assert database.execute(STRANGE_NAMES).fetchall() == []


def test_instants_are_kept_with_their_zone_and_texts_without_a_length(database: Connection):
    odd = database.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name <> 'alembic_version' AND data_type IN "
        "('timestamp without time zone', 'character varying', 'real', 'money', 'time without time zone')"
    )
    extensions = {"pg_stat_statements", "pg_stat_statements_info"}
    assert [row for row in odd if row[0] not in extensions] == []


def test_preferences_that_a_learner_never_set_are_the_documented_ones(database: Connection):
    make_preferences(database)
    row = database.execute(
        "SELECT ui_language, daily_goal, new_limit, review_limit, day_start_hour, scheduler, desired_retention, "
        "notifications FROM user_preferences"
    ).fetchone()
    assert row == ("id", 20, 10, 200, 4, "fsrs", Decimal("0.90"), {})
