"""Settlement reports of the sandbox, as Midtrans' dashboard exports them, right or with faults of every kind."""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Final, Literal
from uuid import NAMESPACE_OID, uuid5

from worker.billing.report_fields import JAKARTA
from worker.billing.sandbox.store import Book, Movement, Order

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
_ALWAYS: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def midtrans_report(
    book: Book, faults: Mapping[str, SettlementFault] | None = None, *, settled_on: date | None = None
) -> str:
    """Return Midtrans' report of what the sandbox charged and paid back, as CSV.

    Args:
        book: the sandbox's.
        faults: what is to be wrong with an order, by its key.
        settled_on: the day of settlement, in Jakarta, that it reports; None: all of them in one.
    """
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    begins_at, ends_at = _ALWAYS
    if settled_on is not None:
        ends_at = datetime.combine(settled_on, time(), JAKARTA)  # what moved that day settles on the next
        begins_at = ends_at - _LATE
    for movement in book.moved("midtrans", begins_at, ends_at):
        for settled_at, row in _rows(movement, (faults or {}).get(movement.order.key)):
            if settled_on is None or settled_at.astimezone(JAKARTA).date() == settled_on:
                writer.writerow(row)
    return out.getvalue()


def _rows(movement: Movement, fault: SettlementFault | None) -> Iterator[tuple[datetime, dict[str, str]]]:
    """Yield rows and when they settle: a charge as the fault changes it with what the fault adds, or a refund."""
    order, settled_at = movement.order, movement.at + _SETTLED_AFTER
    if fault == "missing_at_gateway":
        return
    if movement.kind == "refund":
        row = _row(movement, "Refund", "partial_refund", settled_at)
        yield settled_at, row | {"Refund Key": movement.key, "Refund Amount": str(movement.amount)}
        return
    if fault == "late_settlement":
        settled_at = movement.at + _LATE
    charge = _row(movement, "Charge", "settlement", settled_at)
    changed: dict[SettlementFault, dict[str, str]] = {
        "amount": {"Gross Amount": str(order.amount - 1_000)},
        "currency": {"Currency": "USD", "Total Fee": "1.00"},
        "status": {"Transaction Status": "deny", "Settlement Time": ""},
        "fee": {"Total Fee": str(int(order.amount) // 2)},
    }
    added: dict[SettlementFault, dict[str, str]] = {
        "missing_here": charge | {"Order ID": f"stranger-{order.key}"[:50], "Transaction ID": _other(order)},
        "duplicate_charge": charge | {"Transaction ID": _other(order)},
        "unknown_refund": _row(movement, "Refund", "refund", settled_at),
        "unknown_chargeback": _row(movement, "Chargeback", "chargeback", settled_at),
    }
    yield settled_at, charge | (changed.get(fault, {}) if fault else {})
    if fault in added:
        yield settled_at, added[fault]


def _row(movement: Movement, kind: str, status: str, settled_at: datetime) -> dict[str, str]:
    order = movement.order
    return {
        "Order ID": order.key,
        "Transaction ID": order.reference,
        "Transaction Type": kind,
        "Transaction Status": status,
        "Gross Amount": str(order.amount),
        "Currency": order.currency,
        "Total Fee": str(_FEE),
        "Transaction Time": _time(movement.at),
        "Settlement Time": _time(settled_at),
    }


def _other(order: Order) -> str:
    """Return an id of the gateway's that is always another order's."""
    return str(uuid5(NAMESPACE_OID, order.key))


def _time(instant: datetime) -> str:
    return f"{instant.astimezone(JAKARTA):%Y-%m-%d %H:%M:%S}"
