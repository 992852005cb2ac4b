"""Reconciliation: gateways' reports and their lines, days compared, a ledger in double entry.

`reconciliation_runs` becomes one row a gateway and day; what it said of reports stands in `settlement_imports`. No
release has written rows of either reconciliation table, so new columns need no defaults.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import execute_file, keep_updated_at

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_GATEWAY = "gateway ~ '^[a-z][a-z0-9_]{0,31}$'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP INDEX IF EXISTS idx_payment_transactions_concluded")  # of an attempt that was cut short
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY idx_payment_transactions_concluded"
            " ON payment_transactions (gateway, concluded_at) WHERE concluded_at IS NOT NULL"
        )
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "settlement_imports",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("problems", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        *_times(),
        sa.CheckConstraint(_GATEWAY, name=op.f("ck_settlement_imports_gateway")),
        sa.CheckConstraint("source IN ('api', 'file', 'lookup')", name=op.f("ck_settlement_imports_source")),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_settlement_imports_digest")),
        sa.CheckConstraint("name ~ '\\S' AND char_length(name) <= 500", name=op.f("ck_settlement_imports_name")),
        sa.CheckConstraint("added BETWEEN 0 AND lines", name=op.f("ck_settlement_imports_added")),
        sa.CheckConstraint("rejected >= 0", name=op.f("ck_settlement_imports_rejected")),
        sa.CheckConstraint("jsonb_typeof(problems) = 'array'", name=op.f("ck_settlement_imports_problems")),
        sa.CheckConstraint(
            "imported_by ~ '\\S' AND char_length(imported_by) <= 200", name=op.f("ck_settlement_imports_imported_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_imports")),
        sa.UniqueConstraint("gateway", "digest", name="uq_settlement_imports_digest"),
    )
    _create_lines()
    _create_ledger()
    keep_updated_at("settlement_imports", "settlement_lines", "ledger_entries")
    _days_instead_of_reports()
    _breaks_with_both_sides()
    execute_file("0027_ledger_postings")


def _create_lines() -> None:
    op.create_table(
        "settlement_lines",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=True),
        sa.Column("line_key", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gateway_reference", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("fee", sa.Numeric(precision=14, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        sa.Column("standing", sa.Text(), server_default="current", nullable=False),
        *_times(),
        sa.CheckConstraint("line_number >= 1", name=op.f("ck_settlement_lines_line_number")),
        sa.CheckConstraint(_GATEWAY, name=op.f("ck_settlement_lines_gateway")),
        sa.CheckConstraint(
            "kind IN ('charge', 'refund', 'chargeback', 'fee', 'payout')", name=op.f("ck_settlement_lines_kind")
        ),
        sa.CheckConstraint(
            "gateway_reference ~ '\\S' AND char_length(gateway_reference) <= 200",
            name=op.f("ck_settlement_lines_gateway_reference"),
        ),
        sa.CheckConstraint(
            "order_id ~ '\\S' AND char_length(order_id) <= 200", name=op.f("ck_settlement_lines_order_id")
        ),
        sa.CheckConstraint(
            "kind IN ('fee', 'payout') OR gateway_reference IS NOT NULL OR order_id IS NOT NULL",
            name=op.f("ck_settlement_lines_reference"),
        ),
        sa.CheckConstraint("amount > 0 AND amount <> 'NaN'", name=op.f("ck_settlement_lines_amount")),
        sa.CheckConstraint(
            "currency <> 'IDR' OR amount = trunc(amount)", name=op.f("ck_settlement_lines_amount_decimals")
        ),
        sa.CheckConstraint("fee >= 0 AND fee <> 'NaN'", name=op.f("ck_settlement_lines_fee")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_settlement_lines_currency")),
        sa.CheckConstraint("status IN ('settled', 'pending', 'failed')", name=op.f("ck_settlement_lines_status")),
        sa.CheckConstraint(
            "standing IN ('current', 'superseded', 'repeat')", name=op.f("ck_settlement_lines_standing")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["settlement_imports.id"],
            name=op.f("fk_settlement_lines_import_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_lines")),
        sa.UniqueConstraint("line_key", name="uq_settlement_lines_line_key"),
    )
    op.create_index("idx_settlement_lines_import", "settlement_lines", ["import_id"])
    op.create_index("idx_settlement_lines_day", "settlement_lines", ["gateway", "occurred_on"])
    op.create_index("idx_settlement_lines_settled", "settlement_lines", ["gateway", "settled_on"])
    op.create_index(
        "idx_settlement_lines_reference",
        "settlement_lines",
        ["gateway", "gateway_reference"],
        postgresql_where=sa.text("gateway_reference IS NOT NULL"),
    )
    op.create_index(
        "idx_settlement_lines_order",
        "settlement_lines",
        ["gateway", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount", sa.Numeric(precision=16, scale=2), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        *_times(),
        sa.CheckConstraint(_GATEWAY, name=op.f("ck_ledger_entries_gateway")),
        sa.CheckConstraint(
            "account IN ('charges', 'refunds', 'chargebacks', 'fees', 'receivable', 'cash', 'suspense')",
            name=op.f("ck_ledger_entries_account"),
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_ledger_entries_currency")),
        sa.CheckConstraint("amount <> 0 AND amount <> 'NaN'", name=op.f("ck_ledger_entries_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    op.create_index("idx_ledger_entries_day", "ledger_entries", ["day", "gateway"])
    op.create_index("idx_ledger_entries_journal", "ledger_entries", ["journal_id"])
    execute_file("0027_check_ledger_balance")
    op.execute(
        "CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_balance()"
    )
    execute_file("0027_refuse_ledger_change")
    op.execute(
        "CREATE TRIGGER ledger_entries_kept BEFORE UPDATE OR DELETE ON ledger_entries"
        " FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
    )


def _days_instead_of_reports() -> None:
    op.drop_index("idx_reconciliation_runs_day", "reconciliation_runs")
    for column in ("settled_on", "source", "report_digest", "state", "totals", "error", "started_at", "finished_at"):
        op.drop_column("reconciliation_runs", column)
    op.add_column("reconciliation_runs", sa.Column("paid_on", sa.Date(), nullable=False))
    op.add_column("reconciliation_runs", sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False))
    op.create_unique_constraint("uq_reconciliation_runs_day", "reconciliation_runs", ["gateway", "paid_on"])


def _breaks_with_both_sides() -> None:
    op.add_column("reconciliation_breaks", sa.Column("settlement_line_id", sa.Uuid(), nullable=True))
    op.add_column("reconciliation_breaks", sa.Column("paid_on", sa.Date(), nullable=False))
    op.add_column("reconciliation_breaks", sa.Column("order_id", sa.Text(), nullable=True))
    op.add_column("reconciliation_breaks", sa.Column("currency", sa.CHAR(length=3), nullable=False))
    op.add_column("reconciliation_breaks", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False))
    op.create_check_constraint(
        op.f("ck_reconciliation_breaks_currency"), "reconciliation_breaks", "currency ~ '^[A-Z]{3}$'"
    )
    op.create_foreign_key(
        op.f("fk_reconciliation_breaks_settlement_line_id"),
        "reconciliation_breaks",
        "settlement_lines",
        ["settlement_line_id"],
        ["id"],
        ondelete="RESTRICT",
    )
    op.create_index("idx_reconciliation_breaks_day", "reconciliation_breaks", ["gateway", "paid_on"])
    op.create_index(
        "idx_reconciliation_breaks_line",
        "reconciliation_breaks",
        ["settlement_line_id"],
        postgresql_where=sa.text("settlement_line_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION ledger_postings(text, date, date)")
    op.drop_constraint("ck_reconciliation_breaks_currency", "reconciliation_breaks")
    for column in ("settlement_line_id", "paid_on", "order_id", "currency", "opened_at"):
        op.drop_column("reconciliation_breaks", column)
    op.drop_constraint("uq_reconciliation_runs_day", "reconciliation_runs")
    for column in ("paid_on", "compared_at"):
        op.drop_column("reconciliation_runs", column)
    op.add_column("reconciliation_runs", sa.Column("settled_on", sa.Date(), nullable=False))
    op.add_column("reconciliation_runs", sa.Column("source", sa.Text(), nullable=False))
    op.add_column("reconciliation_runs", sa.Column("report_digest", sa.Text(), nullable=True))
    op.add_column("reconciliation_runs", sa.Column("state", sa.Text(), server_default="running", nullable=False))
    op.add_column("reconciliation_runs", sa.Column("totals", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("reconciliation_runs", sa.Column("error", sa.Text(), nullable=True))
    op.add_column("reconciliation_runs", sa.Column("started_at", sa.DateTime(timezone=True), nullable=False))
    op.add_column("reconciliation_runs", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    for rule, condition in {
        "source": "source IN ('api', 'file', 'lookup')",
        "totals": "jsonb_typeof(totals) = 'object'",
        "report_digest": "report_digest ~ '^[0-9a-f]{64}$'",
        "state": "state IN ('running', 'succeeded', 'failed')",
        "finished_at": "(state = 'running') = (finished_at IS NULL)",
    }.items():
        op.create_check_constraint(op.f(f"ck_reconciliation_runs_{rule}"), "reconciliation_runs", condition)
    op.create_index("idx_reconciliation_runs_day", "reconciliation_runs", ["gateway", "settled_on"])
    op.drop_table("ledger_entries")
    op.execute("DROP FUNCTION check_ledger_balance()")
    op.execute("DROP FUNCTION refuse_ledger_change()")
    op.drop_table("settlement_lines")
    op.drop_table("settlement_imports")
    op.drop_index("idx_payment_transactions_concluded", "payment_transactions")


def _times() -> tuple[sa.Column[object], sa.Column[object]]:
    def column(name: str) -> sa.Column[object]:
        return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)

    return column("created_at"), column("updated_at")
