"""Achievements awarded to learners."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import QUEUE_STORAGE, Base, BigInt, JsonObject, TimeOrderedKey, check, is_object, references


class UserAchievement(Base):
    """An achievement of the catalogue, awarded to a learner once and for all (`uq_user_achievements_code`)."""

    __tablename__ = "user_achievements"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    code: Mapped[str]
    """Code in the catalogue; each tier has a code of its own."""
    awarded_at: Mapped[datetime]
    evidence: Mapped[JsonObject] = mapped_column(server_default="{}")
    """The counters and ids on which the award rests."""
    revoked_at: Mapped[datetime | None]
    """Taken back by an operator; the row stays, so that the job does not award it again."""

    __table_args__ = (
        check("code", "code ~ '^[a-z0-9]+([._-][a-z0-9]+)*$' AND char_length(code) <= 100"),
        is_object("evidence"),
        check("revoked_at", "revoked_at >= awarded_at"),
        UniqueConstraint("user_id", "code", name="uq_user_achievements_code"),
    )


class AchievementMark(Base):
    """A learner whose counters have changed. Written by whoever changes them, in the same transaction.

    Marks are only ever added and, by the job, deleted: writers never wait for one another. No foreign key: a mark of a
    learner who is gone is harmless.
    """

    __tablename__ = "achievement_marks"

    seq: Mapped[BigInt] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[UUID]

    __table_args__ = (Index("idx_achievement_marks_user", "user_id"), {"postgresql_with": QUEUE_STORAGE})
