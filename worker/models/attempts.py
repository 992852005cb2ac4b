"""Attempts: the inbox they arrive in, the graded ones, the refused ones, and what they add up to."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Computed, Identity, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    QUEUE_STORAGE,
    Base,
    BigInt,
    Json,
    JsonText,
    SmallInt,
    TimeOrderedKey,
    check,
    one_of,
    references,
)

ProgressStatus = Literal["not_started", "in_progress", "completed"]

LANE = "(get_byte(uuid_send(user_id), 15) & 15)::smallint"
"""The low four bits of the learner's id, as `worker.ids.lane_of` computes them."""


class AttemptInbox(Base):
    """Attempts accepted and not yet graded. No foreign keys: it takes anything well-formed; grading judges it."""

    __tablename__ = "attempt_inbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Chosen by the client; sending it again is a duplicate, not another attempt."""
    seq: Mapped[BigInt] = mapped_column(Identity(always=True))
    """Order of arrival."""
    lane: Mapped[SmallInt] = mapped_column(Computed(LANE, persisted=True))
    """0–15; one drainer works a lane at a time, so a learner's attempts stay in order."""
    user_id: Mapped[UUID]
    question_id: Mapped[UUID]
    lesson_id: Mapped[UUID | None]
    tryout_session_id: Mapped[UUID | None]
    answer: Mapped[JsonText]
    """As sent."""
    time_spent_ms: Mapped[int | None]
    attempted_at: Mapped[datetime]
    """By the learner's device."""
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    source: Mapped[str] = mapped_column(server_default="api")

    __table_args__ = (
        check("time_spent_ms", "time_spent_ms >= 0"),
        Index("idx_attempt_inbox_lane", "lane", "seq"),
        {"postgresql_with": QUEUE_STORAGE},
    )


class QuestionAttempt(Base):
    """A graded attempt.

    Partitioned by month of its id: `question_attempts_YYYY_MM`, bounds at the smallest UUIDv7 of each month in UTC. Ids
    of other versions fall by their value, practically always into `question_attempts_default`.
    """

    __tablename__ = "question_attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    question_id: Mapped[UUID] = mapped_column(references("questions.id", on_delete="RESTRICT"))
    """A question that was ever attempted is archived, not deleted."""
    lesson_id: Mapped[UUID | None] = mapped_column(references("lessons.id", on_delete="SET NULL"))
    tryout_session_id: Mapped[UUID | None] = mapped_column(references("tryout_sessions.id", on_delete="SET NULL"))
    answer: Mapped[Json]
    is_correct: Mapped[bool]
    """Fully right: score = 1."""
    score: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    """Credit, 0–1."""
    time_spent_ms: Mapped[int | None]
    attempted_at: Mapped[datetime]
    """By the learner's device."""
    received_at: Mapped[datetime]
    graded_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(server_default="api")

    __table_args__ = (
        check("score", "score BETWEEN 0 AND 1"),
        check("is_correct", "is_correct = (score = 1)"),
        check("time_spent_ms", "time_spent_ms >= 0"),
        Index("idx_question_attempts_user", "user_id", "attempted_at"),
        Index("idx_question_attempts_question", "question_id"),
        Index("idx_question_attempts_lesson", "lesson_id", postgresql_where=text("lesson_id IS NOT NULL")),
        Index(
            "idx_question_attempts_tryout_session",
            "tryout_session_id",
            postgresql_where=text("tryout_session_id IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class AttemptRejection(Base):
    """An attempt that could not be graded, with the reason. No foreign keys: what it names may not exist."""

    __tablename__ = "attempt_rejections"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The attempt's id."""
    user_id: Mapped[UUID]
    question_id: Mapped[UUID | None]
    reason: Mapped[str]
    """A code such as unknown_question or malformed_answer."""
    detail: Mapped[str] = mapped_column(server_default="")
    """The reason for people."""
    payload: Mapped[JsonText]
    """The attempt as it was received."""
    attempted_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    rejected_at: Mapped[datetime]

    __table_args__ = (
        check("reason", "reason ~ '^[a-z][a-z0-9_]{0,63}$'"),
        Index("idx_attempt_rejections_user", "user_id", "rejected_at"),
    )


class LessonProgress(Base):
    """How far a learner is in a lesson."""

    __tablename__ = "lesson_progress"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    lesson_id: Mapped[UUID] = mapped_column(references("lessons.id", on_delete="CASCADE"))
    attempted: Mapped[int] = mapped_column(server_default=text("0"))
    """Attempts in this lesson."""
    correct: Mapped[int] = mapped_column(server_default=text("0"))
    """Fully right attempts in this lesson."""
    correct_question_ids: Mapped[list[UUID]] = mapped_column(server_default="{}")
    """Distinct questions of the lesson answered right at least once."""
    completion_percentage: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default=text("0"))
    """Share of the lesson's questions that stand in `correct_question_ids`, 0–100."""
    status: Mapped[ProgressStatus] = mapped_column(server_default="not_started")
    first_attempted_at: Mapped[datetime | None]
    last_attempted_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    """When it was first complete; stays when the lesson grows afterwards."""

    __table_args__ = (
        check("attempted", "attempted >= 0"),
        check("correct", "correct BETWEEN 0 AND attempted"),
        check("completion_percentage", "completion_percentage BETWEEN 0 AND 100"),
        one_of("status", ProgressStatus),
        check("completed_at", "status <> 'completed' OR completed_at IS NOT NULL"),
        UniqueConstraint("user_id", "lesson_id", name="uq_lesson_progress_user_lesson"),
        Index("idx_lesson_progress_completion", "lesson_id", "completion_percentage"),
        {"postgresql_with": {"fillfactor": 80}},
    )


class UserStats(Base):
    """Counters of a learner over all time, kept by the attempt pipeline."""

    __tablename__ = "user_stats"

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"), primary_key=True)
    attempts: Mapped[BigInt] = mapped_column(server_default=text("0"))
    correct: Mapped[BigInt] = mapped_column(server_default=text("0"))
    score_total: Mapped[Decimal] = mapped_column(Numeric(16, 4), server_default=text("0"))
    """Sum of all credits."""
    time_spent_ms: Mapped[BigInt] = mapped_column(server_default=text("0"))
    lessons_started: Mapped[int] = mapped_column(server_default=text("0"))
    lessons_completed: Mapped[int] = mapped_column(server_default=text("0"))
    cards: Mapped[int] = mapped_column(server_default=text("0"))
    """Cards in the learner's deck."""
    cards_mature: Mapped[int] = mapped_column(server_default=text("0"))
    """Those of them whose interval is long (`worker.srs.card.MATURE_DAYS`)."""
    first_attempted_at: Mapped[datetime | None]
    last_attempted_at: Mapped[datetime | None]
    day_zone: Mapped[str | None]
    """The zone by which the attempts were sorted into `user_days`, as of the newest batch."""
    day_start_hour: Mapped[SmallInt | None]
    """Likewise, the hour at which the days began."""
    day_rule_changes: Mapped[int] = mapped_column(server_default=text("0"))
    """How often a batch found another zone or hour than the one before: earlier days stay as they were counted."""
    has_all_days: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether `user_days` holds all their days: false from before days were kept, until these are counted once."""

    __table_args__ = (
        check("attempts", "attempts >= 0"),
        check("correct", "correct BETWEEN 0 AND attempts"),
        check("score_total", "score_total BETWEEN 0 AND attempts"),
        check("time_spent_ms", "time_spent_ms >= 0"),
        check("lessons_completed", "lessons_completed BETWEEN 0 AND lessons_started"),
        check("cards", "cards >= 0"),
        check("cards_mature", "cards_mature >= 0"),
        check("day_start_hour", "day_start_hour BETWEEN 0 AND 23"),
        check("day_rule_changes", "day_rule_changes >= 0"),
        {"postgresql_with": {"fillfactor": 70}},
    )


class UserDay(Base):
    """What a learner did on a local day of theirs, kept by the attempt pipeline: streaks are read from here."""

    __tablename__ = "user_days"

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"), primary_key=True)
    local_date: Mapped[date] = mapped_column(primary_key=True)
    """By the zone and day start that the learner had when the attempt was graded; a later change moves no day."""
    attempts: Mapped[int]
    correct: Mapped[int]
    early: Mapped[int] = mapped_column(server_default=text("0"))
    """Attempts made from 4 to 7 o'clock, wall-clock time."""
    late: Mapped[int] = mapped_column(server_default=text("0"))
    """Attempts made from 22 to 4 o'clock, wall-clock time."""

    __table_args__ = (
        check("attempts", "attempts > 0"),
        check("correct", "correct BETWEEN 0 AND attempts"),
        check("early", "early >= 0 AND late >= 0 AND early + late <= attempts"),
        {"postgresql_with": {"fillfactor": 80}},
    )
