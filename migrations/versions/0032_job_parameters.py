"""The outbox: the names of a job's parameters are checked where the entry is written."""

from alembic import op

from migrations.support import execute_file

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    execute_file("0032_job_outbox_problem")


def downgrade() -> None:
    op.execute("DROP FUNCTION job_outbox_problem(text, jsonb)")
    execute_file("0015_job_outbox_problem")
