"""Recording: one bulk insert in the transaction of the change it tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.db import Connection
from worker.db.queries import load_query
from worker.db.statements import as_text

_PACKAGE: Final = "worker.audit"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One privileged action. Ids and settings, never personal data or secrets: an entry can't be erased.

    Attributes:
        actor: `user:<id>`, `token:<id>`, `job:<name>` or `cli:<account>`.
        action: verb with its domain, such as `subscription.cancelled`.
        object_type: what was changed, such as `subscription`.
        object_id: which one.
        before: the changed fields as they were; None: it was created.
        after: the changed fields as they became; None: it was removed.
    """

    actor: str
    action: str
    object_type: str
    object_id: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def record(connection: Connection, entries: Sequence[AuditEntry], now: datetime) -> None:
    """Record what is being changed, in the caller's transaction: one statement, however many entries.

    The database chains the entries when the transaction commits (trigger `audit_log_seal`); writers then take turns.

    Args:
        connection: in the transaction that changes.
        entries: what changes.
        now: the present instant.
    """
    if entries:
        connection.execute(load_query(_PACKAGE, "record_entries"), _columns(entries, now))


async def record_async(connection: AsyncConnection, entries: Sequence[AuditEntry], now: datetime) -> None:
    """Record what is being changed, as `record` does, where the change is made asynchronously."""
    if entries:
        await connection.execute(as_text(load_query(_PACKAGE, "record_entries")), _columns(entries, now))


def _columns(entries: Sequence[AuditEntry], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "actors": [entry.actor for entry in entries],
        "actions": [entry.action for entry in entries],
        "object_types": [entry.object_type for entry in entries],
        "object_ids": [entry.object_id for entry in entries],
        "befores": [_json(entry.before) for entry in entries],
        "afters": [_json(entry.after) for entry in entries],
    }


def _json(fields: Mapping[str, Any] | None) -> str | None:
    # The hook is for subclasses of date, such as those of a clock that stands still.
    return None if fields is None else msgspec.json.encode(dict(fields), enc_hook=date.isoformat).decode()
