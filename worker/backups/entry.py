"""A backup as the catalogue has it: one JSON object in the repository, so that it outlives the database."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from worker.backups.repository import StoredObject
from worker.models.backups import BackupKind, ChecksumState

Objects = dict[Literal["base", "manifest", "dump"], StoredObject]


RowHash = Literal["text", "record"]
"""How rows are hashed: their values by their types' own functions, or all as text where a type has none (json)."""


class TableDigest(msgspec.Struct, frozen=True, kw_only=True):
    """What a table held: of a large one its first and last blocks."""

    rows: int
    digest: str
    """Sum of the rows' 64-bit hashes, whatever their order."""
    first_blocks: int | None = None
    last_from: int | None = None
    """Of a large table only the blocks before `first_blocks` and those from `last_from` on; None: all."""
    hashed: RowHash = "text"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the database held, to be compared after a restore."""

    revision: str | None
    """The schema's migration."""
    restore_point: str | None
    """The name in the write-ahead log at which the tables were exactly so; None: they were read while others wrote."""
    point_lsn: str | None = None
    point_at: datetime
    tables: dict[str, TableDigest]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A restore that passed every check."""

    at: datetime
    restore_ms: int
    """From nothing to a server that answers: the measured recovery time."""
    target: str
    """What was recovered to."""
    checks: list[str]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A complete backup."""

    id: UUID
    label: str
    kind: BackupKind
    parent: str | None = None
    """Label of what an incremental one builds on."""
    system_identifier: str
    """The cluster's, which pg_upgrade and initdb change."""
    server_version: str
    database: str
    superuser: str
    """A role that may do anything in the restored cluster."""
    segment_bytes: int = 16 << 20
    timeline: int | None = None
    start_lsn: str | None = None
    end_lsn: str | None = None
    next_xid: int | None = None
    """No transaction from this one on has any trace in it."""
    started_at: datetime
    finished_at: datetime
    size_bytes: int
    stored_bytes: int
    objects: Objects
    encrypted_to: list[str] = []
    content: Content | None = None
    checksum_state: ChecksumState = "unchecked"
    problem: str | None = None
    """Why it is corrupt."""
    proven: Proof | None = None
    is_held: bool = False

    @property
    def major(self) -> int:
        """The server's major version."""
        return int(self.server_version.partition(".")[0])

    @property
    def is_physical(self) -> bool:
        """Whether the write-ahead log can be played over it."""
        return self.kind != "logical"
