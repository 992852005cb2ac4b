"""Cases of the checks on plans, subscriptions, payments and reconciliation."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tests.factories_operations import make_transaction
from tests.models.cases import Case, bounds, case, filled, json_object, money, vocabulary
from worker.models.billing import (
    DeclineKind,
    InvoiceLineKind,
    InvoiceState,
    PeriodUnit,
    SubscriptionState,
    TransactionKind,
    TransactionState,
)
from worker.models.reconciliation import (
    Account,
    BreakKind,
    BreakState,
    LineKind,
    LineStanding,
    LineStatus,
    ReportSource,
    WebhookState,
)

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NAN = Decimal("NaN")
TRANSACTION_ID = UUID("0190163d-8694-739b-aea5-966c26f8ad91")


def gateway(table: str) -> Case:
    return case(
        f"ck_{table}_gateway",
        refused=[{"gateway": ""}, {"gateway": "Midtrans"}, {"gateway": "1x"}, {"gateway": "a" * 33}],
        accepted=[{"gateway": "x"}, {"gateway": "midtrans_2"}, {"gateway": "a" * 32}],
    )


def not_negative(table: str, column: str) -> Case:
    return case(
        f"ck_{table}_{column}",
        refused=[{column: Decimal("-0.01")}, {column: NAN}],
        accepted=[{column: Decimal(0)}, {column: None}],
    )


PLANS: list[Case] = [
    case(
        "ck_plans_code",
        refused=[{"code": ""}, {"code": "Premium"}, {"code": "a..b"}, {"code": "a" * 101}],
        accepted=[{"code": "a"}, {"code": "premium.monthly-2026_a"}, {"code": "a" * 100}],
    ),
    filled("plans", "name", 200),
    vocabulary("plans", "period_unit", PeriodUnit, outside="day"),
    bounds("plans", "period_count", 1, 60),
    *money("plans"),
    bounds("plans", "trial_days", 0, 366),
    bounds("plans", "grace_days", 0, 90),
    case(
        "ck_plans_introductory_amount",
        refused=[{"introductory_amount": Decimal(0)}, {"introductory_amount": Decimal("1.5")}],
        accepted=[{"introductory_amount": Decimal(1)}, {"introductory_amount": Decimal("1.5"), "currency": "USD"}],
    ),
    bounds("plans", "introductory_periods", 0),
    json_object("plans", "features"),
]

SUBSCRIPTIONS: list[Case] = [
    vocabulary(
        "subscriptions",
        "state",
        SubscriptionState,
        needs={"cancelled": {"cancelled_at": T0}, "paused": {"paused_at": T0}},
    ),
    case(
        "ck_subscriptions_timezone",
        refused=[{"timezone": "asia/jakarta"}, {"timezone": "WIB"}, {"timezone": "Asia/Atlantis"}],
        accepted=[{"timezone": "UTC"}, {"timezone": "Asia/Makassar"}],
    ),
    case(
        "ck_subscriptions_period",
        refused=[{"period_start": T0, "period_end": T0}, {"period_start": T0, "period_end": T0 - TICK}],
        accepted=[{"period_start": T0, "period_end": T0 + TICK}],
    ),
    *money("subscriptions"),
    case(
        "ck_subscriptions_cancelled_at",
        refused=[{"state": "cancelled"}],
        accepted=[{"state": "cancelled", "cancelled_at": T0}, {"state": "active", "cancelled_at": T0}],
    ),
    case(
        "ck_subscriptions_paused_at",
        refused=[{"state": "paused"}],
        accepted=[{"state": "paused", "paused_at": T0}, {"state": "active", "paused_at": T0}],
    ),
    case(
        "ck_subscriptions_resumes_at",
        refused=[{"paused_at": T0, "resumes_at": T0}],
        accepted=[{"paused_at": T0, "resumes_at": T0 + TICK}, {"paused_at": T0}],
    ),
    bounds("subscriptions", "declines", 0),
    gateway("subscriptions"),
    bounds("subscriptions", "coupon_periods", 0),
    bounds("subscriptions", "introductory_periods", 0),
    case(
        "ck_subscriptions_next_amount",
        refused=[{"next_amount": Decimal(0), "next_amount_from": T0}, {"next_amount": NAN, "next_amount_from": T0}],
        accepted=[{"next_amount": Decimal(1), "next_amount_from": T0}, {}],
    ),
    case(
        "ck_subscriptions_next_amount_from",
        refused=[{"next_amount": Decimal(1)}, {"next_amount_from": T0}],
        accepted=[{"next_amount": Decimal(1), "next_amount_from": T0}],
    ),
]

AMOUNT_OFF = {"percent_off": None, "amount_off": Decimal(5_000), "currency": "IDR"}
COUPONS: list[Case] = [
    case(
        "ck_coupons_code",
        refused=[{"code": "AB"}, {"code": "hemat"}, {"code": "A" * 41}],
        accepted=[{"code": "ABC"}, {"code": "9" * 40}],
    ),
    case(
        "ck_coupons_percent_off",
        refused=[{"percent_off": Decimal(0)}, {"percent_off": Decimal("100.01")}],
        accepted=[{"percent_off": Decimal("0.01")}, {"percent_off": Decimal(100)}],
    ),
    case(
        "ck_coupons_amount_off",
        refused=[AMOUNT_OFF | {"amount_off": Decimal(0)}, AMOUNT_OFF | {"amount_off": NAN}],
        accepted=[AMOUNT_OFF | {"amount_off": Decimal("0.01")}],
    ),
    case(
        "ck_coupons_currency",
        refused=[AMOUNT_OFF | {"currency": "idr"}],
        accepted=[AMOUNT_OFF | {"currency": "USD"}],
    ),
    case(
        "ck_coupons_takes_off",
        refused=[{"percent_off": None}, AMOUNT_OFF | {"percent_off": Decimal(1)}, AMOUNT_OFF | {"currency": None}],
        accepted=[{}, AMOUNT_OFF],
    ),
    bounds("coupons", "periods", 1),
]
INVOICES: list[Case] = [
    vocabulary("invoices", "state", InvoiceState, needs={"paid": {"paid_at": T0}}),
    case(
        "ck_invoices_period",
        refused=[{"period_start": T0, "period_end": T0}],
        accepted=[{"period_start": T0, "period_end": T0 + TICK}],
    ),
    case("ck_invoices_currency", refused=[{"currency": "idr"}], accepted=[{"currency": "USD"}]),
    case(
        "ck_invoices_total",
        refused=[{"total": Decimal("0.5")}, {"total": NAN}],
        accepted=[{"total": Decimal(0)}, {"total": Decimal("0.5"), "currency": "USD"}],
    ),
    case(
        "ck_invoices_tax",
        refused=[{"tax": Decimal(-1)}, {"total": Decimal(10), "tax": Decimal(11)}],
        accepted=[{"total": Decimal(10), "tax": Decimal(10)}],
    ),
    case(
        "ck_invoices_paid_at",
        refused=[{"state": "paid"}, {"state": "open", "paid_at": T0}],
        accepted=[{"state": "paid", "paid_at": T0}, {"state": "void"}],
    ),
    vocabulary("invoice_lines", "kind", InvoiceLineKind),
    case(
        "ck_invoice_lines_amount",
        refused=[{"amount": NAN}, {"tax": NAN}],
        accepted=[{"amount": Decimal(-1), "tax": Decimal("-0.1")}],
    ),
]

REFUND = {"parent_id": make_transaction, "period_start": None, "period_end": None}
CONCLUDED = {"concluded_at": T0}
TRANSACTIONS: list[Case] = [
    vocabulary(
        "payment_transactions",
        "kind",
        TransactionKind,
        needs={"refund": REFUND, "chargeback": REFUND},
    ),
    vocabulary(
        "payment_transactions",
        "state",
        TransactionState,
        needs={"succeeded": CONCLUDED, "declined": CONCLUDED, "cancelled": CONCLUDED},
    ),
    case(
        "ck_payment_transactions_parent",
        refused=[{"kind": "refund"}, {"kind": "charge", "parent_id": make_transaction}],
        accepted=[REFUND | {"kind": "refund"}, {"kind": "charge"}],
    ),
    case(
        "ck_payment_transactions_parent_other",
        refused=[{"id": TRANSACTION_ID, "kind": "refund", "parent_id": TRANSACTION_ID}],
        accepted=[REFUND | {"id": TRANSACTION_ID, "kind": "refund"}],
    ),
    *money("payment_transactions"),
    not_negative("payment_transactions", "fee"),
    case(
        "ck_payment_transactions_period",
        refused=[{"period_start": T0, "period_end": T0}],
        accepted=[{"period_start": T0, "period_end": T0 + TICK}],
    ),
    case(
        "ck_payment_transactions_charge_period",
        refused=[{"period_end": None}, {"period_start": None, "period_end": T0}],
        accepted=[REFUND | {"kind": "chargeback"}],
    ),
    bounds("payment_transactions", "attempt", 1),
    filled("payment_transactions", "idempotency_key", 200),
    gateway("payment_transactions"),
    vocabulary("payment_transactions", "decline_kind", DeclineKind),
    case(
        "ck_payment_transactions_concluded_at",
        refused=[{"state": "succeeded"}, {"state": "declined"}, {"state": "unknown", "concluded_at": T0}],
        accepted=[{"state": "succeeded", "concluded_at": T0}, {"state": "unknown"}, {"state": "pending"}],
    ),
]

RECONCILIATION: list[Case] = [
    gateway("webhook_inbox"),
    filled("webhook_inbox", "event_id", 500),
    vocabulary("webhook_inbox", "state", WebhookState, needs={"processed": {"processed_at": T0}}),
    bounds("webhook_inbox", "starts", 0),
    case(
        "ck_webhook_inbox_processed_at",
        refused=[{"state": "processed"}],
        accepted=[{"state": "processed", "processed_at": T0}, {"state": "failed"}],
    ),
    gateway("settlement_imports"),
    vocabulary("settlement_imports", "source", ReportSource),
    case(
        "ck_settlement_imports_digest",
        refused=[{"digest": "a" * 63}, {"digest": "a" * 65}, {"digest": "A" * 64}],
        accepted=[{"digest": "0123456789abcdef" * 4}],
    ),
    filled("settlement_imports", "name", 500),
    case(
        "ck_settlement_imports_added",
        refused=[{"lines": 2, "added": 3}, {"lines": 2, "added": -1}],
        accepted=[{"lines": 2, "added": 2}, {"lines": 2, "added": 0}],
    ),
    bounds("settlement_imports", "rejected", 0),
    case("ck_settlement_imports_problems", refused=[{"problems": {}}], accepted=[{"problems": [1]}]),
    filled("settlement_imports", "imported_by", 200),
    bounds("settlement_lines", "line_number", 1),
    gateway("settlement_lines"),
    vocabulary("settlement_lines", "kind", LineKind),
    filled("settlement_lines", "gateway_reference", 200),
    filled("settlement_lines", "order_id", 200),
    case(
        "ck_settlement_lines_reference",
        refused=[{"gateway_reference": None}, {"gateway_reference": None, "kind": "refund"}],
        accepted=[{"gateway_reference": None, "order_id": "a"}, {"gateway_reference": None, "kind": "payout"}],
    ),
    *money("settlement_lines"),
    case(
        "ck_settlement_lines_fee",
        refused=[{"fee": Decimal("-0.01")}, {"fee": NAN}],
        accepted=[{"fee": Decimal(0)}, {"fee": Decimal("0.01")}],
    ),
    vocabulary("settlement_lines", "status", LineStatus),
    vocabulary("settlement_lines", "standing", LineStanding),
    gateway("ledger_entries"),
    vocabulary("ledger_entries", "account", Account),
    case(
        "ck_ledger_entries_currency",
        refused=[{"currency": "idr"}, {"currency": "ID"}],
        accepted=[{"currency": "USD"}],
    ),
    case(
        "ck_ledger_entries_amount",
        refused=[{"amount": Decimal(0)}, {"amount": NAN}],
        accepted=[{"amount": Decimal("-0.01")}, {"amount": Decimal("0.01")}],
    ),
    gateway("reconciliation_runs"),
    case(
        "ck_reconciliation_runs_matched",
        refused=[{"lines": 2, "matched": 3}, {"lines": 2, "matched": -1}, {"lines": -1}],
        accepted=[{"lines": 2, "matched": 2}, {"lines": 2, "matched": 0}],
    ),
    bounds("reconciliation_runs", "breaks", 0),
    filled("reconciliation_breaks", "fingerprint", 200),
    vocabulary("reconciliation_breaks", "kind", BreakKind),
    vocabulary(
        "reconciliation_breaks",
        "state",
        BreakState,
        needs={"healed": {"closed_at": T0}, "resolved": {"closed_at": T0}},
        stranger={"closed_at": T0},
    ),
    gateway("reconciliation_breaks"),
    not_negative("reconciliation_breaks", "our_amount"),
    not_negative("reconciliation_breaks", "gateway_amount"),
    json_object("reconciliation_breaks", "details"),
    case(
        "ck_reconciliation_breaks_currency",
        refused=[{"currency": "idr"}, {"currency": "ID"}],
        accepted=[{"currency": "USD"}],
    ),
    case(
        "ck_reconciliation_breaks_closed_at",
        refused=[{"state": "open", "closed_at": T0}, {"state": "healed"}],
        accepted=[{"state": "open"}, {"state": "resolved", "closed_at": T0}],
    ),
]

CASES = PLANS + SUBSCRIPTIONS + COUPONS + INVOICES + TRANSACTIONS + RECONCILIATION
