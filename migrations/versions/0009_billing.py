"""Plans, subscriptions and payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.support import keep_updated_at

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=True),
        sa.Column("period_unit", sa.Text(), server_default="month", nullable=False),
        sa.Column("period_count", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), server_default="IDR", nullable=False),
        sa.Column("trial_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("grace_days", sa.Integer(), server_default=sa.text("7"), nullable=False),
        sa.Column("features", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "code ~ '^[a-z0-9]+([._-][a-z0-9]+)*$' AND char_length(code) <= 100", name=op.f("ck_plans_code")
        ),
        sa.CheckConstraint("currency <> 'IDR' OR amount = trunc(amount)", name=op.f("ck_plans_amount_decimals")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_plans_currency")),
        sa.CheckConstraint("jsonb_typeof(features) = 'object'", name=op.f("ck_plans_features")),
        sa.CheckConstraint("name ~ '\\S' AND char_length(name) <= 200", name=op.f("ck_plans_name")),
        sa.CheckConstraint("period_unit IN ('week', 'month', 'year')", name=op.f("ck_plans_period_unit")),
        sa.CheckConstraint("amount > 0 AND amount <> 'NaN'", name=op.f("ck_plans_amount")),
        sa.CheckConstraint("grace_days BETWEEN 0 AND 90", name=op.f("ck_plans_grace_days")),
        sa.CheckConstraint("period_count BETWEEN 1 AND 60", name=op.f("ck_plans_period_count")),
        sa.CheckConstraint("trial_days BETWEEN 0 AND 366", name=op.f("ck_plans_trial_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("code", name="uq_plans_code"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("next_plan_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), server_default="trialing", nullable=False),
        sa.Column("anchor_on", sa.Date(), nullable=False),
        sa.Column("timezone", sa.Text(), server_default="Asia/Jakarta", nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), server_default="IDR", nullable=False),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resumes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declines", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=True),
        sa.Column("payment_token_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "currency <> 'IDR' OR amount = trunc(amount)", name=op.f("ck_subscriptions_amount_decimals")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_subscriptions_currency")),
        sa.CheckConstraint("gateway ~ '^[a-z][a-z0-9_]{0,31}$'", name=op.f("ck_subscriptions_gateway")),
        sa.CheckConstraint(
            "state <> 'cancelled' OR cancelled_at IS NOT NULL", name=op.f("ck_subscriptions_cancelled_at")
        ),
        sa.CheckConstraint("state <> 'paused' OR paused_at IS NOT NULL", name=op.f("ck_subscriptions_paused_at")),
        sa.CheckConstraint(
            "state IN ('trialing', 'active', 'past_due', 'paused', 'cancelled', 'expired')",
            name=op.f("ck_subscriptions_state"),
        ),
        sa.CheckConstraint(
            "timezone ~ '^(UTC|[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){1,2})$'",
            name=op.f("ck_subscriptions_timezone"),
        ),
        sa.CheckConstraint("amount > 0 AND amount <> 'NaN'", name=op.f("ck_subscriptions_amount")),
        sa.CheckConstraint("declines >= 0", name=op.f("ck_subscriptions_declines")),
        sa.CheckConstraint("period_end > period_start", name=op.f("ck_subscriptions_period")),
        sa.CheckConstraint("resumes_at > paused_at", name=op.f("ck_subscriptions_resumes_at")),
        sa.ForeignKeyConstraint(
            ["next_plan_id"], ["plans.id"], name=op.f("fk_subscriptions_next_plan_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_subscriptions_plan_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_subscriptions_user_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index(
        "idx_subscriptions_next_plan",
        "subscriptions",
        ["next_plan_id"],
        postgresql_where=sa.text("next_plan_id IS NOT NULL"),
    )
    op.create_index("idx_subscriptions_plan", "subscriptions", ["plan_id"])
    op.create_index(
        "idx_subscriptions_renewal",
        "subscriptions",
        ["period_end"],
        postgresql_where=sa.text("state IN ('trialing', 'active', 'past_due')"),
    )
    op.create_index("idx_subscriptions_user", "subscriptions", ["user_id"])
    op.create_table(
        "payment_transactions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="charge", nullable=False),
        sa.Column("state", sa.Text(), server_default="intended", nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("fee", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("gateway_reference", sa.Text(), nullable=True),
        sa.Column("decline_kind", sa.Text(), nullable=True),
        sa.Column("decline_code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'charge') = (parent_id IS NULL)", name=op.f("ck_payment_transactions_parent")),
        sa.CheckConstraint(
            "(state IN ('succeeded', 'declined', 'cancelled')) = (concluded_at IS NOT NULL)",
            name=op.f("ck_payment_transactions_concluded_at"),
        ),
        sa.CheckConstraint(
            "currency <> 'IDR' OR amount = trunc(amount)", name=op.f("ck_payment_transactions_amount_decimals")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_payment_transactions_currency")),
        sa.CheckConstraint("decline_kind IN ('hard', 'soft')", name=op.f("ck_payment_transactions_decline_kind")),
        sa.CheckConstraint("gateway ~ '^[a-z][a-z0-9_]{0,31}$'", name=op.f("ck_payment_transactions_gateway")),
        sa.CheckConstraint(
            "idempotency_key ~ '\\S' AND char_length(idempotency_key) <= 200",
            name=op.f("ck_payment_transactions_idempotency_key"),
        ),
        sa.CheckConstraint(
            "kind <> 'charge' OR (period_start IS NOT NULL AND period_end IS NOT NULL)",
            name=op.f("ck_payment_transactions_charge_period"),
        ),
        sa.CheckConstraint("kind IN ('charge', 'refund', 'chargeback')", name=op.f("ck_payment_transactions_kind")),
        sa.CheckConstraint(
            "state IN ('intended', 'pending', 'unknown', 'succeeded', 'declined', 'cancelled')",
            name=op.f("ck_payment_transactions_state"),
        ),
        sa.CheckConstraint("amount > 0 AND amount <> 'NaN'", name=op.f("ck_payment_transactions_amount")),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_payment_transactions_attempt")),
        sa.CheckConstraint("fee >= 0 AND fee <> 'NaN'", name=op.f("ck_payment_transactions_fee")),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_payment_transactions_parent_other")),
        sa.CheckConstraint("period_end > period_start", name=op.f("ck_payment_transactions_period")),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["payment_transactions.id"],
            name=op.f("fk_payment_transactions_parent_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_payment_transactions_subscription_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_payment_transactions_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_transactions")),
        sa.UniqueConstraint("gateway", "gateway_reference", name="uq_payment_transactions_gateway_reference"),
        sa.UniqueConstraint("idempotency_key", name="uq_payment_transactions_idempotency_key"),
    )
    op.create_index(
        "idx_payment_transactions_open",
        "payment_transactions",
        ["requested_at"],
        postgresql_where=sa.text("state IN ('intended', 'pending', 'unknown')"),
    )
    op.create_index(
        "idx_payment_transactions_parent",
        "payment_transactions",
        ["parent_id"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index(
        "idx_payment_transactions_subscription", "payment_transactions", ["subscription_id", "period_start"]
    )
    op.create_index("idx_payment_transactions_user", "payment_transactions", ["user_id"])
    op.create_index(
        "uq_payment_transactions_period",
        "payment_transactions",
        ["subscription_id", "period_start"],
        unique=True,
        postgresql_where=sa.text("kind = 'charge' AND state = 'succeeded'"),
    )
    keep_updated_at("plans", "subscriptions", "payment_transactions")
    op.execute(
        "CREATE TRIGGER subscriptions_check_timezone BEFORE INSERT OR UPDATE OF timezone ON subscriptions "
        "FOR EACH ROW EXECUTE FUNCTION check_time_zone()"
    )


def downgrade() -> None:
    op.drop_table("payment_transactions")
    op.drop_table("subscriptions")
    op.drop_table("plans")
