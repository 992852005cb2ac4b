"""The mirror of the catalogue in the table `backups`: for SQL, for metrics; the repository holds the original."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from worker.backups.entry import Entry
from worker.backups.server import PACKAGE
from worker.db import Connection
from worker.db.queries import load_query
from worker.models.backups import BackupKind


def begin(
    connection: Connection,
    identity: UUID,
    label: str,
    kind: BackupKind,
    parent: str | None,
    *,
    location: str,
    server_version: str,
    started_at: datetime,
) -> None:
    """Write down that a backup is being made."""
    values = {
        "id": identity,
        "label": label,
        "kind": kind,
        "parent": parent,
        "location": location,
        "server_version": server_version,
        "started_at": started_at,
    }
    connection.execute(load_query(PACKAGE, "begin"), values)


def fail(connection: Connection, identity: UUID, error: str, now: datetime) -> None:
    """Write down that a backup came to nothing."""
    connection.execute(
        "UPDATE backups SET state = 'failed', error = %s, finished_at = %s WHERE id = %s", (error, now, identity)
    )


def fail_unfinished(connection: Connection, now: datetime) -> int:
    """Write down that backups which were being made are not any more; for whoever holds the backup lock."""
    return connection.execute(
        "UPDATE backups SET state = 'failed', finished_at = %s, error = 'its process was lost' WHERE state = 'running'",
        (now,),
    ).rowcount


def mirror(connection: Connection, entries: Sequence[Entry], location: str) -> None:
    """Make the rows say what these catalogue entries say; they are a few hundred at most."""
    statement = load_query(PACKAGE, "mirror")
    known = {entry.label: entry for entry in entries}
    for entry in sorted(entries, key=lambda entry: _depth(entry, known)):
        connection.execute(statement, _values(entry, location))


def mirror_all(connection: Connection, entries: Sequence[Entry], location: str) -> None:
    """Make the table say what the whole catalogue says: what is not in it any more was pruned."""
    mirror(connection, entries, location)
    connection.execute(
        "UPDATE backups SET state = 'pruned' WHERE state = 'complete' AND location = %s AND NOT label = ANY (%s)",
        (location, [entry.label for entry in entries]),
    )


def _depth(entry: Entry, known: dict[str, Entry]) -> int:
    depth = 0
    while entry.parent is not None and entry.parent in known and depth <= len(known):
        entry = known[entry.parent]
        depth += 1
    return depth


def _values(entry: Entry, location: str) -> dict[str, Any]:
    content = {} if entry.content is None else msgspec.to_builtins(entry.content)
    return {
        "id": entry.id,
        "label": entry.label,
        "kind": entry.kind,
        "parent": entry.parent,
        "location": location,
        "server_version": entry.server_version,
        "start_lsn": entry.start_lsn,
        "end_lsn": entry.end_lsn,
        "timeline": entry.timeline,
        "size_bytes": entry.size_bytes,
        "stored_bytes": entry.stored_bytes,
        "checksum_state": entry.checksum_state,
        "started_at": entry.started_at,
        "finished_at": entry.finished_at,
        "proven_at": None if entry.proven is None else entry.proven.at,
        "restore_ms": None if entry.proven is None else entry.proven.restore_ms,
        "is_held": entry.is_held,
        "problem": entry.problem,
        "details": Jsonb(content),
    }
