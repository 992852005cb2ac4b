"""Every foreign key refuses a stranger, does on deletion what it says, and has an index that deletion can use."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection, IntegrityError, errors, sql
from sqlalchemy import ForeignKeyConstraint

from tests.factories import make_card, make_question, make_user
from tests.factories_operations import make_backup, make_subscription
from tests.models.tables import FACTORIES
from worker.models import Base

KEYS: dict[str, ForeignKeyConstraint] = {
    str(constraint.name): constraint
    for table in Base.metadata.sorted_tables
    for constraint in table.foreign_key_constraints
}

# What a row needs besides the reference itself.
NEEDS: dict[str, Callable[[Connection], dict[str, Any]]] = {
    "fk_backups_parent_id": lambda _: {"kind": "incremental"},
    "fk_payment_transactions_parent_id": lambda _: {"kind": "refund"},
    # The subscription is another user's, or its own key would refuse the deletion first.
    "fk_payment_transactions_user_id": lambda connection: {"subscription_id": make_subscription(connection)},
    "fk_invoices_user_id": lambda connection: {"subscription_id": make_subscription(connection)},
}

# The rules that deletion follows, as the design decides them; the models must say the same.
RULES = {
    "CASCADE": {
        "fk_user_preferences_user_id",
        "fk_api_tokens_user_id",
        "fk_lesson_questions_lesson_id",
        "fk_lesson_questions_question_id",
        "fk_questionset_questions_question_set_id",
        "fk_tryout_sessions_user_id",
        "fk_tryout_answers_tryout_session_id",
        "fk_tryout_score_changes_tryout_session_id",
        "fk_tryout_cohort_scores_question_set_id",
        "fk_tryout_item_calibrations_question_id",
        "fk_tryout_signals_tryout_session_id",
        "fk_tryout_signals_other_session_id",
        "fk_question_attempts_user_id",
        "fk_lesson_progress_user_id",
        "fk_lesson_progress_lesson_id",
        "fk_user_stats_user_id",
        "fk_user_days_user_id",
        "fk_srs_cards_user_id",
        "fk_srs_due_queues_user_id",
        "fk_srs_fits_user_id",
        "fk_user_achievements_user_id",
        "fk_job_shards_run_id",
        "fk_app_events_user_id",
    },
    "SET NULL": {
        "fk_api_tokens_rotated_from_id",
        "fk_question_attempts_lesson_id",
        "fk_question_attempts_tryout_session_id",
    },
    "RESTRICT": {
        "fk_questionset_questions_question_id",
        "fk_tryout_sessions_question_set_id",
        "fk_tryout_answers_question_id",
        "fk_question_attempts_question_id",
        "fk_subscriptions_user_id",
        "fk_subscriptions_plan_id",
        "fk_subscriptions_next_plan_id",
        "fk_payment_transactions_user_id",
        "fk_payment_transactions_subscription_id",
        "fk_payment_transactions_parent_id",
        "fk_payment_transactions_invoice_id",
        "fk_subscriptions_coupon_id",
        "fk_invoices_user_id",
        "fk_invoices_subscription_id",
        "fk_invoice_lines_subscription_id",
        "fk_invoice_lines_invoice_id",
        "fk_reconciliation_breaks_run_id",
        "fk_reconciliation_breaks_payment_transaction_id",
        "fk_reconciliation_breaks_settlement_line_id",
        "fk_settlement_lines_import_id",
        "fk_backups_parent_id",
    },
}

# Keys without an index led by their columns: (columns of the key) against the leading columns of each index.
UNINDEXED = """
SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT relispartition
  AND NOT EXISTS (
      SELECT FROM pg_index
      WHERE indrelid = conrelid AND indisvalid AND indkey[0] = conkey[1]
        AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) LIKE '(% IS NOT NULL)')
  )
"""


class Reference:
    """A row that refers to another one by a certain key."""

    def __init__(self, database: Connection, name: str) -> None:
        self.database = database
        self.name = name
        self.table = KEYS[name].table.name
        self.column = KEYS[name].columns[0].name
        self.parent_table = KEYS[name].referred_table.name

    def make(self, parent: object) -> None:
        needs = NEEDS[self.name](self.database) if self.name in NEEDS else {}
        FACTORIES[self.table](self.database, **{self.column: parent}, **needs)

    def delete_parent(self, parent: object) -> None:
        key = KEYS[self.name].elements[0].column.name
        statement = sql.SQL("DELETE FROM {} WHERE {} = %s")
        identifiers = sql.Identifier(self.parent_table), sql.Identifier(key)
        assert self.database.execute(statement.format(*identifiers), [parent]).rowcount == 1

    def count(self, condition: str) -> int:
        statement = sql.SQL("SELECT count(*) FROM {} WHERE {} " + condition)
        identifiers = sql.Identifier(self.table), sql.Identifier(self.column)
        row = self.database.execute(statement.format(*identifiers)).fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize("name", sorted(KEYS))
def test_foreign_key_refuses_a_row_that_refers_to_nothing(database: Connection, name: str):
    with pytest.raises(errors.ForeignKeyViolation) as refused, database.transaction():
        Reference(database, name).make(uuid4())
    assert refused.value.diag.constraint_name == name


@pytest.mark.parametrize("name", sorted(RULES["CASCADE"]))
def test_deletion_takes_the_rows_that_belong_to_the_deleted(database: Connection, name: str):
    reference = Reference(database, name)
    parent = FACTORIES[reference.parent_table](database)
    reference.make(parent)
    assert reference.count(f"= '{parent}'") == 1
    reference.delete_parent(parent)
    assert reference.count(f"= '{parent}'") == 0


@pytest.mark.parametrize("name", sorted(RULES["SET NULL"]))
def test_deletion_leaves_the_row_and_clears_its_reference(database: Connection, name: str):
    reference = Reference(database, name)
    parent = FACTORIES[reference.parent_table](database)
    reference.make(parent)
    cleared = reference.count("IS NULL")
    reference.delete_parent(parent)
    assert reference.count(f"= '{parent}'") == 0
    # A token that refers to another one goes; itself referring to none, the deleted one was counted before.
    assert reference.count("IS NULL") == cleared + (reference.table != reference.parent_table)


@pytest.mark.parametrize("name", sorted(RULES["RESTRICT"]))
def test_deletion_of_what_is_still_referred_to_is_refused(database: Connection, name: str):
    reference = Reference(database, name)
    parent = FACTORIES[reference.parent_table](database)
    reference.make(parent)
    # PostgreSQL 18 says restrict_violation, earlier ones foreign_key_violation.
    with pytest.raises(IntegrityError) as refused, database.transaction():
        reference.delete_parent(parent)
    assert refused.value.diag.constraint_name == name
    assert reference.count(f"= '{parent}'") == 1


def test_each_foreign_key_of_the_models_follows_the_rule_decided_for_it():
    decided = {name: rule for rule, names in RULES.items() for name in names}
    assert {name: key.ondelete for name, key in KEYS.items()} == decided


def test_each_foreign_key_has_an_index_that_leads_with_its_column(database: Connection):
    assert database.execute(UNINDEXED).fetchall() == []


def test_learner_with_a_whole_history_is_deleted_with_it(database: Connection):
    learner, other = make_user(database, new_limit=5), make_user(database)
    learners_own = [
        key.table.name
        for key in KEYS.values()
        if key.referred_table.name == "users" and key.ondelete == "CASCADE" and key.table.name != "user_preferences"
    ]
    for table in learners_own:
        FACTORIES[table](database, user_id=learner)
        FACTORIES[table](database, user_id=other)
    database.execute("DELETE FROM users WHERE id = %s", [learner])
    for table in learners_own:
        statement = sql.SQL("SELECT DISTINCT user_id FROM {}").format(sql.Identifier(table))
        assert database.execute(statement).fetchall() == [(other,)]


def test_deleted_questions_leave_every_deck(database: Connection):
    kept, first, second = (make_question(database) for _ in range(3))
    learner = make_user(database)
    for question in (kept, first, second):
        make_card(database, user_id=learner, item_id=question)
        make_card(database, item_id=question)
    database.execute("DELETE FROM questions WHERE id = ANY(%s)", [[first, second]])
    assert database.execute("SELECT DISTINCT item_id FROM srs_cards").fetchall() == [(kept,)]


def test_chain_of_backups_loses_no_link(database: Connection):
    full = make_backup(database)
    link = make_backup(database, kind="incremental", parent_id=full)
    make_backup(database, kind="incremental", parent_id=link)
    for backup in (full, link):
        with pytest.raises(IntegrityError), database.transaction():
            database.execute("DELETE FROM backups WHERE id = %s", [backup])
