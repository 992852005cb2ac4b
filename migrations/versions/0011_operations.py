"""Search marks, the backup catalogue's mirror and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_dirty",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("object_type IN ('lesson', 'question')", name=op.f("ck_search_dirty_object_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_dirty")),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0,
            "autovacuum_vacuum_threshold": 20000,
            "autovacuum_vacuum_cost_delay": 0,
            "autovacuum_analyze_scale_factor": 0,
            "autovacuum_analyze_threshold": 20000,
        },
    )
    op.create_table(
        "backups",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("server_version", sa.Text(), nullable=False),
        sa.Column("start_lsn", sa.Text(), nullable=True),
        sa.Column("end_lsn", sa.Text(), nullable=True),
        sa.Column("timeline", sa.Integer(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=True),
        sa.Column("checksum_state", sa.Text(), server_default="unchecked", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restore_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'incremental') = (parent_id IS NOT NULL)", name=op.f("ck_backups_parent")),
        sa.CheckConstraint(
            "checksum_state IN ('unchecked', 'valid', 'corrupt')", name=op.f("ck_backups_checksum_state")
        ),
        sa.CheckConstraint("end_lsn ~ '^[0-9A-F]{1,8}/[0-9A-F]{1,8}$'", name=op.f("ck_backups_end_lsn")),
        sa.CheckConstraint("jsonb_typeof(details) = 'object'", name=op.f("ck_backups_details")),
        sa.CheckConstraint("kind IN ('full', 'incremental', 'logical')", name=op.f("ck_backups_kind")),
        sa.CheckConstraint("label ~ '\\S' AND char_length(label) <= 200", name=op.f("ck_backups_label")),
        sa.CheckConstraint("start_lsn ~ '^[0-9A-F]{1,8}/[0-9A-F]{1,8}$'", name=op.f("ck_backups_start_lsn")),
        sa.CheckConstraint("state <> 'complete' OR finished_at IS NOT NULL", name=op.f("ck_backups_finished_at")),
        sa.CheckConstraint("state IN ('running', 'complete', 'failed', 'pruned')", name=op.f("ck_backups_state")),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_backups_parent_other")),
        sa.CheckConstraint("restore_ms >= 0", name=op.f("ck_backups_restore_ms")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_backups_size_bytes")),
        sa.CheckConstraint("stored_bytes >= 0", name=op.f("ck_backups_stored_bytes")),
        sa.CheckConstraint("timeline > 0", name=op.f("ck_backups_timeline")),
        sa.ForeignKeyConstraint(["parent_id"], ["backups.id"], name=op.f("fk_backups_parent_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backups")),
        sa.UniqueConstraint("label", name="uq_backups_label"),
    )
    op.create_index("idx_backups_parent", "backups", ["parent_id"], postgresql_where=sa.text("parent_id IS NOT NULL"))
    op.create_index("idx_backups_started", "backups", ["started_at"])
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("action ~ '\\S' AND char_length(action) <= 200", name=op.f("ck_audit_log_action")),
        sa.CheckConstraint("actor ~ '\\S' AND char_length(actor) <= 200", name=op.f("ck_audit_log_actor")),
        sa.CheckConstraint("object_id ~ '\\S' AND char_length(object_id) <= 200", name=op.f("ck_audit_log_object_id")),
        sa.CheckConstraint(
            "object_type ~ '\\S' AND char_length(object_type) <= 100", name=op.f("ck_audit_log_object_type")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("idx_audit_log_actor", "audit_log", ["actor", "occurred_at"])
    op.create_index("idx_audit_log_object", "audit_log", ["object_type", "object_id", "occurred_at"])
    op.create_index("idx_audit_log_occurred", "audit_log", ["occurred_at"])
    keep_updated_at("search_dirty", "backups", "audit_log")


def downgrade() -> None:
    op.drop_table("audit_log")
    op.drop_table("backups")
    op.drop_table("search_dirty")
