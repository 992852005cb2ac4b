"""Settlement reports of the sandbox, as Midtrans' dashboard exports them, right or with faults of every kind."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from io import StringIO
from typing import Final, Literal
from uuid import NAMESPACE_OID, uuid5

from worker.billing.report_fields import JAKARTA
from worker.billing.sandbox.store import Book, Order

SettlementFault = Literal[
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
"""The break that reconciliation must find in it."""

COLUMNS: Final = (
    "Order ID",
    "Transaction ID",
    "Transaction Type",
    "Transaction Status",
    "Gross Amount",
    "Currency",
    "Total Fee",
    "Refund Key",
    "Refund Amount",
    "Transaction Time",
    "Settlement Time",
)
_FEE: Final = 2_500
_SETTLED_AFTER: Final = timedelta(days=1)
_LATE: Final = timedelta(days=10)


def midtrans_report(book: Book, faults: Mapping[str, SettlementFault] | None = None) -> str:
    """Return Midtrans' report of all that the sandbox charged and paid back, as CSV.

    Args:
        book: the sandbox's.
        faults: what is to be wrong with an order, by its key.
    """
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for order in book.charged():
        if order.gateway == "midtrans":
            writer.writerows(_rows(order, (faults or {}).get(order.key)))
    return out.getvalue()


def _rows(order: Order, fault: SettlementFault | None) -> Iterator[dict[str, str]]:
    """Yield the rows of an order: its charge as the fault changes it, what the fault adds, its refunds."""
    if fault == "missing_at_gateway":
        return
    charge = _row(order, "Charge", "settlement")
    changed: dict[SettlementFault, dict[str, str]] = {
        "amount": {"Gross Amount": str(order.amount - 1_000)},
        "currency": {"Currency": "USD", "Total Fee": "1.00"},
        "status": {"Transaction Status": "deny", "Settlement Time": ""},
        "fee": {"Total Fee": str(int(order.amount) // 2)},
        "late_settlement": {"Settlement Time": _time(order.updated_at + _LATE)},
    }
    added: dict[SettlementFault, dict[str, str]] = {
        "missing_here": charge | {"Order ID": f"stranger-{order.key}"[:50], "Transaction ID": _other(order)},
        "duplicate_charge": charge | {"Transaction ID": _other(order)},
        "unknown_refund": _row(order, "Refund", "refund"),
        "unknown_chargeback": _row(order, "Chargeback", "chargeback"),
    }
    yield charge | (changed.get(fault, {}) if fault else {})
    if fault in added:
        yield added[fault]
    for key, amount in order.refunded.items():
        yield _row(order, "Refund", "partial_refund") | {"Refund Key": key, "Refund Amount": str(amount)}


def _row(order: Order, kind: str, status: str) -> dict[str, str]:
    return {
        "Order ID": order.key,
        "Transaction ID": order.reference,
        "Transaction Type": kind,
        "Transaction Status": status,
        "Gross Amount": str(order.amount),
        "Currency": order.currency,
        "Total Fee": str(_FEE),
        "Transaction Time": _time(order.updated_at),
        "Settlement Time": _time(order.updated_at + _SETTLED_AFTER),
    }


def _other(order: Order) -> str:
    """Return an id of the gateway's that is always another order's."""
    return str(uuid5(NAMESPACE_OID, order.key))


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(JAKARTA):%Y-%m-%d %H:%M:%S}"
