"""Plans, subscriptions and the money that moves for them.

Rows of finance are kept: nothing here goes away with its user or plan, and deletion of those is refused instead.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import CHAR, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    TIME_ZONE,
    Base,
    Currency,
    JsonObject,
    Money,
    RandomKey,
    SmallInt,
    TimeOrderedKey,
    check,
    currency_code,
    is_object,
    money_checks,
    not_blank,
    one_of,
    references,
)

PeriodUnit = Literal["week", "month", "year"]
SubscriptionState = Literal["trialing", "active", "past_due", "paused", "cancelled", "expired"]
TransactionKind = Literal["charge", "refund", "chargeback"]
TransactionState = Literal["intended", "pending", "unknown", "succeeded", "declined", "cancelled"]
DeclineKind = Literal["hard", "soft"]
InvoiceState = Literal["open", "paid", "void"]
InvoiceLineKind = Literal["plan", "introductory", "proration_credit", "proration_charge", "discount"]

GATEWAY = "gateway ~ '^[a-z][a-z0-9_]{0,31}$'"


class Plan(Base):
    """Something one can subscribe to, at its list price."""

    __tablename__ = "plans"

    id: Mapped[RandomKey]
    code: Mapped[str]
    name: Mapped[str]
    name_id: Mapped[str | None]
    """Indonesian."""
    period_unit: Mapped[PeriodUnit] = mapped_column(server_default="month")
    period_count: Mapped[SmallInt] = mapped_column(server_default=text("1"))
    """Units in a period: a quarter is 3 months."""
    amount: Mapped[Money]
    """Price of a period."""
    currency: Mapped[Currency] = mapped_column(server_default="IDR")
    trial_days: Mapped[int] = mapped_column(server_default=text("0"))
    grace_days: Mapped[int] = mapped_column(server_default=text("7"))
    """Days of access after an unpaid period began."""
    introductory_amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    """Price of each of the first `introductory_periods` paid periods."""
    introductory_periods: Mapped[SmallInt] = mapped_column(server_default=text("0"))
    features: Mapped[JsonObject] = mapped_column(server_default="{}")
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    """Open to new subscribers."""

    __table_args__ = (
        check("code", "code ~ '^[a-z0-9]+([._-][a-z0-9]+)*$' AND char_length(code) <= 100"),
        not_blank("name", 200),
        one_of("period_unit", PeriodUnit),
        check("period_count", "period_count BETWEEN 1 AND 60"),
        *money_checks("amount"),
        currency_code(),
        check("trial_days", "trial_days BETWEEN 0 AND 366"),
        check("grace_days", "grace_days BETWEEN 0 AND 90"),
        check(
            "introductory_amount",
            "introductory_amount > 0 AND introductory_amount <> 'NaN'"
            " AND (currency <> 'IDR' OR introductory_amount = trunc(introductory_amount))",
        ),
        check("introductory_periods", "introductory_periods >= 0"),
        is_object("features"),
        UniqueConstraint("code", name="uq_plans_code"),
    )


class Coupon(Base):
    """A reduction of the price: a share or an amount, for some or all paid periods."""

    __tablename__ = "coupons"

    id: Mapped[RandomKey]
    code: Mapped[str]
    """Capitals and digits, as people type it."""
    percent_off: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    amount_off: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(CHAR(3))
    """Of `amount_off`."""
    periods: Mapped[int | None] = mapped_column(SmallInteger)
    """Paid periods for which it counts; NULL: all."""
    valid_until: Mapped[datetime | None]
    """Before which it can be taken."""

    __table_args__ = (
        check("code", "code ~ '^[A-Z0-9]{3,40}$'"),
        check("percent_off", "percent_off > 0 AND percent_off <= 100"),
        check("amount_off", "amount_off > 0 AND amount_off <> 'NaN'"),
        currency_code(),
        check(
            "takes_off", "(percent_off IS NULL) <> (amount_off IS NULL) AND (amount_off IS NULL) = (currency IS NULL)"
        ),
        check("periods", "periods >= 1"),
        UniqueConstraint("code", name="uq_coupons_code"),
    )


class Subscription(Base):
    """A user's subscription to a plan and its current period."""

    __tablename__ = "subscriptions"

    id: Mapped[RandomKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="RESTRICT"))
    plan_id: Mapped[UUID] = mapped_column(references("plans.id", on_delete="RESTRICT"))
    next_plan_id: Mapped[UUID | None] = mapped_column(references("plans.id", on_delete="RESTRICT"))
    """Takes over at the end of the current period (a downgrade)."""
    state: Mapped[SubscriptionState] = mapped_column(server_default="trialing")
    anchor_on: Mapped[date]
    """Day from which periods are counted, in `timezone`: from Jan 31 follow Feb 28 or 29, then Mar 31."""
    timezone: Mapped[str] = mapped_column(server_default="Asia/Jakarta")
    """In which periods begin at midnight; fixed when subscribing, whatever the user's zone becomes."""
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    """The current period: from `period_start`, before `period_end`."""
    amount: Mapped[Money]
    """Price of a period for this subscriber."""
    currency: Mapped[Currency] = mapped_column(server_default="IDR")
    trial_ends_at: Mapped[datetime | None]
    grace_ends_at: Mapped[datetime | None]
    """Until when a past-due subscription keeps its access."""
    cancel_at_period_end: Mapped[bool] = mapped_column(server_default=text("false"))
    cancelled_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    resumes_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    """When the subscription is charged next: at its period's end, or at the next try; NULL: a charge is open, or none
    is planned."""
    declines: Mapped[SmallInt] = mapped_column(server_default=text("0"))
    """Declined charges of the period that is due."""
    gateway: Mapped[str | None]
    """Name of the payment gateway's adapter."""
    payment_token_encrypted: Mapped[bytes | None]
    """The gateway's token of the payment method, encrypted; never card data."""
    coupon_id: Mapped[UUID | None] = mapped_column(references("coupons.id", on_delete="RESTRICT"))
    coupon_periods: Mapped[int | None] = mapped_column(SmallInteger)
    """Paid periods for which the coupon still counts; NULL: all."""
    introductory_periods: Mapped[SmallInt] = mapped_column(server_default=text("0"))
    """Paid periods at the introductory price that are left."""
    next_amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    """The price of periods that begin at or after `next_amount_from`: announced to the subscriber."""
    next_amount_from: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", SubscriptionState),
        check("timezone", TIME_ZONE),
        check("period", "period_end > period_start"),
        *money_checks("amount"),
        currency_code(),
        check("cancelled_at", "state <> 'cancelled' OR cancelled_at IS NOT NULL"),
        check("paused_at", "state <> 'paused' OR paused_at IS NOT NULL"),
        check("resumes_at", "resumes_at > paused_at"),
        check("declines", "declines >= 0"),
        check("gateway", GATEWAY),
        check("coupon_periods", "coupon_periods >= 0"),
        check("introductory_periods", "introductory_periods >= 0"),
        check(
            "next_amount",
            "next_amount > 0 AND next_amount <> 'NaN' AND (currency <> 'IDR' OR next_amount = trunc(next_amount))",
        ),
        check("next_amount_from", "(next_amount IS NULL) = (next_amount_from IS NULL)"),
        Index("idx_subscriptions_user", "user_id"),
        Index("idx_subscriptions_resuming", "resumes_at", postgresql_where=text("state = 'paused'")),
        Index("idx_subscriptions_coupon", "coupon_id", postgresql_where=text("coupon_id IS NOT NULL")),
        Index(
            "idx_subscriptions_due",
            "gateway",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index("idx_subscriptions_plan", "plan_id"),
        Index("idx_subscriptions_next_plan", "next_plan_id", postgresql_where=text("next_plan_id IS NOT NULL")),
        Index(
            "idx_subscriptions_renewal",
            "period_end",
            postgresql_where=text("state IN ('trialing', 'active', 'past_due')"),
        ),
    )


class PaymentTransaction(Base):
    """One movement of money: intended and committed first, then asked of the gateway, then concluded.

    A charge whose outcome nobody knows is `unknown`, and only the gateway's own word changes that. Among successful
    charges `uq_payment_transactions_period` allows one a subscription and period.
    """

    __tablename__ = "payment_transactions"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="RESTRICT"))
    subscription_id: Mapped[UUID] = mapped_column(references("subscriptions.id", on_delete="RESTRICT"))
    kind: Mapped[TransactionKind] = mapped_column(server_default="charge")
    state: Mapped[TransactionState] = mapped_column(server_default="intended")
    parent_id: Mapped[UUID | None] = mapped_column(references("payment_transactions.id", on_delete="RESTRICT"))
    """The charge that a refund or chargeback takes back."""
    invoice_id: Mapped[UUID | None] = mapped_column(references("invoices.id", on_delete="RESTRICT"))
    """What a charge pays."""
    amount: Mapped[Money]
    """Above zero for every kind; the kind gives the direction."""
    currency: Mapped[Currency]
    fee: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    """What the gateway kept, in the same currency; known when it settles."""
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    """The period that a charge pays for."""
    attempt: Mapped[SmallInt] = mapped_column(server_default=text("1"))
    """Which try of this period's charge it is."""
    idempotency_key: Mapped[str]
    """`subscription-period_start-attempt` for charges, at most 50 characters; sent to the gateway as the order's id."""
    gateway: Mapped[str]
    gateway_reference: Mapped[str | None]
    """The gateway's own id of it."""
    decline_kind: Mapped[DeclineKind | None]
    """hard: this payment method will not work again; soft: it may later."""
    decline_code: Mapped[str | None]
    """In the gateway's words."""
    error: Mapped[str | None]
    requested_at: Mapped[datetime | None]
    """When the gateway was called."""
    look_again_at: Mapped[datetime | None]
    """When the gateway is asked next what became of it, while that is not known."""
    concluded_at: Mapped[datetime | None]
    """When the outcome became known."""
    settled_on: Mapped[date | None]
    """Day of the settlement in which the gateway paid it out."""

    __table_args__ = (
        one_of("kind", TransactionKind),
        one_of("state", TransactionState),
        check("parent", "(kind = 'charge') = (parent_id IS NULL)"),
        check("parent_other", "parent_id <> id"),
        *money_checks("amount"),
        currency_code(),
        check("fee", "fee >= 0 AND fee <> 'NaN'"),
        check("period", "period_end > period_start"),
        check("charge_period", "kind <> 'charge' OR (period_start IS NOT NULL AND period_end IS NOT NULL)"),
        check("attempt", "attempt >= 1"),
        not_blank("idempotency_key", 200),
        check("gateway", GATEWAY),
        one_of("decline_kind", DeclineKind),
        check("concluded_at", "(state IN ('succeeded', 'declined', 'cancelled')) = (concluded_at IS NOT NULL)"),
        UniqueConstraint("idempotency_key", name="uq_payment_transactions_idempotency_key"),
        UniqueConstraint("gateway", "gateway_reference", name="uq_payment_transactions_gateway_reference"),
        Index(
            "uq_payment_transactions_period",
            "subscription_id",
            "period_start",
            unique=True,
            postgresql_where=text("kind = 'charge' AND state = 'succeeded'"),
        ),
        Index(
            "uq_payment_transactions_open_charge",
            "subscription_id",
            unique=True,
            postgresql_where=text("kind = 'charge' AND state IN ('intended', 'pending', 'unknown')"),
        ),
        Index("idx_payment_transactions_user", "user_id"),
        Index(
            "idx_payment_transactions_look_again",
            "gateway",
            "look_again_at",
            postgresql_where=text("state IN ('intended', 'pending', 'unknown')"),
        ),
        Index("idx_payment_transactions_invoice", "invoice_id", postgresql_where=text("invoice_id IS NOT NULL")),
        Index("idx_payment_transactions_subscription", "subscription_id", "period_start"),
        Index(
            "idx_payment_transactions_concluded",
            "gateway",
            "concluded_at",
            postgresql_where=text("concluded_at IS NOT NULL"),
        ),
        Index("idx_payment_transactions_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index(
            "idx_payment_transactions_open",
            "requested_at",
            postgresql_where=text("state IN ('intended', 'pending', 'unknown')"),
        ),
    )


class Invoice(Base):
    """What one period of a subscription costs, tax included; its lines add up to it."""

    __tablename__ = "invoices"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="RESTRICT"))
    subscription_id: Mapped[UUID] = mapped_column(references("subscriptions.id", on_delete="RESTRICT"))
    state: Mapped[InvoiceState] = mapped_column(server_default="open")
    """void: the period was never paid and is over for good."""
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    currency: Mapped[Currency]
    total: Mapped[Money]
    tax: Mapped[Money] = mapped_column(server_default=text("0"))
    """The share of `total` that is tax."""
    issued_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", InvoiceState),
        check("period", "period_end > period_start"),
        currency_code(),
        check("total", "total >= 0 AND total <> 'NaN' AND (currency <> 'IDR' OR total = trunc(total))"),
        check("tax", "tax >= 0 AND tax <= total"),
        check("paid_at", "(state = 'paid') = (paid_at IS NOT NULL)"),
        Index("idx_invoices_user", "user_id"),
        Index("idx_invoices_subscription", "subscription_id"),
        Index(
            "uq_invoices_period",
            "subscription_id",
            "period_start",
            unique=True,
            postgresql_where=text("state <> 'void'"),
        ),
    )


class InvoiceLine(Base):
    """A line of an invoice, or one that waits for the subscription's next invoice."""

    __tablename__ = "invoice_lines"

    id: Mapped[TimeOrderedKey]
    subscription_id: Mapped[UUID] = mapped_column(references("subscriptions.id", on_delete="RESTRICT"))
    invoice_id: Mapped[UUID | None] = mapped_column(references("invoices.id", on_delete="RESTRICT"))
    """NULL: it waits for the next one."""
    kind: Mapped[InvoiceLineKind]
    amount: Mapped[Money]
    """With tax; below 0 for credits and discounts."""
    tax: Mapped[Money] = mapped_column(server_default=text("0"))

    __table_args__ = (
        one_of("kind", InvoiceLineKind),
        check("amount", "amount <> 'NaN' AND tax <> 'NaN'"),
        Index("idx_invoice_lines_subscription", "subscription_id"),
        Index("idx_invoice_lines_invoice", "invoice_id", postgresql_where=text("invoice_id IS NOT NULL")),
    )
