"""The attempt inbox, graded attempts partitioned by month, progress and counters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt_inbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "lane",
            sa.SmallInteger(),
            sa.Computed("(get_byte(uuid_send(user_id), 15) & 15)::smallint", persisted=True),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=True),
        sa.Column("tryout_session_id", sa.Uuid(), nullable=True),
        sa.Column("answer", postgresql.JSON(), nullable=False),
        sa.Column("time_spent_ms", sa.Integer(), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.Text(), server_default="api", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("time_spent_ms >= 0", name=op.f("ck_attempt_inbox_time_spent_ms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_inbox")),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 20000,
            "autovacuum_vacuum_cost_delay": 0,
            "autovacuum_analyze_scale_factor": 0,
            "autovacuum_analyze_threshold": 20000,
        },
    )
    op.create_index("idx_attempt_inbox_lane", "attempt_inbox", ["lane", "seq"])
    op.create_table(
        "attempt_rejections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("reason ~ '^[a-z][a-z0-9_]{0,63}$'", name=op.f("ck_attempt_rejections_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_rejections")),
    )
    op.create_index("idx_attempt_rejections_user", "attempt_rejections", ["user_id", "rejected_at"])
    op.create_table(
        "question_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=True),
        sa.Column("tryout_session_id", sa.Uuid(), nullable=True),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        sa.Column("is_correct", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("time_spent_ms", sa.Integer(), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("graded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="api", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("is_correct = (score = 1)", name=op.f("ck_question_attempts_is_correct")),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_question_attempts_score")),
        sa.CheckConstraint("time_spent_ms >= 0", name=op.f("ck_question_attempts_time_spent_ms")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_question_attempts_lesson_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.id"], name=op.f("fk_question_attempts_question_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["tryout_session_id"],
            ["tryout_sessions.id"],
            name=op.f("fk_question_attempts_tryout_session_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_question_attempts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_attempts")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index(
        "idx_question_attempts_lesson",
        "question_attempts",
        ["lesson_id"],
        postgresql_where=sa.text("lesson_id IS NOT NULL"),
    )
    op.create_index("idx_question_attempts_question", "question_attempts", ["question_id"])
    op.create_index(
        "idx_question_attempts_tryout_session",
        "question_attempts",
        ["tryout_session_id"],
        postgresql_where=sa.text("tryout_session_id IS NOT NULL"),
    )
    op.create_index("idx_question_attempts_user", "question_attempts", ["user_id", "attempted_at"])
    op.create_table(
        "lesson_progress",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("attempted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("correct", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("correct_question_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column(
            "completion_percentage", sa.Numeric(precision=5, scale=2), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("status", sa.Text(), server_default="not_started", nullable=False),
        sa.Column("first_attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status <> 'completed' OR completed_at IS NOT NULL", name=op.f("ck_lesson_progress_completed_at")
        ),
        sa.CheckConstraint(
            "status IN ('not_started', 'in_progress', 'completed')", name=op.f("ck_lesson_progress_status")
        ),
        sa.CheckConstraint("attempted >= 0", name=op.f("ck_lesson_progress_attempted")),
        sa.CheckConstraint(
            "completion_percentage BETWEEN 0 AND 100", name=op.f("ck_lesson_progress_completion_percentage")
        ),
        sa.CheckConstraint("correct BETWEEN 0 AND attempted", name=op.f("ck_lesson_progress_correct")),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_lesson_progress_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_lesson_progress_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_progress")),
        sa.UniqueConstraint("user_id", "lesson_id", name="uq_lesson_progress_user_lesson"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("idx_lesson_progress_completion", "lesson_progress", ["lesson_id", "completion_percentage"])
    op.create_table(
        "user_stats",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("correct", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("score_total", sa.Numeric(precision=16, scale=4), server_default=sa.text("0"), nullable=False),
        sa.Column("time_spent_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lessons_started", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lessons_completed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cards", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_user_stats_attempts")),
        sa.CheckConstraint("cards >= 0", name=op.f("ck_user_stats_cards")),
        sa.CheckConstraint("correct BETWEEN 0 AND attempts", name=op.f("ck_user_stats_correct")),
        sa.CheckConstraint(
            "lessons_completed BETWEEN 0 AND lessons_started", name=op.f("ck_user_stats_lessons_completed")
        ),
        sa.CheckConstraint("score_total BETWEEN 0 AND attempts", name=op.f("ck_user_stats_score_total")),
        sa.CheckConstraint("time_spent_ms >= 0", name=op.f("ck_user_stats_time_spent_ms")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_stats_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_stats")),
        postgresql_with={"fillfactor": 70},
    )
    keep_updated_at("attempt_inbox", "attempt_rejections", "question_attempts", "lesson_progress", "user_stats")
    op.execute("CREATE TABLE question_attempts_default PARTITION OF question_attempts DEFAULT")
    execute_file("0005_ensure_question_attempts_partitions")
    op.execute(
        "SELECT ensure_question_attempts_partitions("
        "(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month')::date, 14)"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION ensure_question_attempts_partitions(date, integer)")
    op.drop_table("user_stats")
    op.drop_table("lesson_progress")
    op.drop_table("question_attempts")
    op.drop_table("attempt_rejections")
    op.drop_table("attempt_inbox")
