"""Tryouts: what calibration found about each question, and what is to be looked at by people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "tryout_item_calibrations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("calibrated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("discrimination", sa.Double(), nullable=False),
        sa.Column("discrimination_error", sa.Double(), nullable=True),
        sa.Column("difficulty", sa.Double(), nullable=False),
        sa.Column("difficulty_error", sa.Double(), nullable=True),
        sa.Column("infit", sa.Double(), nullable=False),
        sa.Column("outfit", sa.Double(), nullable=False),
        sa.Column("point_biserial", sa.Double(), nullable=True),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("is_accepted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "scale ~ '\\S' AND char_length(scale) <= 100", name=op.f("ck_tryout_item_calibrations_scale")
        ),
        sa.CheckConstraint(
            'responses > 0 AND "right" BETWEEN 0 AND responses', name=op.f("ck_tryout_item_calibrations_responses")
        ),
        sa.CheckConstraint(
            "discrimination BETWEEN -100 AND 100", name=op.f("ck_tryout_item_calibrations_discrimination")
        ),
        sa.CheckConstraint("difficulty BETWEEN -100 AND 100", name=op.f("ck_tryout_item_calibrations_difficulty")),
        sa.CheckConstraint(
            "discrimination_error > 0 AND difficulty_error > 0", name=op.f("ck_tryout_item_calibrations_errors")
        ),
        sa.CheckConstraint("infit >= 0 AND outfit >= 0", name=op.f("ck_tryout_item_calibrations_fit")),
        sa.CheckConstraint("point_biserial BETWEEN -1 AND 1", name=op.f("ck_tryout_item_calibrations_point_biserial")),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["questions.id"],
            name=op.f("fk_tryout_item_calibrations_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tryout_item_calibrations")),
    )
    op.create_index(
        "idx_tryout_item_calibrations_question", "tryout_item_calibrations", ["question_id", "calibrated_at"]
    )
    op.create_table(
        "tryout_signals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("tryout_session_id", sa.Uuid(), nullable=False),
        sa.Column("other_session_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("strength", sa.Double(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('impossible_speed', 'similar_answers')", name=op.f("ck_tryout_signals_kind")),
        sa.CheckConstraint(
            "(kind = 'similar_answers') = (other_session_id IS NOT NULL)", name=op.f("ck_tryout_signals_other")
        ),
        sa.CheckConstraint("tryout_session_id < other_session_id", name=op.f("ck_tryout_signals_pair")),
        sa.CheckConstraint("strength >= 0 AND strength < 'Infinity'", name=op.f("ck_tryout_signals_strength")),
        sa.CheckConstraint("jsonb_typeof(evidence) = 'object'", name=op.f("ck_tryout_signals_evidence")),
        sa.ForeignKeyConstraint(
            ["tryout_session_id"],
            ["tryout_sessions.id"],
            name=op.f("fk_tryout_signals_tryout_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_session_id"],
            ["tryout_sessions.id"],
            name=op.f("fk_tryout_signals_other_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tryout_signals")),
        sa.UniqueConstraint(
            "tryout_session_id",
            "other_session_id",
            "kind",
            name="uq_tryout_signals_finding",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "idx_tryout_signals_other",
        "tryout_signals",
        ["other_session_id"],
        postgresql_where=sa.text("other_session_id IS NOT NULL"),
    )
    op.create_index("idx_tryout_signals_found", "tryout_signals", ["found_at"])
    keep_updated_at("tryout_item_calibrations", "tryout_signals")
    with op.get_context().autocommit_block():
        op.create_index(
            "idx_tryout_sessions_scored_at",
            "tryout_sessions",
            ["scored_at"],
            postgresql_where=sa.text("state = 'scored'"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("idx_tryout_sessions_scored_at", "tryout_sessions")
    op.drop_table("tryout_signals")
    op.drop_table("tryout_item_calibrations")
