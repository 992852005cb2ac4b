"""What gateways tell us about money: notifications as received, settlement reports, where the two books disagree."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    Base,
    Currency,
    JsonObject,
    Money,
    TimeOrderedKey,
    check,
    currency_code,
    is_object,
    money_checks,
    not_blank,
    one_of,
    references,
)
from worker.models.billing import GATEWAY

LineKind = Literal["charge", "refund", "chargeback", "fee", "payout"]
LineStatus = Literal["settled", "pending", "failed"]

WebhookState = Literal["received", "processed", "ignored", "failed"]
ReportSource = Literal["api", "file", "lookup"]
LineStanding = Literal["current", "superseded", "repeat"]
Account = Literal["charges", "refunds", "chargebacks", "fees", "receivable", "cash", "suspense"]
BreakKind = Literal[
    "missing_at_gateway",
    "missing_here",
    "amount",
    "currency",
    "status",
    "duplicate_charge",
    "fee",
    "late_settlement",
    "unknown_refund",
    "unknown_chargeback",
]
BreakState = Literal["open", "healed", "resolved"]


class WebhookInbox(Base):
    """A gateway's notification whose signature was right; `uq_webhook_inbox_event` makes a replay a duplicate."""

    __tablename__ = "webhook_inbox"

    id: Mapped[TimeOrderedKey]
    gateway: Mapped[str]
    event_id: Mapped[str]
    """The gateway's id of the event; where it sends none, a digest of what identifies it."""
    event_type: Mapped[str] = mapped_column(server_default="")
    order_key: Mapped[str | None]
    """Our idempotency key of the payment it is about; NULL: it names none."""
    body: Mapped[bytes]
    """The raw body, over which the signature was made."""
    state: Mapped[WebhookState] = mapped_column(server_default="received")
    """ignored: an event we know nothing to do about; kept."""
    starts: Mapped[int] = mapped_column(server_default=text("0"))
    """How often processing was tried."""
    error: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    processed_at: Mapped[datetime | None]

    __table_args__ = (
        check("gateway", GATEWAY),
        not_blank("event_id", 500),
        one_of("state", WebhookState),
        check("starts", "starts >= 0"),
        check("processed_at", "state <> 'processed' OR processed_at IS NOT NULL"),
        UniqueConstraint("gateway", "event_id", name="uq_webhook_inbox_event"),
        Index("idx_webhook_inbox_waiting", "received_at", postgresql_where=text("state = 'received'")),
    )


class SettlementImport(Base):
    """A gateway's report as it was taken in; `uq_settlement_imports_digest` makes the same report again nothing."""

    __tablename__ = "settlement_imports"

    id: Mapped[TimeOrderedKey]
    gateway: Mapped[str]
    source: Mapped[ReportSource]
    digest: Mapped[str]
    """SHA-256 in hexadecimal: of a file's bytes, of an API's lines."""
    name: Mapped[str]
    """The file's name, or the day that the API was asked for."""
    lines: Mapped[int]
    """Lines that could be read."""
    added: Mapped[int]
    """Those of them that no earlier report had."""
    rejected: Mapped[int] = mapped_column(server_default=text("0"))
    """Lines that could not be read."""
    problems: Mapped[list[Any]] = mapped_column(server_default="[]")
    """The first rejected lines: number, field, problem."""
    imported_by: Mapped[str]
    """Actor as in `audit_log.actor`."""
    imported_at: Mapped[datetime]

    __table_args__ = (
        check("gateway", GATEWAY),
        one_of("source", ReportSource),
        check("digest", "digest ~ '^[0-9a-f]{64}$'"),
        not_blank("name", 500),
        check("added", "added BETWEEN 0 AND lines"),
        check("rejected", "rejected >= 0"),
        check("problems", "jsonb_typeof(problems) = 'array'"),
        not_blank("imported_by", 200),
        UniqueConstraint("gateway", "digest", name="uq_settlement_imports_digest"),
    )


class SettlementLine(Base):
    """A movement of money in a gateway's book; what its fields mean: `worker.billing.settlement.SettlementLine`."""

    __tablename__ = "settlement_lines"

    id: Mapped[TimeOrderedKey]
    import_id: Mapped[UUID] = mapped_column(references("settlement_imports.id", on_delete="RESTRICT"))
    """The report that had it first."""
    line_number: Mapped[int | None]
    """Where it stands in that file."""
    line_key: Mapped[UUID]
    """Digest of all that the line says: the same line of another report is the same line."""
    gateway: Mapped[str]
    kind: Mapped[LineKind]
    gateway_reference: Mapped[str | None]
    order_id: Mapped[str | None]
    amount: Mapped[Money]
    fee: Mapped[Money] = mapped_column(server_default=text("0"))
    currency: Mapped[Currency]
    status: Mapped[LineStatus]
    occurred_at: Mapped[datetime]
    occurred_on: Mapped[date]
    """The day of `occurred_at` in Jakarta, by which lines are compared."""
    settled_on: Mapped[date]
    standing: Mapped[LineStanding] = mapped_column(server_default="current")
    """current: what counts. superseded: a later line of the same movement says more (pending, then settled). repeat:
    the movement was settled before."""

    __table_args__ = (
        check("line_number", "line_number >= 1"),
        check("gateway", GATEWAY),
        one_of("kind", LineKind),
        not_blank("gateway_reference", 200),
        not_blank("order_id", 200),
        check("reference", "kind IN ('fee', 'payout') OR gateway_reference IS NOT NULL OR order_id IS NOT NULL"),
        *money_checks("amount"),
        check("fee", "fee >= 0 AND fee <> 'NaN'"),
        currency_code(),
        one_of("status", LineStatus),
        one_of("standing", LineStanding),
        UniqueConstraint("line_key", name="uq_settlement_lines_line_key"),
        Index("idx_settlement_lines_import", "import_id"),
        Index("idx_settlement_lines_day", "gateway", "occurred_on"),
        Index("idx_settlement_lines_settled", "gateway", "settled_on"),
        Index(
            "idx_settlement_lines_reference",
            "gateway",
            "gateway_reference",
            postgresql_where=text("gateway_reference IS NOT NULL"),
        ),
        Index("idx_settlement_lines_order", "gateway", "order_id", postgresql_where=text("order_id IS NOT NULL")),
    )


class ReconciliationRun(Base):
    """What the newest comparison of a gateway's day with ours found. One that finds the same writes nothing."""

    __tablename__ = "reconciliation_runs"

    id: Mapped[TimeOrderedKey]
    gateway: Mapped[str]
    paid_on: Mapped[date]
    """The day, in Jakarta, on which customers paid or were paid back."""
    lines: Mapped[int] = mapped_column(server_default=text("0"))
    """Settled charges, refunds and chargebacks in the gateway's book."""
    matched: Mapped[int] = mapped_column(server_default=text("0"))
    """Those of them that belong to a transaction of ours."""
    breaks: Mapped[int] = mapped_column(server_default=text("0"))
    """Differences of the day, new or seen before."""
    compared_at: Mapped[datetime]
    """When this was found first."""

    __table_args__ = (
        check("gateway", GATEWAY),
        check("matched", "matched BETWEEN 0 AND lines"),
        check("breaks", "breaks >= 0"),
        UniqueConstraint("gateway", "paid_on", name="uq_reconciliation_runs_day"),
    )


class ReconciliationBreak(Base):
    """A difference between the gateway's book and ours, open until it heals or a person resolves it."""

    __tablename__ = "reconciliation_breaks"

    id: Mapped[TimeOrderedKey]
    run_id: Mapped[UUID] = mapped_column(references("reconciliation_runs.id", on_delete="RESTRICT"))
    """The run that found it first."""
    payment_transaction_id: Mapped[UUID | None] = mapped_column(
        references("payment_transactions.id", on_delete="RESTRICT")
    )
    """Our side; NULL: we know nothing of it. Of an unknown refund or chargeback: the charge it takes back."""
    settlement_line_id: Mapped[UUID | None] = mapped_column(references("settlement_lines.id", on_delete="RESTRICT"))
    """The gateway's side; NULL: it says nothing."""
    fingerprint: Mapped[str]
    """Identity of the difference (gateway, kind, references, what differs): finding it again adds no second row."""
    kind: Mapped[BreakKind]
    state: Mapped[BreakState] = mapped_column(server_default="open")
    gateway: Mapped[str]
    paid_on: Mapped[date]
    """The day to whose comparison it belongs."""
    gateway_reference: Mapped[str | None]
    order_id: Mapped[str | None]
    currency: Mapped[Currency]
    our_amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    gateway_amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    """What each book says, fees where the fee differs; NULL: it says nothing."""
    details: Mapped[JsonObject] = mapped_column(server_default="{}")
    suggested_action: Mapped[str] = mapped_column(server_default="")
    resolution: Mapped[str | None]
    """What was done about it."""
    resolved_by: Mapped[str | None]
    """Actor as in `audit_log.actor`; the job itself when it healed."""
    opened_at: Mapped[datetime]
    """When it was found; anew if it came back after healing."""
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        not_blank("fingerprint", 200),
        one_of("kind", BreakKind),
        one_of("state", BreakState),
        check("gateway", GATEWAY),
        check("our_amount", "our_amount >= 0 AND our_amount <> 'NaN'"),
        check("gateway_amount", "gateway_amount >= 0 AND gateway_amount <> 'NaN'"),
        is_object("details"),
        check("closed_at", "(state = 'open') = (closed_at IS NULL)"),
        UniqueConstraint("fingerprint", name="uq_reconciliation_breaks_fingerprint"),
        currency_code(),
        Index("idx_reconciliation_breaks_run", "run_id"),
        Index("idx_reconciliation_breaks_day", "gateway", "paid_on"),
        Index(
            "idx_reconciliation_breaks_line",
            "settlement_line_id",
            postgresql_where=text("settlement_line_id IS NOT NULL"),
        ),
        Index(
            "idx_reconciliation_breaks_transaction",
            "payment_transaction_id",
            postgresql_where=text("payment_transaction_id IS NOT NULL"),
        ),
        Index("idx_reconciliation_breaks_open", "gateway", "kind", postgresql_where=text("state = 'open'")),
    )


class LedgerEntry(Base):
    """One side of a journal in double entry. Never changed: a day that came out otherwise gets correcting entries."""

    __tablename__ = "ledger_entries"

    id: Mapped[TimeOrderedKey]
    journal_id: Mapped[UUID]
    """The entries of one journal add up to zero, checked at COMMIT (`tr_ledger_entries_balanced`)."""
    gateway: Mapped[str]
    day: Mapped[date]
    """The day, in Jakarta, to which the money belongs."""
    account: Mapped[Account]
    currency: Mapped[Currency]
    amount: Mapped[Decimal] = mapped_column(Numeric(16, 2))
    """Debits above zero, credits below."""
    booked_at: Mapped[datetime]

    __table_args__ = (
        check("gateway", GATEWAY),
        one_of("account", Account),
        currency_code(),
        check("amount", "amount <> 0 AND amount <> 'NaN'"),
        Index("idx_ledger_entries_day", "day", "gateway"),
        Index("idx_ledger_entries_journal", "journal_id"),
    )
