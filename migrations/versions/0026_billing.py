"""Billing: allowed transitions, coupons, introductory and announced prices, invoices, one open charge at a time."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from migrations.support import execute_file, keep_updated_at

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_PLAN_CHECKS = {
    "ck_plans_introductory_amount": (
        "introductory_amount > 0 AND introductory_amount <> 'NaN'"
        " AND (currency <> 'IDR' OR introductory_amount = trunc(introductory_amount))"
    ),
    "ck_plans_introductory_periods": "introductory_periods >= 0",
}
_SUBSCRIPTION_CHECKS = {
    "ck_subscriptions_coupon_periods": "coupon_periods >= 0",
    "ck_subscriptions_introductory_periods": "introductory_periods >= 0",
    "ck_subscriptions_next_amount": (
        "next_amount > 0 AND next_amount <> 'NaN' AND (currency <> 'IDR' OR next_amount = trunc(next_amount))"
    ),
    "ck_subscriptions_next_amount_from": "(next_amount IS NULL) = (next_amount_from IS NULL)",
}
_INDEXES = (
    ("idx_subscriptions_resuming", "subscriptions", ["resumes_at"], "state = 'paused'", False),
    ("idx_subscriptions_due", "subscriptions", ["gateway", "next_attempt_at"], "next_attempt_at IS NOT NULL", False),
    (
        "uq_payment_transactions_open_charge",
        "payment_transactions",
        ["subscription_id"],
        "kind = 'charge' AND state IN ('intended', 'pending', 'unknown')",
        True,
    ),
    (
        "idx_payment_transactions_look_again",
        "payment_transactions",
        ["gateway", "look_again_at"],
        "state IN ('intended', 'pending', 'unknown')",
        False,
    ),
    ("idx_payment_transactions_invoice", "payment_transactions", ["invoice_id"], "invoice_id IS NOT NULL", False),
)


def _stamps() -> list[sa.Column[datetime]]:
    return [
        sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
        for name in ("created_at", "updated_at")
    ]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "coupons",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("percent_off", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("amount_off", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=True),
        sa.Column("periods", sa.SmallInteger(), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        *_stamps(),
        sa.CheckConstraint("code ~ '^[A-Z0-9]{3,40}$'", name=op.f("ck_coupons_code")),
        sa.CheckConstraint("percent_off > 0 AND percent_off <= 100", name=op.f("ck_coupons_percent_off")),
        sa.CheckConstraint("amount_off > 0 AND amount_off <> 'NaN'", name=op.f("ck_coupons_amount_off")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_coupons_currency")),
        sa.CheckConstraint(
            "(percent_off IS NULL) <> (amount_off IS NULL) AND (amount_off IS NULL) = (currency IS NULL)",
            name=op.f("ck_coupons_takes_off"),
        ),
        sa.CheckConstraint("periods >= 1", name=op.f("ck_coupons_periods")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("code", name="uq_coupons_code"),
    )
    op.add_column("plans", sa.Column("introductory_amount", sa.Numeric(precision=14, scale=2), nullable=True))
    op.add_column(
        "plans", sa.Column("introductory_periods", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
    for column in (
        sa.Column("coupon_id", sa.Uuid(), nullable=True),
        sa.Column("coupon_periods", sa.SmallInteger(), nullable=True),
        sa.Column("introductory_periods", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("next_amount_from", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("subscriptions", column)
    for table, checks in (("plans", _PLAN_CHECKS), ("subscriptions", _SUBSCRIPTION_CHECKS)):
        for name, condition in checks.items():
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    op.create_foreign_key(
        op.f("fk_subscriptions_coupon_id"), "subscriptions", "coupons", ["coupon_id"], ["id"], ondelete="RESTRICT"
    )
    op.create_index(
        "idx_subscriptions_coupon", "subscriptions", ["coupon_id"], postgresql_where=sa.text("coupon_id IS NOT NULL")
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("tax", sa.Numeric(precision=14, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        *_stamps(),
        sa.CheckConstraint("state IN ('open', 'paid', 'void')", name=op.f("ck_invoices_state")),
        sa.CheckConstraint("period_end > period_start", name=op.f("ck_invoices_period")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_invoices_currency")),
        sa.CheckConstraint(
            "total >= 0 AND total <> 'NaN' AND (currency <> 'IDR' OR total = trunc(total))",
            name=op.f("ck_invoices_total"),
        ),
        sa.CheckConstraint("tax >= 0 AND tax <= total", name=op.f("ck_invoices_tax")),
        sa.CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_invoices_paid_at")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invoices_user_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_invoices_subscription_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
    )
    op.create_index("idx_invoices_user", "invoices", ["user_id"])
    op.create_index(
        "uq_invoices_period",
        "invoices",
        ["subscription_id", "period_start"],
        unique=True,
        postgresql_where=sa.text("state <> 'void'"),
    )
    op.create_index("idx_invoices_subscription", "invoices", ["subscription_id"])
    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("tax", sa.Numeric(precision=14, scale=2), server_default=sa.text("0"), nullable=False),
        *_stamps(),
        sa.CheckConstraint(
            "kind IN ('plan', 'introductory', 'proration_credit', 'proration_charge', 'discount')",
            name=op.f("ck_invoice_lines_kind"),
        ),
        sa.CheckConstraint("amount <> 'NaN' AND tax <> 'NaN'", name=op.f("ck_invoice_lines_amount")),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_invoice_lines_subscription_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
    )
    op.create_index("idx_invoice_lines_subscription", "invoice_lines", ["subscription_id"])
    op.create_index(
        "idx_invoice_lines_invoice", "invoice_lines", ["invoice_id"], postgresql_where=sa.text("invoice_id IS NOT NULL")
    )
    op.add_column("payment_transactions", sa.Column("invoice_id", sa.Uuid(), nullable=True))
    op.add_column("payment_transactions", sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_payment_transactions_invoice_id"),
        "payment_transactions",
        "invoices",
        ["invoice_id"],
        ["id"],
        ondelete="RESTRICT",
    )
    op.add_column("webhook_inbox", sa.Column("order_key", sa.Text(), nullable=True))
    keep_updated_at("coupons", "invoices", "invoice_lines")
    execute_file("0026_check_subscription_transition")
    op.execute(
        "CREATE TRIGGER subscriptions_transition BEFORE UPDATE OF state ON subscriptions "
        "FOR EACH ROW EXECUTE FUNCTION check_subscription_transition()"
    )
    execute_file("0026_check_payment_transition")
    op.execute(
        "CREATE TRIGGER payment_transactions_transition BEFORE UPDATE OF state ON payment_transactions "
        "FOR EACH ROW EXECUTE FUNCTION check_payment_transition()"
    )
    # What is charged when it is due has its due time in one place from here on.
    op.execute(
        "UPDATE subscriptions SET next_attempt_at = period_end"
        " WHERE state IN ('trialing', 'active') AND NOT cancel_at_period_end AND next_attempt_at IS NULL"
    )
    for index, table, columns, condition, is_unique in _INDEXES:
        with op.get_context().autocommit_block():
            op.create_index(
                index,
                table,
                columns,
                unique=is_unique,
                postgresql_where=sa.text(condition),
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for index, table, *_ in _INDEXES:
        op.drop_index(index, table)
    op.execute("DROP TRIGGER payment_transactions_transition ON payment_transactions")
    op.execute("DROP FUNCTION check_payment_transition()")
    op.execute("DROP TRIGGER subscriptions_transition ON subscriptions")
    op.execute("DROP FUNCTION check_subscription_transition()")
    op.drop_column("payment_transactions", "look_again_at")
    op.drop_column("payment_transactions", "invoice_id")
    op.drop_column("webhook_inbox", "order_key")
    op.drop_table("invoice_lines")
    op.drop_table("invoices")
    for column in ("next_amount_from", "next_amount", "introductory_periods", "coupon_periods", "coupon_id"):
        op.drop_column("subscriptions", column)
    op.drop_column("plans", "introductory_periods")
    op.drop_column("plans", "introductory_amount")
    op.drop_table("coupons")
