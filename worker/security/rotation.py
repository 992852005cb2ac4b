"""`elp keys rotate`: every encrypted column anew under the first key, in steps that may be stopped."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from worker.db import Connection
from worker.secrets import Cipher, UnreadableSecretError

BATCH: Final = 500

Transactions = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Column:
    """An encrypted column; its table's key is `id`."""

    table: str
    name: str


ENCRYPTED: Final = (Column("subscriptions", "payment_token_encrypted"),)
"""Every column that is encrypted at rest. A test looks for others by their names (`…_encrypted`)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done to a column so far."""

    column: Column
    seen: int
    rotated: int
    unreadable: int
    """Values that none of the keys decrypts: left as they are."""


def rotate(transactions: Transactions, cipher: Cipher, *, batch: int = BATCH) -> Iterator[Progress]:
    """Encrypt every value anew that the first key did not encrypt; yield after each transaction.

    Stopped at any moment it loses nothing and may be started again: what is done is passed over. Costs one decryption a
    value (30 µs), and no lock on rows that need nothing.
    """
    for column in ENCRYPTED:
        last: Any = None
        seen = rotated = unreadable = 0
        while True:
            with transactions() as connection:
                rows = _page(connection, column, last, batch)
                for identity, value in rows:
                    seen += 1
                    if cipher.is_current(value):
                        continue
                    try:
                        rotated += _replace(connection, column, identity, value, cipher.rotate(value))
                    except UnreadableSecretError:
                        unreadable += 1
            yield Progress(column, seen, rotated, unreadable)
            if len(rows) < batch:
                break
            last = rows[-1][0]


def _page(connection: Connection, column: Column, after: Any, batch: int) -> list[tuple[Any, bytes]]:
    statement = sql.SQL(
        "SELECT id, {name} FROM {table} WHERE {name} IS NOT NULL AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid)"
        " ORDER BY id LIMIT %(batch)s"
    ).format(name=sql.Identifier(column.name), table=sql.Identifier(column.table))
    return [(row[0], bytes(row[1])) for row in connection.execute(statement, {"after": after, "batch": batch})]


def _replace(connection: Connection, column: Column, identity: Any, earlier: bytes, value: bytes) -> int:
    """Write a value unless somebody wrote another one meanwhile."""
    statement = sql.SQL("UPDATE {table} SET {name} = %s WHERE id = %s AND {name} = %s").format(
        name=sql.Identifier(column.name), table=sql.Identifier(column.table)
    )
    return connection.execute(statement, (value, identity, earlier)).rowcount
