"""Gateway notifications and the reconciliation of payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_inbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("starts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("event_id ~ '\\S' AND char_length(event_id) <= 500", name=op.f("ck_webhook_inbox_event_id")),
        sa.CheckConstraint("gateway ~ '^[a-z][a-z0-9_]{0,31}$'", name=op.f("ck_webhook_inbox_gateway")),
        sa.CheckConstraint(
            "state <> 'processed' OR processed_at IS NOT NULL", name=op.f("ck_webhook_inbox_processed_at")
        ),
        sa.CheckConstraint(
            "state IN ('received', 'processed', 'ignored', 'failed')", name=op.f("ck_webhook_inbox_state")
        ),
        sa.CheckConstraint("starts >= 0", name=op.f("ck_webhook_inbox_starts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_inbox")),
        sa.UniqueConstraint("gateway", "event_id", name="uq_webhook_inbox_event"),
    )
    op.create_index(
        "idx_webhook_inbox_waiting", "webhook_inbox", ["received_at"], postgresql_where=sa.text("state = 'received'")
    )
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("report_digest", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("lines", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("matched", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("breaks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("totals", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'running') = (finished_at IS NULL)", name=op.f("ck_reconciliation_runs_finished_at")
        ),
        sa.CheckConstraint("gateway ~ '^[a-z][a-z0-9_]{0,31}$'", name=op.f("ck_reconciliation_runs_gateway")),
        sa.CheckConstraint("jsonb_typeof(totals) = 'object'", name=op.f("ck_reconciliation_runs_totals")),
        sa.CheckConstraint("report_digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_reconciliation_runs_report_digest")),
        sa.CheckConstraint("source IN ('api', 'file', 'lookup')", name=op.f("ck_reconciliation_runs_source")),
        sa.CheckConstraint("state IN ('running', 'succeeded', 'failed')", name=op.f("ck_reconciliation_runs_state")),
        sa.CheckConstraint("breaks >= 0", name=op.f("ck_reconciliation_runs_breaks")),
        sa.CheckConstraint("matched BETWEEN 0 AND lines", name=op.f("ck_reconciliation_runs_matched")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_runs")),
    )
    op.create_index("idx_reconciliation_runs_day", "reconciliation_runs", ["gateway", "settled_on"])
    op.create_table(
        "reconciliation_breaks",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("payment_transaction_id", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("gateway_reference", sa.Text(), nullable=True),
        sa.Column("our_amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("gateway_amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("suggested_action", sa.Text(), server_default="", nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name=op.f("ck_reconciliation_breaks_closed_at")),
        sa.CheckConstraint(
            "fingerprint ~ '\\S' AND char_length(fingerprint) <= 200", name=op.f("ck_reconciliation_breaks_fingerprint")
        ),
        sa.CheckConstraint("gateway ~ '^[a-z][a-z0-9_]{0,31}$'", name=op.f("ck_reconciliation_breaks_gateway")),
        sa.CheckConstraint("jsonb_typeof(details) = 'object'", name=op.f("ck_reconciliation_breaks_details")),
        sa.CheckConstraint(
            "kind IN ('missing_at_gateway', 'missing_here', 'amount', 'currency', 'status', 'duplicate_charge', 'fee', 'late_settlement', 'unknown_refund', 'unknown_chargeback')",
            name=op.f("ck_reconciliation_breaks_kind"),
        ),
        sa.CheckConstraint("state IN ('open', 'healed', 'resolved')", name=op.f("ck_reconciliation_breaks_state")),
        sa.CheckConstraint(
            "gateway_amount >= 0 AND gateway_amount <> 'NaN'", name=op.f("ck_reconciliation_breaks_gateway_amount")
        ),
        sa.CheckConstraint("our_amount >= 0 AND our_amount <> 'NaN'", name=op.f("ck_reconciliation_breaks_our_amount")),
        sa.ForeignKeyConstraint(
            ["payment_transaction_id"],
            ["payment_transactions.id"],
            name=op.f("fk_reconciliation_breaks_payment_transaction_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reconciliation_runs.id"], name=op.f("fk_reconciliation_breaks_run_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_breaks")),
        sa.UniqueConstraint("fingerprint", name="uq_reconciliation_breaks_fingerprint"),
    )
    op.create_index(
        "idx_reconciliation_breaks_open",
        "reconciliation_breaks",
        ["gateway", "kind"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("idx_reconciliation_breaks_run", "reconciliation_breaks", ["run_id"])
    op.create_index(
        "idx_reconciliation_breaks_transaction",
        "reconciliation_breaks",
        ["payment_transaction_id"],
        postgresql_where=sa.text("payment_transaction_id IS NOT NULL"),
    )
    keep_updated_at("webhook_inbox", "reconciliation_runs", "reconciliation_breaks")


def downgrade() -> None:
    op.drop_table("reconciliation_breaks")
    op.drop_table("reconciliation_runs")
    op.drop_table("webhook_inbox")
