"""Who did what: privileged changes."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, JsonObject, TimeOrderedKey, not_blank


class AuditLog(Base):
    """One privileged action. No foreign keys: an entry outlives whoever and whatever it speaks of."""

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

    __table_args__ = (
        not_blank("actor", 200),
        not_blank("action", 200),
        not_blank("object_type", 100),
        not_blank("object_id", 200),
        Index("idx_audit_log_object", "object_type", "object_id", "occurred_at"),
        Index("idx_audit_log_actor", "actor", "occurred_at"),
        Index("idx_audit_log_occurred", "occurred_at"),
    )
