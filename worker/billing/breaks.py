"""Breaks as people work with them: listed, looked at, resolved with a reason, each change in the audit log."""

from datetime import date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from psycopg.rows import dict_row

from worker.audit import AuditEntry, record
from worker.billing.errors import UnknownBreakError
from worker.db.engines import Connection
from worker.db.queries import load_query

_query = partial(load_query, "worker.billing")
_OBJECT: Final = "reconciliation_break"

Row = dict[str, Any]
"""A break with both its sides, as `list_breaks.sql` names them."""


def list_breaks(
    connection: Connection,
    *,
    state: str | None = "open",
    gateway: str | None = None,
    kind: str | None = None,
    day: date | None = None,
    limit: int = 1_000,
) -> list[Row]:
    """Return breaks, those that are open longest first."""
    return _rows(connection, id=None, state=state, gateway=gateway, kind=kind, day=day, limit=limit)


def show_break(connection: Connection, break_id: UUID) -> Row:
    """Return one break.

    Raises:
        UnknownBreakError: there is none.
    """
    found = _rows(connection, id=break_id, state=None, gateway=None, kind=None, day=None, limit=1)
    if not found:
        raise UnknownBreakError(break_id, "there is none")
    return found[0]


def resolve_break(connection: Connection, break_id: UUID, resolution: str, *, actor: str, now: datetime) -> None:
    """Close an open break with what was done about it. It stays closed unless the books come to differ otherwise.

    Raises:
        UnknownBreakError: there is none that is open.
    """
    values = {"id": break_id, "resolution": resolution, "actor": actor, "now": now}
    row = connection.execute(_query("resolve_break"), values).fetchone()
    if row is None:
        raise UnknownBreakError(break_id, "it is not open")
    gateway, kind = row
    told = {"gateway": gateway, "kind": kind}
    before, after = {"state": "open", **told}, {"state": "resolved", "resolution": resolution, **told}
    record(connection, [AuditEntry(actor, "reconciliation.resolved", _OBJECT, str(break_id), before, after)], now)


def reopen_break(connection: Connection, break_id: UUID, reason: str, *, actor: str, now: datetime) -> None:
    """Open a resolved break again.

    Raises:
        UnknownBreakError: there is none that is resolved.
    """
    row = connection.execute(_query("reopen_break"), {"id": break_id, "now": now}).fetchone()
    if row is None:
        raise UnknownBreakError(break_id, "it is not resolved")
    gateway, kind, resolution = row
    told = {"gateway": gateway, "kind": kind}
    before = {"state": "resolved", "resolution": resolution, **told}
    after = {"state": "open", "reason": reason, **told}
    record(connection, [AuditEntry(actor, "reconciliation.reopened", _OBJECT, str(break_id), before, after)], now)


def _rows(connection: Connection, **values: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_query("list_breaks"), values).fetchall()
