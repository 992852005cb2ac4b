"""The outbox as operators read it, and what they may do with a parked entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from worker.db import Connection
from worker.db.queries import load_query
from worker.errors import ElpError
from worker.jobs.outbox import PACKAGE


class NotParkedError(ElpError):
    """No parked entry has this id."""

    def __init__(self, entry_id: UUID) -> None:
        super().__init__(f"no parked outbox entry has the id {entry_id}: `elp jobs outbox` lists them")
        self.entry_id = entry_id


@dataclass(frozen=True, slots=True)
class OutboxReport:
    """How full the outbox is."""

    due: int
    """Entries that should have been relayed by now, first or again: with a relay and Redis at work, next to none."""
    oldest_due_at: datetime | None
    """Since when the longest of them is due; `now` less this is the outbox's age."""
    unconfirmed: int
    """Relayed entries whose task has not committed yet: at work, in Redis, or lost and sent again when due."""
    oldest_unconfirmed_at: datetime | None
    """When the oldest of them was enqueued."""
    deferred: int
    """Entries whose time has not come."""
    resting: int
    """Entries that failed and will be tried again."""
    parked: int
    done: int
    """Entries that are done and kept for a while."""


@dataclass(frozen=True, slots=True)
class ParkedEntry:
    """An entry that was given up."""

    id: UUID
    task: str
    payload: dict[str, Any]
    dedupe_key: str | None
    error: str
    starts: int
    relays: int
    enqueued_at: datetime
    parked_at: datetime


def report_outbox(connection: Connection, now: datetime) -> OutboxReport:
    """Return how full the outbox is; reads every entry that is there, done ones from an index."""
    with connection.cursor(row_factory=class_row(OutboxReport)) as cursor:
        report = cursor.execute(load_query(PACKAGE, "outbox_depth"), {"now": now}).fetchone()
    assert report is not None, "a statement without GROUP BY returns a row"
    return report


def report_parked(connection: Connection, limit: int = 20) -> list[ParkedEntry]:
    """Return the entries parked last, with their errors."""
    with connection.cursor(row_factory=class_row(ParkedEntry)) as cursor:
        return cursor.execute(load_query(PACKAGE, "parked_entries"), {"limit": limit}).fetchall()


def retry_parked(connection: Connection, entry_id: UUID, now: datetime) -> None:
    """Have a parked entry sent again at once, with all its starts still before it.

    It does not wait under its dedupe_key any more: another entry may have taken that.

    Raises:
        NotParkedError: there is no such entry, or it is not parked.
    """
    row = connection.execute(load_query(PACKAGE, "retry_parked"), {"id": entry_id, "now": now}).fetchone()
    if row is None:
        raise NotParkedError(entry_id)


def discard_parked(connection: Connection, entry_id: UUID) -> None:
    """Delete a parked entry: its task will not run.

    Raises:
        NotParkedError: there is no such entry, or it is not parked.
    """
    cursor = connection.execute("DELETE FROM job_outbox WHERE id = %s AND parked_at IS NOT NULL", (entry_id,))
    if cursor.rowcount == 0:
        raise NotParkedError(entry_id)
