"""What gateways tell us about money: notifications as received, settlement runs, and where the two books disagree."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, JsonObject, TimeOrderedKey, check, is_object, not_blank, one_of, references
from worker.models.billing import GATEWAY

WebhookState = Literal["received", "processed", "ignored", "failed"]
ReportSource = Literal["api", "file", "lookup"]
ReconciliationState = Literal["running", "succeeded", "failed"]
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


class ReconciliationRun(Base):
    """One comparison of a gateway's report with our transactions."""

    __tablename__ = "reconciliation_runs"

    id: Mapped[TimeOrderedKey]
    gateway: Mapped[str]
    settled_on: Mapped[date]
    """The day that the report covers, as the gateway counts days."""
    source: Mapped[ReportSource]
    report_digest: Mapped[str | None]
    """SHA-256 of the report in hexadecimal: the same report is recognised."""
    state: Mapped[ReconciliationState] = mapped_column(server_default="running")
    lines: Mapped[int] = mapped_column(server_default=text("0"))
    matched: Mapped[int] = mapped_column(server_default=text("0"))
    breaks: Mapped[int] = mapped_column(server_default=text("0"))
    """Breaks found by this run, new or seen before."""
    totals: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Sums by currency of both books, as decimal strings."""
    error: Mapped[str | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        check("gateway", GATEWAY),
        one_of("source", ReportSource),
        check("report_digest", "report_digest ~ '^[0-9a-f]{64}$'"),
        one_of("state", ReconciliationState),
        check("matched", "matched BETWEEN 0 AND lines"),
        check("breaks", "breaks >= 0"),
        is_object("totals"),
        check("finished_at", "(state = 'running') = (finished_at IS NULL)"),
        Index("idx_reconciliation_runs_day", "gateway", "settled_on"),
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
    """Our side; NULL: we know nothing of it."""
    fingerprint: Mapped[str]
    """Identity of the difference (gateway, kind, references): finding it again adds no second row."""
    kind: Mapped[BreakKind]
    state: Mapped[BreakState] = mapped_column(server_default="open")
    gateway: Mapped[str]
    gateway_reference: Mapped[str | None]
    our_amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    gateway_amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    """What each book says; NULL: it says nothing."""
    details: Mapped[JsonObject] = mapped_column(server_default="{}")
    suggested_action: Mapped[str] = mapped_column(server_default="")
    resolution: Mapped[str | None]
    """What was done about it."""
    resolved_by: Mapped[str | None]
    """Actor as in `audit_log.actor`; the job itself when it healed."""
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
        Index("idx_reconciliation_breaks_run", "run_id"),
        Index(
            "idx_reconciliation_breaks_transaction",
            "payment_transaction_id",
            postgresql_where=text("payment_transaction_id IS NOT NULL"),
        ),
        Index("idx_reconciliation_breaks_open", "gateway", "kind", postgresql_where=text("state = 'open'")),
    )
