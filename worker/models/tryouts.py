"""Tryouts: timed tests that learners sit, their answers and their results."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, Json, JsonObject, Level, TimeOrderedKey, check, is_object, one_of, references

SessionState = Literal["created", "in_progress", "submitted", "expired", "scored"]


class TryoutSession(Base):
    """One learner's sitting of a question set: created → in_progress → submitted or expired → scored."""

    __tablename__ = "tryout_sessions"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    question_set_id: Mapped[UUID] = mapped_column(references("question_sets.id", on_delete="RESTRICT"))
    state: Mapped[SessionState] = mapped_column(server_default="created")
    started_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    """By the server's clock, without the grace for the network; NULL: the set has no time limit, or not started."""
    submitted_at: Mapped[datetime | None]
    is_late: Mapped[bool] = mapped_column(server_default=text("false"))
    """Submitted after the deadline and its grace: recorded and marked."""
    scored_at: Mapped[datetime | None]
    raw_score: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    """Points by the set's scheme; deductions can take it below zero."""
    max_score: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    """Points of a perfect sitting of this form."""
    ability: Mapped[float | None]
    """EAP estimate on the scale of the item parameters (mean 0, standard deviation 1 of the reference group)."""
    ability_error: Mapped[float | None]
    """Standard error of `ability`."""
    percentile: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    """Share of the cohort at or below this score, 0–100."""
    estimated_level: Mapped[Level | None]
    result: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Breakdown by section and skill, and earlier scores with the reason they were replaced."""

    __table_args__ = (
        one_of("state", SessionState),
        check("started_at", "state IN ('created', 'expired') OR started_at IS NOT NULL"),
        check("deadline_at", "deadline_at > started_at"),
        check("submitted_at", "submitted_at >= started_at"),
        check("scored", "state <> 'scored' OR (scored_at IS NOT NULL AND raw_score IS NOT NULL)"),
        check("max_score", "max_score > 0 AND max_score <> 'NaN'"),
        check("raw_score", "raw_score <= max_score"),
        check("ability", "ability BETWEEN -100 AND 100"),
        check("ability_error", "ability_error > 0 AND ability_error < 'Infinity'"),
        check("percentile", "percentile BETWEEN 0 AND 100"),
        one_of("estimated_level", Level),
        is_object("result"),
        Index("idx_tryout_sessions_user", "user_id", "created_at"),
        Index("idx_tryout_sessions_question_set", "question_set_id"),
        Index("idx_tryout_sessions_overdue", "deadline_at", postgresql_where=text("state = 'in_progress'")),
        Index(
            "idx_tryout_sessions_unscored", "submitted_at", postgresql_where=text("state IN ('submitted', 'expired')")
        ),
    )


class TryoutAnswer(Base):
    """A learner's answer to one question of a sitting: the last one sent before the deadline."""

    __tablename__ = "tryout_answers"

    tryout_session_id: Mapped[UUID] = mapped_column(
        references("tryout_sessions.id", on_delete="CASCADE"), primary_key=True
    )
    question_id: Mapped[UUID] = mapped_column(references("questions.id", on_delete="RESTRICT"), primary_key=True)
    answer: Mapped[Json]
    answered_at: Mapped[datetime]
    """By the learner's device; orders two versions of the same answer."""
    time_spent_ms: Mapped[int | None]
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    """Credit, 0–1; NULL: not scored yet."""
    points: Mapped[Decimal | None] = mapped_column(Numeric(8, 4))
    """What it contributes to the sitting's raw score; below zero by deduction."""

    __table_args__ = (
        check("time_spent_ms", "time_spent_ms >= 0"),
        check("score", "score BETWEEN 0 AND 1"),
        check("points", "points <> 'NaN'"),
        Index("idx_tryout_answers_question", "question_id"),
    )
