"""Jobs: pauses and how far periods are decided, cancelled shards, and an index for limits on what runs at once."""

import sqlalchemy as sa
from alembic import op

from migrations.support import keep_updated_at

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATES = "state IN ('pending', 'running', 'done', 'failed')"
STATES_AND_CANCELLED = "state IN ('pending', 'running', 'done', 'failed', 'cancelled')"


def upgrade() -> None:
    op.create_table(
        "job_controls",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("covered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("job ~ '\\S' AND char_length(job) <= 200", name=op.f("ck_job_controls_job")),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_controls")),
    )
    keep_updated_at("job_controls")
    _replace_states(STATES_AND_CANCELLED)
    with op.get_context().autocommit_block():
        op.create_index(
            "idx_job_shards_running",
            "job_shards",
            ["run_id"],
            postgresql_where=sa.text("state = 'running'"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("idx_job_shards_running", "job_shards")
    op.execute("UPDATE job_shards SET state = 'failed', error = 'cancelled' WHERE state = 'cancelled'")
    _replace_states(STATES)
    op.drop_table("job_controls")


def _replace_states(states: str) -> None:
    # Added unchecked and checked afterwards, so that workers are locked out for a moment only.
    op.drop_constraint(op.f("ck_job_shards_state"), "job_shards")
    op.execute(f"ALTER TABLE job_shards ADD CONSTRAINT ck_job_shards_state CHECK ({states}) NOT VALID")
    op.execute("ALTER TABLE job_shards VALIDATE CONSTRAINT ck_job_shards_state")
