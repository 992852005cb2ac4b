"""Report files for tests, in each layout."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

MIDTRANS = {
    "Order ID": "order-1",
    "Transaction ID": "m-1",
    "Payment Type": "credit_card",
    "Transaction Type": "Charge",
    "Transaction Status": "settlement",
    "Gross Amount": "99000",
    "Refund Amount": "",
    "Refund Key": "",
    "MDR": "2871",
    "Transaction Fee": "1000",
    "VAT": "426",
    "Transaction Time": "2026-03-01 09:15:00",
    "Settlement Time": "2026-03-02 02:00:00",
}
XENDIT = {
    "Status": "SUCCESS",
    "Type": "PAYMENT",
    "Channel": "Cards",
    "Reference": "order-1",
    "Product ID": "pr-1",
    "Currency": "IDR",
    "Amount": "99,000.00",
    "Total Fee": "2,871.00",
    "Total VAT": "316.00",
    "Net Amount": "95,813.00",
    "Payment Date": "2026-03-01T09:15:00+07:00",
    "Settlement Date": "2026-03-02",
}
NEUTRAL = {
    "gateway": "stripe",
    "kind": "charge",
    "gateway_reference": "ch_1",
    "order_id": "order-1",
    "amount": "99000",
    "fee": "3300",
    "currency": "IDR",
    "status": "settled",
    "occurred_at": "2026-03-01T02:15:00Z",
    "settled_on": "2026-03-03",
}


def lines_of(base: Mapping[str, str], *rows: Mapping[str, str], delimiter: str = ",") -> list[str]:
    """Return a file's lines: each row is `base` with some fields changed."""
    made = [base | row for row in rows]
    return [
        delimiter.join(base) + "\r\n",
        *(
            delimiter.join(f'"{value}"' if delimiter in value else value for value in row.values()) + "\r\n"
            for row in made
        ),
    ]


def write_report(path: Path, base: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write a file whose rows are `base` with some fields changed."""
    with path.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(base))
        writer.writeheader()
        writer.writerows(base | row for row in rows)
    return path
