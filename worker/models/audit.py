"""Who did what: privileged changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, JsonObject, TimeOrderedKey, check, not_blank


class AuditLog(Base):
    """One privileged action. No foreign keys: an entry outlives whoever and whatever it speaks of.

    Triggers refuse UPDATE, DELETE and TRUNCATE, and close each transaction's entries off as a block of the chain.
    """

    __tablename__ = "audit_log"

    id: Mapped[TimeOrderedKey]
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    actor: Mapped[str]
    """`user:<id>`, `token:<id>`, `job:<name>` or `cli:<account>`."""
    action: Mapped[str]
    """Verb with its domain, such as `subscription.cancelled`."""
    object_type: Mapped[str]
    object_id: Mapped[str]
    before: Mapped[JsonObject | None]
    """The changed fields as they were; NULL: the object was created."""
    after: Mapped[JsonObject | None]
    """The changed fields as they became; NULL: the object was removed."""
    block_id: Mapped[UUID]
    """The transaction's block; set by the trigger `audit_log_stamp`, as the digest is."""
    digest: Mapped[bytes]
    """SHA-256 of all the above, by the function `audit_digest`."""

    __table_args__ = (
        not_blank("actor", 200),
        not_blank("action", 200),
        not_blank("object_type", 100),
        not_blank("object_id", 200),
        Index("idx_audit_log_object", "object_type", "object_id", "occurred_at"),
        Index("idx_audit_log_actor", "actor", "occurred_at"),
        Index("idx_audit_log_occurred", "occurred_at"),
        Index("idx_audit_log_block", "block_id"),
    )


class AuditBlock(Base):
    """The entries of one transaction, sealed at its commit: changing one of them breaks the chain from here on."""

    __tablename__ = "audit_blocks"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3 …, without gaps: writers take turns for their commits."""
    block_id: Mapped[UUID]
    entries: Mapped[int]
    digest: Mapped[bytes]
    """SHA-256 of the block before's digest, this number and id, and the digests of the entries in the order of ids."""

    __table_args__ = (
        check("number", "number > 0"),
        check("entries", "entries > 0"),
        check("digest", "octet_length(digest) = 32"),
        UniqueConstraint("block_id", name="uq_audit_blocks_block_id"),
    )
