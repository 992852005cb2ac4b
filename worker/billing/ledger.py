"""The ledger in double entry: what each day came to, by account, gateway and currency.

Accounts (debits above zero): `charges`, `refunds`, `chargebacks` (what customers paid and got back), `fees`,
`receivable` (what the gateway owes us), `cash` (what it paid out), `suspense` (settled money that no transaction of
ours explains).
"""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final, TextIO
from uuid import UUID

import msgspec

from worker.db.engines import Connection
from worker.db.queries import load_query

_query = partial(load_query, "worker.billing")

MOVEMENTS: Final = ("day", "gateway", "account", "currency", "debit", "credit", "source", "source_id")
"""Columns of the detailed export."""


class LedgerLine(msgspec.Struct, frozen=True):
    """An account on a day."""

    day: date
    gateway: str
    account: str
    currency: str
    debit: Decimal
    credit: Decimal
    balance: Decimal
    """Of the account at the end of the day, debits above zero."""


def book(connection: Connection, gateway: str, first: date, last: date, now: datetime) -> int:
    """Book what a gateway's days come to and return how many entries that took; days booked already: what changed."""
    values = {"gateway": gateway, "first": first, "last": last, "now": now}
    return connection.execute(_query("book_ledger"), values).rowcount


def ledger(connection: Connection, first: date, last: date, gateway: str | None = None) -> list[LedgerLine]:
    """Return the booked ledger of some days."""
    values = {"gateway": gateway, "first": first, "last": last}
    return [LedgerLine(*row) for row in connection.execute(_query("ledger_days"), values)]


def write_ledger(lines: Iterable[LedgerLine], out: TextIO) -> None:
    """Write a ledger as CSV; amounts with a point for decimals, as programs read them."""
    writer = csv.writer(out)
    writer.writerow(LedgerLine.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(line) for line in lines)


def write_movements(connection: Connection, gateways: Iterable[str], first: date, last: date, out: TextIO) -> int:
    """Write the movements behind the ledger as CSV, a line each side, and return how many; memory stays flat."""
    writer = csv.writer(out)
    writer.writerow(MOVEMENTS)
    written = 0
    for gateway in gateways:
        values = {"gateway": gateway, "first": first, "last": last}
        with connection.cursor() as cursor:
            for day, account, currency, amount, source, source_id in cursor.stream(
                _query("ledger_detail"), values, size=1_000
            ):
                sides = (amount, Decimal(0)) if amount > 0 else (Decimal(0), -amount)
                writer.writerow((day, gateway, account, currency, *sides, source, UUID(str(source_id))))
                written += 1
    return written
