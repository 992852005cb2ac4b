"""The outbox at work: known tasks, checked entries, due times, confirmations, parked entries, and a wake-up call."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_tasks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("requires", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("accepts", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("from_app", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('task', 'job')", name=op.f("ck_job_tasks_kind")),
        sa.CheckConstraint("name ~ '\\S' AND char_length(name) <= 200", name=op.f("ck_job_tasks_name")),
        sa.CheckConstraint("queue ~ '\\S' AND char_length(queue) <= 100", name=op.f("ck_job_tasks_queue")),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_job_tasks")),
    )
    keep_updated_at("job_tasks")
    op.add_column("job_outbox", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_outbox", sa.Column("starts", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("job_outbox", sa.Column("done_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_outbox", sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True))
    # Nothing has relayed this table before now: it is empty or holds a few entries that nobody sent.
    op.execute("UPDATE job_outbox SET due_at = coalesce(not_before, created_at)")
    op.alter_column("job_outbox", "due_at", nullable=False)
    op.create_check_constraint(
        op.f("ck_job_outbox_dedupe_key"), "job_outbox", "dedupe_key ~ '\\S' AND char_length(dedupe_key) <= 200"
    )
    op.create_check_constraint(
        op.f("ck_job_outbox_payload_size"), "job_outbox", "octet_length(payload::text) <= 16384"
    )
    op.create_check_constraint(op.f("ck_job_outbox_starts"), "job_outbox", "starts >= 0")
    op.create_check_constraint(
        op.f("ck_job_outbox_parked"), "job_outbox", "parked_at IS NULL OR (done_at IS NULL AND error IS NOT NULL)"
    )
    op.drop_index("uq_job_outbox_dedupe_key", table_name="job_outbox")
    op.create_index(
        "uq_job_outbox_dedupe_key",
        "job_outbox",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("relayed_at IS NULL AND parked_at IS NULL"),
    )
    op.drop_index("idx_job_outbox_unrelayed", table_name="job_outbox")
    op.create_index(
        "idx_job_outbox_due",
        "job_outbox",
        ["due_at", "id"],
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.create_index(
        "idx_job_outbox_parked", "job_outbox", ["parked_at"], postgresql_where=sa.text("parked_at IS NOT NULL")
    )
    op.create_index("idx_job_outbox_done", "job_outbox", ["done_at"], postgresql_where=sa.text("done_at IS NOT NULL"))
    for name in ("job_outbox_problem", "check_job_outbox", "notify_job_outbox", "enqueue_job"):
        execute_file(f"0015_{name}")
    op.execute(
        "CREATE TRIGGER job_outbox_check BEFORE INSERT ON job_outbox FOR EACH ROW EXECUTE FUNCTION check_job_outbox()"
    )
    op.execute(
        "CREATE TRIGGER job_outbox_notify AFTER INSERT ON job_outbox "
        "FOR EACH STATEMENT EXECUTE FUNCTION notify_job_outbox()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER job_outbox_notify ON job_outbox")
    op.execute("DROP TRIGGER job_outbox_check ON job_outbox")
    op.execute("DROP FUNCTION enqueue_job(text, jsonb, text, timestamptz)")
    op.execute("DROP FUNCTION notify_job_outbox()")
    op.execute("DROP FUNCTION check_job_outbox()")
    op.execute("DROP FUNCTION job_outbox_problem(text, jsonb)")
    op.drop_index("idx_job_outbox_done", table_name="job_outbox")
    op.drop_index("idx_job_outbox_parked", table_name="job_outbox")
    op.drop_index("idx_job_outbox_due", table_name="job_outbox")
    op.drop_index("uq_job_outbox_dedupe_key", table_name="job_outbox")
    # Work that is done or given up must not look as if it still had to be sent.
    op.execute("DELETE FROM job_outbox WHERE done_at IS NOT NULL OR parked_at IS NOT NULL")
    op.create_index("idx_job_outbox_unrelayed", "job_outbox", ["id"], postgresql_where=sa.text("relayed_at IS NULL"))
    op.create_index(
        "uq_job_outbox_dedupe_key",
        "job_outbox",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("relayed_at IS NULL"),
    )
    for rule in ("parked", "starts", "payload_size", "dedupe_key"):
        op.drop_constraint(op.f(f"ck_job_outbox_{rule}"), "job_outbox")
    for column in ("parked_at", "done_at", "starts", "due_at"):
        op.drop_column("job_outbox", column)
    op.drop_table("job_tasks")
