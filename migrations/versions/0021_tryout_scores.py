"""Tryouts: the order of states, versions of answers, results, earlier scores and the cohort's distribution."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tryout_sessions", sa.Column("is_passed", sa.Boolean(), nullable=True))
    # Constant defaults are kept in the catalogue: no table is rewritten.
    op.add_column("tryout_answers", sa.Column("sequence", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("ALTER TABLE tryout_answers ADD CONSTRAINT ck_tryout_answers_sequence CHECK (sequence >= 0) NOT VALID")
    op.execute("ALTER TABLE tryout_answers VALIDATE CONSTRAINT ck_tryout_answers_sequence")
    # Scoring writes each answer once more: with room on the page that touches no index.
    op.execute("ALTER TABLE tryout_answers SET (fillfactor = 60)")
    op.create_table(
        "tryout_score_changes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("tryout_session_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("earlier_raw_score", sa.Numeric(precision=10, scale=4), nullable=False),
        sa.Column("earlier_max_score", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column("earlier_is_passed", sa.Boolean(), nullable=True),
        sa.Column("earlier_scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("earlier_result", postgresql.JSONB(), nullable=False),
        sa.Column("raw_score", sa.Numeric(precision=10, scale=4), nullable=False),
        sa.Column("max_score", sa.Numeric(precision=10, scale=4), nullable=True),
        sa.Column("is_passed", sa.Boolean(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "reason ~ '\\S' AND char_length(reason) <= 500", name=op.f("ck_tryout_score_changes_reason")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(earlier_result) = 'object'", name=op.f("ck_tryout_score_changes_earlier_result")
        ),
        sa.CheckConstraint("changed_at >= earlier_scored_at", name=op.f("ck_tryout_score_changes_changed_at")),
        sa.ForeignKeyConstraint(
            ["tryout_session_id"],
            ["tryout_sessions.id"],
            name=op.f("fk_tryout_score_changes_tryout_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tryout_score_changes")),
    )
    op.create_index("idx_tryout_score_changes_session", "tryout_score_changes", ["tryout_session_id", "changed_at"])
    op.create_index(
        "idx_tryout_score_changes_run",
        "tryout_score_changes",
        ["run_id"],
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_table(
        "tryout_cohort_scores",
        sa.Column("question_set_id", sa.Uuid(), nullable=False),
        sa.Column("raw_score", sa.Numeric(precision=10, scale=4), nullable=False),
        sa.Column("sittings", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("raw_score <> 'NaN'", name=op.f("ck_tryout_cohort_scores_raw_score")),
        sa.CheckConstraint("sittings >= 0", name=op.f("ck_tryout_cohort_scores_sittings")),
        sa.ForeignKeyConstraint(
            ["question_set_id"],
            ["question_sets.id"],
            name=op.f("fk_tryout_cohort_scores_question_set_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("question_set_id", "raw_score", name=op.f("pk_tryout_cohort_scores")),
        postgresql_with={"fillfactor": 50},
    )
    keep_updated_at("tryout_score_changes", "tryout_cohort_scores")
    execute_file("0021_check_tryout_transition")
    op.execute(
        "CREATE TRIGGER tryout_sessions_transition BEFORE UPDATE OF state, started_at, submitted_at "
        "ON tryout_sessions FOR EACH ROW EXECUTE FUNCTION check_tryout_transition()"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TRIGGER tryout_sessions_transition ON tryout_sessions")
    op.execute("DROP FUNCTION check_tryout_transition()")
    op.drop_table("tryout_cohort_scores")
    op.drop_table("tryout_score_changes")
    op.execute("ALTER TABLE tryout_answers RESET (fillfactor)")
    op.drop_column("tryout_answers", "sequence")
    op.drop_column("tryout_sessions", "is_passed")
