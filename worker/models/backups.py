"""The mirror of the backup catalogue; the repository itself holds the original."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, BigInt, JsonObject, RandomKey, check, is_object, not_blank, one_of, references

BackupKind = Literal["full", "incremental", "logical"]
BackupState = Literal["running", "complete", "failed", "pruned"]
ChecksumState = Literal["unchecked", "valid", "corrupt"]

LSN = "~ '^[0-9A-F]{1,8}/[0-9A-F]{1,8}$'"


class Backup(Base):
    """A backup; one whose `proven_at` is NULL was never restored and counts as unproven."""

    __tablename__ = "backups"

    id: Mapped[RandomKey]
    label: Mapped[str]
    """Name in the repository."""
    kind: Mapped[BackupKind]
    parent_id: Mapped[UUID | None] = mapped_column(references("backups.id", on_delete="RESTRICT"))
    """The backup that an incremental one builds on; a chain loses no link while something hangs on it."""
    state: Mapped[BackupState] = mapped_column(server_default="running")
    location: Mapped[str]
    """URL of the repository; without credentials."""
    server_version: Mapped[str]
    start_lsn: Mapped[str | None]
    end_lsn: Mapped[str | None]
    """Write-ahead log positions between which it is consistent; NULL for logical ones."""
    timeline: Mapped[int | None]
    size_bytes: Mapped[BigInt | None]
    """Of the data."""
    stored_bytes: Mapped[BigInt | None]
    """In the repository, compressed and encrypted."""
    checksum_state: Mapped[ChecksumState] = mapped_column(server_default="unchecked")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    proven_at: Mapped[datetime | None]
    """Last time it was restored and passed every check."""
    restore_ms: Mapped[BigInt | None]
    """What that restore took: the measured recovery time."""
    is_held: Mapped[bool] = mapped_column(server_default=text("false"))
    """Legal hold: never pruned."""
    error: Mapped[str | None]
    details: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Row counts, digests and the revision recorded when it was taken."""

    __table_args__ = (
        not_blank("label", 200),
        one_of("kind", BackupKind),
        check("parent", "(kind = 'incremental') = (parent_id IS NOT NULL)"),
        check("parent_other", "parent_id <> id"),
        one_of("state", BackupState),
        check("start_lsn", f"start_lsn {LSN}"),
        check("end_lsn", f"end_lsn {LSN}"),
        check("timeline", "timeline > 0"),
        check("size_bytes", "size_bytes >= 0"),
        check("stored_bytes", "stored_bytes >= 0"),
        one_of("checksum_state", ChecksumState),
        check("finished_at", "state <> 'complete' OR finished_at IS NOT NULL"),
        check("restore_ms", "restore_ms >= 0"),
        is_object("details"),
        UniqueConstraint("label", name="uq_backups_label"),
        Index("idx_backups_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("idx_backups_started", "started_at"),
    )


class BackupCheck(Base):
    """What the minute's look at a repository found; one row a repository."""

    __tablename__ = "backup_checks"

    location: Mapped[str] = mapped_column(primary_key=True)
    """URL of the repository; without credentials."""
    checked_at: Mapped[datetime]
    restorable_at: Mapped[datetime | None]
    """The newest instant that is known to be restorable; NULL: none is."""
    slot_state: Mapped[str]
    """Of the replication slot: missing, idle, or PostgreSQL's wal_status (reserved, extended, unreserved, lost)."""
    retained_bytes: Mapped[BigInt | None]
    """Log that the server keeps for the slot."""
    problems: Mapped[list[str]]


class BackupDrill(Base):
    """A drill: this row is the marker, restored to just before its commit it must be missing, just after be there."""

    __tablename__ = "backup_drills"

    id: Mapped[RandomKey]
    marked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    """NULL: it is under way, or its process was lost."""
    label: Mapped[str | None]
    """The backup that was restored."""
    restore_ms: Mapped[BigInt | None]
    error: Mapped[str | None]
    """NULL and finished: both restores showed what they should."""
