"""The audit log: append-only, and chained by digests that the database itself computes.

Entries from before become the chain's first block, in one pass over the table.
"""

import sqlalchemy as sa
from alembic import op

from migrations.support import execute_file, keep_updated_at

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "audit_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_audit_blocks_number")),
        sa.CheckConstraint("entries > 0", name=op.f("ck_audit_blocks_entries")),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_audit_blocks_digest")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_blocks")),
        sa.UniqueConstraint("block_id", name="uq_audit_blocks_block_id"),
    )
    keep_updated_at("audit_blocks")
    op.add_column("audit_log", sa.Column("block_id", sa.Uuid(), nullable=True))
    op.add_column("audit_log", sa.Column("digest", sa.LargeBinary(), nullable=True))
    for name in ("audit_digest", "stamp_audit_entry", "seal_audit_block", "refuse_audit_change"):
        execute_file(f"0029_{name}")
    op.execute("REVOKE ALL ON FUNCTION seal_audit_block() FROM PUBLIC")
    _chain_earlier_entries()
    op.alter_column("audit_log", "block_id", nullable=False)
    op.alter_column("audit_log", "digest", nullable=False)
    op.create_index("idx_audit_log_block", "audit_log", ["block_id"])
    op.execute(
        "CREATE TRIGGER audit_log_stamp BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION stamp_audit_entry()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER audit_log_seal AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION seal_audit_block()"
    )
    for table in ("audit_log", "audit_blocks"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )


def _chain_earlier_entries() -> None:
    op.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_set_updated_at")
    op.execute("UPDATE audit_log SET block_id = drawn.id FROM (SELECT gen_random_uuid() AS id OFFSET 0) AS drawn")
    op.execute("UPDATE audit_log SET digest = audit_digest(audit_log)")
    op.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_set_updated_at")
    op.execute(
        "INSERT INTO audit_blocks (number, block_id, entries, digest) SELECT 1, block_id, count(*), "
        "sha256(int8send(1) || uuid_send(block_id) || string_agg(digest, '' ORDER BY id)) "
        "FROM audit_log GROUP BY block_id"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for trigger in ("no_truncate", "append_only", "seal", "stamp"):
        op.execute(f"DROP TRIGGER audit_log_{trigger} ON audit_log")
    op.drop_table("audit_blocks")
    for function in ("refuse_audit_change()", "seal_audit_block()", "stamp_audit_entry()", "audit_digest(audit_log)"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("audit_log", "digest")
    op.drop_column("audit_log", "block_id")
