"""The layouts of settlement reports that can be read, each a table of columns and what its words mean.

Columns are found by name, in any order, whatever else the file has: both gateways let each merchant choose the columns
of an export. Sources: Midtrans' dashboard (Transactions and Payouts; its guide "Dashboard Usage" and the Core API's
transaction statuses), Xendit's "Transactions report", version 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from worker.billing.settlement import LineKind, LineStatus

Names = tuple[str, ...]
"""What a column may be called, as `plain_name` writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one kind of report names its columns and its words."""

    name: str
    marks: Names
    """Columns by which the layout is recognised: it has all of them."""
    gateway: Names = ()
    reference: Names
    order_id: Names
    kind: Names
    status: Names
    amount: Names
    fees: tuple[Names, ...]
    """Columns whose sum is what the gateway kept; each may be absent."""
    currency: Names
    occurred_at: Names
    settled_on: Names
    kinds: Mapping[str, LineKind]
    """Words of the column `kind`, in capitals."""
    statuses: Mapping[str, LineStatus]
    """Words of the column `status`, in capitals."""
    kinds_by_status: Mapping[str, LineKind] = field(default_factory=dict)
    """Words of the column `status` that tell the kind where there is no column for it."""
    refund_reference: Names = ()
    refund_amount: Names = ()
    refund_occurred_at: Names = ()
    """Columns that refunds and chargebacks have for themselves, where the row shows them beside the charge's."""
    refunds_share_reference: bool = False
    """The column `reference` of a refund holds the charge's id: without one of its own it has none."""
    needs_settlement: bool = False
    """A line counts as settled only with a day of settlement; without one it is pending."""


MIDTRANS: Final = Layout(
    name="midtrans",
    marks=("order id", "transaction id", "transaction status"),
    reference=("transaction id",),
    order_id=("order id",),
    kind=("transaction type", "type"),
    status=("transaction status", "status"),
    amount=("gross amount", "amount"),
    fees=(("total fee", "fee"), ("mdr",), ("transaction fee",), ("vat", "ppn", "tax")),
    currency=("currency",),
    occurred_at=("transaction time", "date time", "date and time"),
    settled_on=("settlement time", "settlement date", "payout date"),
    kinds={
        "CHARGE": "charge",
        "PAYMENT": "charge",
        "REFUND": "refund",
        "PARTIAL_REFUND": "refund",
        "CHARGEBACK": "chargeback",
        "PARTIAL_CHARGEBACK": "chargeback",
        "FEE": "fee",
        "PAYOUT": "payout",
        "WITHDRAWAL": "payout",
    },
    statuses={
        "SETTLEMENT": "settled",
        "REFUND": "settled",
        "PARTIAL_REFUND": "settled",
        "CHARGEBACK": "settled",
        "PARTIAL_CHARGEBACK": "settled",
        "CAPTURE": "pending",
        "AUTHORIZE": "pending",
        "PENDING": "pending",
        "DENY": "failed",
        "CANCEL": "failed",
        "EXPIRE": "failed",
        "FAILURE": "failed",
    },
    kinds_by_status={
        "REFUND": "refund",
        "PARTIAL_REFUND": "refund",
        "CHARGEBACK": "chargeback",
        "PARTIAL_CHARGEBACK": "chargeback",
    },
    refund_reference=("refund key", "refund id"),
    refund_amount=("refund amount",),
    refund_occurred_at=("refund time",),
    refunds_share_reference=True,
)

XENDIT: Final = Layout(
    name="xendit",
    marks=("status", "type", "reference", "product id"),
    reference=("product id",),
    order_id=("reference", "reference id", "external id"),
    kind=("type", "transaction type"),
    status=("status", "transaction status"),
    amount=("amount",),
    fees=(("total fee", "fee", "transaction fee"), ("total vat", "vat", "transaction vat")),
    currency=("currency",),
    occurred_at=("payment date", "transaction date", "created date", "date created", "timestamp", "created"),
    settled_on=("settlement date", "settled date", "settled at"),
    kinds={
        "PAYMENT": "charge",
        "IN_PERSON_PAYMENT": "charge",
        "REFUND": "refund",
        "CHARGEBACK": "chargeback",
        "PLATFORM_FEE": "fee",
        "FEE": "fee",
        "WITHDRAWAL": "payout",
    },
    statuses={
        "SUCCESS": "settled",
        "SUCCESSFUL": "settled",
        "REFUNDED": "settled",
        "PARTIALLY_REFUNDED": "settled",
        "REFUND_PENDING": "settled",
        "PENDING": "pending",
        "FAILED": "failed",
        "VOIDED": "failed",
        "REVERSED": "failed",
    },
    needs_settlement=True,
)

NEUTRAL: Final = Layout(
    name="neutral",
    marks=("kind", "amount", "occurred at", "settled on"),
    gateway=("gateway",),
    reference=("gateway reference",),
    order_id=("order id",),
    kind=("kind",),
    status=("status",),
    amount=("amount",),
    fees=(("fee",),),
    currency=("currency",),
    occurred_at=("occurred at",),
    settled_on=("settled on",),
    kinds={
        "CHARGE": "charge",
        "REFUND": "refund",
        "CHARGEBACK": "chargeback",
        "FEE": "fee",
        "PAYOUT": "payout",
    },
    statuses={"SETTLED": "settled", "PENDING": "pending", "FAILED": "failed"},
)

LAYOUTS: Final = {layout.name: layout for layout in (NEUTRAL, MIDTRANS, XENDIT)}
