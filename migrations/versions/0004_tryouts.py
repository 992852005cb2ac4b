"""Tryout sessions and their answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tryout_sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_set_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="created", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raw_score", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column("max_score", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column("ability", sa.Double(), nullable=True),
        sa.Column("ability_error", sa.Double(), nullable=True),
        sa.Column("percentile", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("estimated_level", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "estimated_level IN ('A1', 'A2', 'B1', 'B2')", name=op.f("ck_tryout_sessions_estimated_level")
        ),
        sa.CheckConstraint("jsonb_typeof(result) = 'object'", name=op.f("ck_tryout_sessions_result")),
        sa.CheckConstraint(
            "state <> 'scored' OR (scored_at IS NOT NULL AND raw_score IS NOT NULL)",
            name=op.f("ck_tryout_sessions_scored"),
        ),
        sa.CheckConstraint(
            "state IN ('created', 'expired') OR started_at IS NOT NULL", name=op.f("ck_tryout_sessions_started_at")
        ),
        sa.CheckConstraint(
            "state IN ('created', 'in_progress', 'submitted', 'expired', 'scored')",
            name=op.f("ck_tryout_sessions_state"),
        ),
        sa.CheckConstraint("ability BETWEEN -100 AND 100", name=op.f("ck_tryout_sessions_ability")),
        sa.CheckConstraint(
            "ability_error > 0 AND ability_error < 'Infinity'", name=op.f("ck_tryout_sessions_ability_error")
        ),
        sa.CheckConstraint("deadline_at > started_at", name=op.f("ck_tryout_sessions_deadline_at")),
        sa.CheckConstraint("max_score > 0 AND max_score <> 'NaN'", name=op.f("ck_tryout_sessions_max_score")),
        sa.CheckConstraint("percentile BETWEEN 0 AND 100", name=op.f("ck_tryout_sessions_percentile")),
        sa.CheckConstraint("raw_score <= max_score", name=op.f("ck_tryout_sessions_raw_score")),
        sa.CheckConstraint("submitted_at >= started_at", name=op.f("ck_tryout_sessions_submitted_at")),
        sa.ForeignKeyConstraint(
            ["question_set_id"],
            ["question_sets.id"],
            name=op.f("fk_tryout_sessions_question_set_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tryout_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tryout_sessions")),
    )
    op.create_index(
        "idx_tryout_sessions_overdue",
        "tryout_sessions",
        ["deadline_at"],
        postgresql_where=sa.text("state = 'in_progress'"),
    )
    op.create_index("idx_tryout_sessions_question_set", "tryout_sessions", ["question_set_id"])
    op.create_index(
        "idx_tryout_sessions_unscored",
        "tryout_sessions",
        ["submitted_at"],
        postgresql_where=sa.text("state IN ('submitted', 'expired')"),
    )
    op.create_index("idx_tryout_sessions_user", "tryout_sessions", ["user_id", "created_at"])
    op.create_table(
        "tryout_answers",
        sa.Column("tryout_session_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_spent_ms", sa.Integer(), nullable=True),
        sa.Column("score", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column("points", sa.Numeric(precision=8, scale=4), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("points <> 'NaN'", name=op.f("ck_tryout_answers_points")),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_tryout_answers_score")),
        sa.CheckConstraint("time_spent_ms >= 0", name=op.f("ck_tryout_answers_time_spent_ms")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.id"], name=op.f("fk_tryout_answers_question_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["tryout_session_id"],
            ["tryout_sessions.id"],
            name=op.f("fk_tryout_answers_tryout_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tryout_session_id", "question_id", name=op.f("pk_tryout_answers")),
    )
    op.create_index("idx_tryout_answers_question", "tryout_answers", ["question_id"])
    keep_updated_at("tryout_sessions", "tryout_answers")


def downgrade() -> None:
    op.drop_table("tryout_answers")
    op.drop_table("tryout_sessions")
