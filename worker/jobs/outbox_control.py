"""The outbox as operators see it: what waits, and what was given up, to be retried or discarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from worker.db import Connection
from worker.db.queries import load_query
from worker.jobs.errors import NotParkedError

_PACKAGE: Final = "worker.jobs"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An entry that is not done."""

    id: UUID
    task: str
    payload: dict[str, Any]
    dedupe_key: str | None
    state: str
    """waiting, deferred (until `due_at`), sent (and not confirmed yet) or parked (given up; `error` says why)."""
    created_at: datetime
    due_at: datetime
    relayed_at: datetime | None
    relays: int
    starts: int
    error: str | None


def list_outbox(connection: Connection, now: datetime, *, limit: int, parked_only: bool = False) -> list[OutboxEntry]:
    """Return the entries that are not done: parked ones first, then those due first."""
    values = {"now": now, "limit": limit, "parked_only": parked_only}
    with connection.cursor(row_factory=class_row(OutboxEntry)) as cursor:
        return cursor.execute(load_query(_PACKAGE, "outbox_entries"), values).fetchall()


def retry_parked(connection: Connection, ids: Sequence[UUID] | None, now: datetime) -> list[UUID]:
    """Have parked entries, those named or all (None), sent again at once; return which.

    Of several with one dedupe key only the newest is retried, and none while another entry of the key waits.

    Raises:
        NotParkedError: one of those named is not parked.
    """
    _check_parked(connection, ids)
    rows = connection.execute(load_query(_PACKAGE, "retry_parked"), {"ids": _listed(ids), "now": now}).fetchall()
    return [entry for (entry,) in rows]


def discard_parked(connection: Connection, ids: Sequence[UUID] | None) -> list[UUID]:
    """Delete parked entries, those named or all (None); return which.

    Raises:
        NotParkedError: one of those named is not parked.
    """
    _check_parked(connection, ids)
    rows = connection.execute(load_query(_PACKAGE, "discard_parked"), {"ids": _listed(ids)}).fetchall()
    return [entry for (entry,) in rows]


def _check_parked(connection: Connection, ids: Sequence[UUID] | None) -> None:
    if ids is None:
        return
    statement = "SELECT id FROM job_outbox WHERE id = ANY (%s) AND parked_at IS NOT NULL FOR UPDATE"
    parked = {entry for (entry,) in connection.execute(statement, (list(ids),))}
    for entry in ids:
        if entry not in parked:
            raise NotParkedError(entry)


def _listed(ids: Sequence[UUID] | None) -> list[UUID] | None:
    return None if ids is None else list(ids)
