"""All that is kept about a person: exported as JSON, and erased but for what the law keeps.

Tables are found in the catalogue, so that one added later is neither forgotten in an export nor left by an erasure:
every table that refers to the account, by `user_id` or by a table that does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from worker.audit import AuditEntry, record
from worker.db import Connection
from worker.db.queries import load_query
from worker.errors import ElpError

_PACKAGE: Final = "worker.security"
KEPT: Final = frozenset({"payment_transactions", "subscriptions"})
"""Books must be kept for years; without the account's name they say what was paid, not by whom."""
SECRET: Final = frozenset({"password_hash", "token_hash", "payment_token_encrypted"})
"""Columns that are nobody's data, only keys to it."""
ERASED_NAME: Final = "Erased"


class UnknownUserError(ElpError):
    """There is no such account."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"there is no account {user_id}")
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class Holding:
    """A table with rows of persons, and how they are found."""

    table: str
    column: str
    """Refers to the account, or to the parent."""
    parent: str | None
    """The table between this one and the account, if there is one."""
    columns: Sequence[str]
    """Those that are no secret."""

    def rows_of(self, user_id: UUID) -> sql.Composed:
        """Return the condition of the rows of one account."""
        if self.parent is None:
            return sql.SQL("{} = {}").format(sql.Identifier(self.column), sql.Literal(user_id))
        return sql.SQL("{} IN (SELECT id FROM {} WHERE user_id = {})").format(
            sql.Identifier(self.column), sql.Identifier(self.parent), sql.Literal(user_id)
        )


def holdings(connection: Connection) -> list[Holding]:
    """Return every table that has rows of persons."""
    rows = connection.execute(load_query(_PACKAGE, "personal_tables"))
    return [
        Holding(table, column, parent, [each for each in columns if each not in SECRET])
        for table, column, parent, columns in rows
    ]


def export(connection: Connection, user_id: UUID) -> Mapping[str, Any]:
    """Return all that is kept about a person, by table, as JSON values; secrets are left out.

    Raises:
        UnknownUserError: there is no such account.
    """
    found: dict[str, Any] = {}
    for holding in holdings(connection):
        statement = sql.SQL("SELECT to_jsonb(chosen) FROM (SELECT {} FROM {} WHERE {} ORDER BY 1) AS chosen").format(
            sql.SQL(", ").join(map(sql.Identifier, holding.columns)),
            sql.Identifier(holding.table),
            holding.rows_of(user_id),
        )
        rows = [row for (row,) in connection.execute(statement)]
        if rows:
            found[holding.table] = rows
    if "users" not in found:
        raise UnknownUserError(user_id)
    return found


def erase(connection: Connection, user_id: UUID, *, actor: str, now: datetime) -> Mapping[str, int]:
    """Erase a person, in the caller's transaction; return how many rows went, by table.

    What was paid stays, with an account that has neither name nor address nor login; else the account goes, too.
    Figures over many learners (item parameters, cohorts) name nobody and stay.

    Raises:
        UnknownUserError: there is no such account.
    """
    if connection.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user_id,)).fetchone() is None:
        raise UnknownUserError(user_id)
    gone: dict[str, int] = {}
    own = [holding for holding in holdings(connection) if holding.table != "users" and holding.table not in KEPT]
    # Children first: what refers to a table that refers to the account.
    for holding in sorted(own, key=lambda each: each.parent is None):
        if holding.parent in KEPT:
            continue
        statement = sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(holding.table), holding.rows_of(user_id))
        if rows := connection.execute(statement).rowcount:
            gone[holding.table] = rows
    kept = [table for table in sorted(KEPT) if _has_rows(connection, table, user_id)]
    if kept:
        connection.execute(load_query(_PACKAGE, "anonymise_user"), {"id": user_id, "name": ERASED_NAME})
        connection.execute("UPDATE subscriptions SET payment_token_encrypted = NULL WHERE user_id = %s", (user_id,))
    else:
        gone["users"] = connection.execute("DELETE FROM users WHERE id = %s", (user_id,)).rowcount
    after = {"rows": gone, "kept": kept}
    record(connection, [AuditEntry(actor, "user.erased", "user", str(user_id), None, after)], now)
    return gone


def _has_rows(connection: Connection, table: str, user_id: UUID) -> bool:
    statement = sql.SQL("SELECT FROM {} WHERE user_id = %s LIMIT 1").format(sql.Identifier(table))
    return connection.execute(statement, (user_id,)).fetchone() is not None
