"""Events that the platform's app reads."""

from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, BigInt, JsonObject, TimeOrderedKey, check, is_object, references


class AppEvent(Base):
    """Something that happened, told in the transaction that made it happen."""

    __tablename__ = "app_events"

    id: Mapped[TimeOrderedKey]
    kind: Mapped[str]
    """`<capability>.<what_happened>`."""
    user_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="CASCADE"))
    payload: Mapped[JsonObject] = mapped_column(server_default="{}")
    dedupe_key: Mapped[str | None]
    """Published at most once, for as long as the event is kept; NULL: no such limit."""
    transaction_id: Mapped[BigInt] = mapped_column(server_default=text("pg_current_xact_id()::text::bigint"))
    """The publishing transaction: the feed shows an event once every transaction up to it has ended."""

    __table_args__ = (
        check("kind", "kind ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+$' AND char_length(kind) <= 100"),
        is_object("payload"),
        Index("idx_app_events_feed", "transaction_id", "id"),
        Index("idx_app_events_kind", "kind", "transaction_id", "id"),
        Index("idx_app_events_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("uq_app_events_dedupe_key", "dedupe_key", unique=True, postgresql_where=text("dedupe_key IS NOT NULL")),
    )
