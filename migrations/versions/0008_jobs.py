"""The job engine's ledger and its outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_runs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("trigger", sa.Text(), server_default="schedule", nullable=False),
        sa.Column("parameters", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("shards_total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shards_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shards_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("items", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("job ~ '\\S' AND char_length(job) <= 200", name=op.f("ck_job_runs_job")),
        sa.CheckConstraint("jsonb_typeof(parameters) = 'object'", name=op.f("ck_job_runs_parameters")),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')",
            name=op.f("ck_job_runs_state"),
        ),
        sa.CheckConstraint("trigger IN ('schedule', 'catch_up', 'manual', 'event')", name=op.f("ck_job_runs_trigger")),
        sa.CheckConstraint("items >= 0", name=op.f("ck_job_runs_items")),
        sa.CheckConstraint(
            "shards_done >= 0 AND shards_failed >= 0 AND shards_done + shards_failed <= shards_total",
            name=op.f("ck_job_runs_shards"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("job", "period", name="uq_job_runs_period"),
    )
    op.create_index(
        "idx_job_runs_unfinished",
        "job_runs",
        ["planned_at"],
        postgresql_where=sa.text("state IN ('planned', 'running')"),
    )
    op.create_table(
        "job_shards",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("bounds", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("starts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("items", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(bounds) = 'object'", name=op.f("ck_job_shards_bounds")),
        sa.CheckConstraint("state <> 'running' OR lease_expires_at IS NOT NULL", name=op.f("ck_job_shards_lease")),
        sa.CheckConstraint("state IN ('pending', 'running', 'done', 'failed')", name=op.f("ck_job_shards_state")),
        sa.CheckConstraint("items >= 0", name=op.f("ck_job_shards_items")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_job_shards_number")),
        sa.CheckConstraint("starts >= 0", name=op.f("ck_job_shards_starts")),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name=op.f("fk_job_shards_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_shards")),
        sa.UniqueConstraint("run_id", "number", name="uq_job_shards_number"),
    )
    op.create_index(
        "idx_job_shards_claimable",
        "job_shards",
        ["run_id", "number"],
        postgresql_where=sa.text("state IN ('pending', 'running')"),
    )
    op.create_table(
        "job_outbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("relayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("relays", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("jsonb_typeof(payload) = 'object'", name=op.f("ck_job_outbox_payload")),
        sa.CheckConstraint("task ~ '\\S' AND char_length(task) <= 200", name=op.f("ck_job_outbox_task")),
        sa.CheckConstraint("relays >= 0", name=op.f("ck_job_outbox_relays")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_outbox")),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 20000,
            "autovacuum_vacuum_cost_delay": 0,
            "autovacuum_analyze_scale_factor": 0,
            "autovacuum_analyze_threshold": 20000,
        },
    )
    op.create_index("idx_job_outbox_unrelayed", "job_outbox", ["id"], postgresql_where=sa.text("relayed_at IS NULL"))
    op.create_index(
        "uq_job_outbox_dedupe_key",
        "job_outbox",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("relayed_at IS NULL"),
    )
    keep_updated_at("job_runs", "job_shards", "job_outbox")


def downgrade() -> None:
    op.drop_table("job_outbox")
    op.drop_table("job_shards")
    op.drop_table("job_runs")
