"""Queue policy: learners' wishes about steps, order, siblings, leeches, backlog, easy days and vacation; what cards need."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0012"
branch_labels = None
depends_on = None

_STEPS = "cardinality({0}) <= 10 AND array_position({0}, NULL) IS NULL AND 1 <= ALL ({0}) AND 31536000 >= ALL ({0})"


def _preferences() -> tuple[tuple[sa.Column[Any], str | None], ...]:
    """Return the new wishes with the check of each."""
    return (
        (
            sa.Column("learning_steps_s", postgresql.ARRAY(sa.Integer()), server_default="{60,600}", nullable=False),
            _STEPS.format("learning_steps_s"),
        ),
        (
            sa.Column("relearning_steps_s", postgresql.ARRAY(sa.Integer()), server_default="{600}", nullable=False),
            _STEPS.format("relearning_steps_s"),
        ),
        (
            sa.Column("minimum_interval", sa.Integer(), server_default=sa.text("1"), nullable=False),
            "minimum_interval BETWEEN 1 AND 36500",
        ),
        (
            sa.Column("maximum_interval", sa.Integer(), server_default=sa.text("36500"), nullable=False),
            "maximum_interval BETWEEN 1 AND 36500",
        ),
        (
            sa.Column("review_order", sa.Text(), server_default="overdueness", nullable=False),
            "review_order IN ('overdueness', 'lowest_retrievability', 'highest_retrievability')",
        ),
        (
            sa.Column("new_order", sa.Text(), server_default="last", nullable=False),
            "new_order IN ('last', 'mixed')",
        ),
        (
            sa.Column("bury_siblings", sa.Text(), server_default="none", nullable=False),
            "bury_siblings IN ('none', 'word', 'lesson')",
        ),
        (
            sa.Column("leech_lapses", sa.SmallInteger(), server_default=sa.text("8"), nullable=False),
            "leech_lapses BETWEEN 0 AND 100",
        ),
        (
            sa.Column("backlog_days", sa.SmallInteger(), server_default=sa.text("7"), nullable=False),
            "backlog_days BETWEEN 1 AND 365",
        ),
        (sa.Column("balance_load", sa.Boolean(), server_default=sa.text("false"), nullable=False), None),
        (
            sa.Column(
                "weekday_weights",
                postgresql.ARRAY(sa.SmallInteger()),
                server_default="{100,100,100,100,100,100,100}",
                nullable=False,
            ),
            (
                "cardinality(weekday_weights) = 7 AND array_position(weekday_weights, NULL) IS NULL"
                " AND 0 <= ALL (weekday_weights) AND 100 >= ALL (weekday_weights) AND 0 < ANY (weekday_weights)"
            ),
        ),
        (sa.Column("vacation_from", sa.Date(), nullable=True), None),
        (sa.Column("vacation_until", sa.Date(), nullable=True), None),
    )


_RULES = {
    "intervals": "minimum_interval <= maximum_interval",
    "vacation": "num_nulls(vacation_from, vacation_until) IN (0, 2) AND vacation_from <= vacation_until",
}


def _cards() -> tuple[sa.Column[Any], ...]:
    """Return what cards are to remember."""
    return (
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("introduced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buried_until", sa.Date(), nullable=True),
        sa.Column("leech_at", sa.DateTime(timezone=True), nullable=True),
    )


def upgrade() -> None:
    # Columns with a constant default rewrite nothing; checks of a table of learners are validated afterwards, while
    # others go on writing.
    checks = dict(_RULES)
    for column, rule in _preferences():
        op.add_column("user_preferences", column)
        if rule is not None:
            checks[column.name] = rule
    for name, rule in checks.items():
        op.execute(f"ALTER TABLE user_preferences ADD CONSTRAINT ck_user_preferences_{name} CHECK ({rule}) NOT VALID")
    for name in checks:
        op.execute(f"ALTER TABLE user_preferences VALIDATE CONSTRAINT ck_user_preferences_{name}")
    for column in _cards():
        op.add_column("srs_cards", column)
    op.add_column("questions", sa.Column("family", sa.Text(), server_default="", nullable=False))
    op.execute("ALTER TABLE questions ADD CONSTRAINT ck_questions_family CHECK (char_length(family) <= 200) NOT VALID")
    op.execute("ALTER TABLE questions VALIDATE CONSTRAINT ck_questions_family")


def downgrade() -> None:
    op.drop_column("questions", "family")
    for column in reversed(_cards()):
        op.drop_column("srs_cards", column.name)
    for column, _ in reversed(_preferences()):
        op.drop_column("user_preferences", column.name)
