"""FSRS: learning steps of cards, fitted parameters, and FSRS as the scheduler of new learners."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever is here already keeps SM-2, also those for whom only the default said so.
    op.execute(
        "INSERT INTO user_preferences (user_id, scheduler) SELECT id, 'sm2' FROM users ON CONFLICT (user_id) DO NOTHING"
    )
    op.alter_column("user_preferences", "scheduler", server_default="fsrs")
    op.add_column("srs_cards", sa.Column("step", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_srs_cards_step"), "srs_cards", "step >= 0")
    op.create_table(
        "srs_fits",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("parameters", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("is_accepted", sa.Boolean(), nullable=False),
        sa.Column("reviews", sa.Integer(), nullable=False),
        sa.Column("metrics", postgresql.JSONB(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cardinality(parameters) = 21", name=op.f("ck_srs_fits_parameters")),
        sa.CheckConstraint("reviews > 0", name=op.f("ck_srs_fits_reviews")),
        sa.CheckConstraint("jsonb_typeof(metrics) = 'object'", name=op.f("ck_srs_fits_metrics")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_srs_fits_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_srs_fits")),
    )
    op.create_index("idx_srs_fits_user", "srs_fits", ["user_id", "fitted_at"])
    keep_updated_at("srs_fits")


def downgrade() -> None:
    op.drop_table("srs_fits")
    op.drop_column("srs_cards", "step")
    op.alter_column("user_preferences", "scheduler", server_default="sm2")
