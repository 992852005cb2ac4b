"""A line of a gateway's settlement report: what an adapter lists, what a CSV file parses to, what is reconciled."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

LineKind = Literal["charge", "refund", "chargeback", "fee", "payout"]
"""charge: the customer paid. refund, chargeback: the customer got money back. fee: the gateway took a fee that belongs
to no single movement (a monthly fee, a disbursement fee). payout: the gateway paid us to the bank."""

LineStatus = Literal["settled", "pending", "failed"]
"""settled: the money moved and counts in our balance. pending: the gateway has not concluded. failed: nothing moved."""


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money in the gateway's book."""

    gateway: str
    """Name of the adapter: `midtrans`, `xendit`, `stripe`."""
    gateway_reference: str | None
    """The gateway's own id of the movement, as in `payment_transactions.gateway_reference`; a refund has its own."""
    order_id: str | None
    """The idempotency key we sent (`payment_transactions.idempotency_key`), where the report repeats it; for refunds
    and chargebacks the refund's own key or, where the gateway knows none, the order's."""
    kind: LineKind
    amount: Decimal
    """Above 0 whatever the kind (which gives the direction), gross: the fee is not taken off."""
    fee: Decimal = Decimal(0)
    """What the gateway kept of this movement, its tax included; 0 or more, and 0 for kinds fee and payout."""
    currency: str
    """ISO 4217 in capitals."""
    status: LineStatus = "settled"
    occurred_at: datetime
    """When the customer paid or was paid back, aware."""
    settled_on: date
    """The gateway's day whose report has the line: when it counted the money into our balance."""
