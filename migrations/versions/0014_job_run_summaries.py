"""What is kept of old runs, and the index that finds them."""

import sqlalchemy as sa
from alembic import op

from migrations.support import keep_updated_at

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_run_summaries",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("succeeded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shards", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("items", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("longest_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("job ~ '\\S' AND char_length(job) <= 200", name=op.f("ck_job_run_summaries_job")),
        sa.CheckConstraint("least(succeeded, failed, cancelled, skipped) >= 0", name=op.f("ck_job_run_summaries_runs")),
        sa.CheckConstraint("least(shards, items) >= 0", name=op.f("ck_job_run_summaries_totals")),
        sa.CheckConstraint("longest_ms >= 0 AND longest_ms <= total_ms", name=op.f("ck_job_run_summaries_times")),
        sa.PrimaryKeyConstraint("job", "ended_on", name=op.f("pk_job_run_summaries")),
    )
    keep_updated_at("job_run_summaries")
    with op.get_context().autocommit_block():
        op.create_index(
            "idx_job_runs_finished",
            "job_runs",
            ["finished_at"],
            postgresql_where=sa.text("finished_at IS NOT NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("idx_job_runs_finished", "job_runs")
    op.drop_table("job_run_summaries")
