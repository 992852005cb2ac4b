"""Cards and due queues."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "srs_cards",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.Text(), server_default="question", nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("interval", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ease_factor", sa.Numeric(precision=4, scale=2), server_default=sa.text("2.50"), nullable=False),
        sa.Column("repetitions", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lapses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_review_date", sa.Date(), nullable=False),
        sa.Column("is_learning", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stability", sa.Double(), nullable=True),
        sa.Column("difficulty", sa.Double(), nullable=True),
        sa.Column("last_reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("item_type IN ('question')", name=op.f("ck_srs_cards_item_type")),
        sa.CheckConstraint("stability > 0 AND stability < 'Infinity'", name=op.f("ck_srs_cards_stability")),
        sa.CheckConstraint("state IN ('new', 'learning', 'review', 'relearning')", name=op.f("ck_srs_cards_state")),
        sa.CheckConstraint("difficulty BETWEEN 1 AND 10", name=op.f("ck_srs_cards_difficulty")),
        sa.CheckConstraint("ease_factor BETWEEN 1.30 AND 5.00", name=op.f("ck_srs_cards_ease_factor")),
        sa.CheckConstraint("interval >= 0", name=op.f("ck_srs_cards_interval")),
        sa.CheckConstraint("lapses >= 0", name=op.f("ck_srs_cards_lapses")),
        sa.CheckConstraint("repetitions >= 0", name=op.f("ck_srs_cards_repetitions")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_srs_cards_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_srs_cards")),
        sa.UniqueConstraint("user_id", "item_type", "item_id", name="uq_srs_cards_item"),
    )
    op.create_index(
        "idx_srs_cards_due", "srs_cards", ["user_id", "next_review_date"], postgresql_where=sa.text("NOT is_suspended")
    )
    op.create_table(
        "srs_due_queues",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("card_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("learning", sa.Integer(), nullable=False),
        sa.Column("review", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("overdue_total", sa.Integer(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cardinality(card_ids) = learning + review + new", name=op.f("ck_srs_due_queues_counts")),
        sa.CheckConstraint("learning >= 0", name=op.f("ck_srs_due_queues_learning")),
        sa.CheckConstraint("new >= 0", name=op.f("ck_srs_due_queues_new")),
        sa.CheckConstraint("overdue_total >= 0", name=op.f("ck_srs_due_queues_overdue_total")),
        sa.CheckConstraint("review >= 0", name=op.f("ck_srs_due_queues_review")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_srs_due_queues_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "local_date", name=op.f("pk_srs_due_queues")),
    )
    keep_updated_at("srs_cards", "srs_due_queues")
    execute_file("0006_delete_cards_of_questions")
    op.execute(
        "CREATE TRIGGER questions_delete_cards AFTER DELETE ON questions "
        "REFERENCING OLD TABLE AS deleted_questions FOR EACH STATEMENT EXECUTE FUNCTION delete_cards_of_questions()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER questions_delete_cards ON questions")
    op.execute("DROP FUNCTION delete_cards_of_questions()")
    op.drop_table("srs_due_queues")
    op.drop_table("srs_cards")
