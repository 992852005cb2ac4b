"""Tryouts: timed tests that learners sit, their answers and their results."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    Base,
    Json,
    JsonObject,
    Level,
    TimeOrderedKey,
    check,
    is_object,
    not_blank,
    one_of,
    references,
)

SessionState = Literal["created", "in_progress", "submitted", "expired", "scored"]
SignalKind = Literal["impossible_speed", "similar_answers"]


class TryoutSession(Base):
    """One learner's sitting of a question set: created → in_progress → submitted or expired → scored.

    The trigger `tryout_sessions_transition` refuses any other order.
    """

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
    """Submitted after the deadline and its grace: recorded and marked; the state stays what it was by then."""
    scored_at: Mapped[datetime | None]
    raw_score: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    """Points by the set's scheme; deductions can take it below zero."""
    max_score: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    """Points of a perfect sitting of this form; NULL while scored: the form had nothing to score."""
    is_passed: Mapped[bool | None] = mapped_column(sort_order=900)
    """NULL: the set has no pass mark."""
    ability: Mapped[float | None]
    """EAP estimate on the scale of the item parameters (mean 0, standard deviation 1 of the reference group)."""
    ability_error: Mapped[float | None]
    """Standard error of `ability`."""
    percentile: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    """Share of the cohort (all scored sittings of the set) at or below this score when it was scored, 0–100."""
    estimated_level: Mapped[Level | None]
    result: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Breakdown by section and skill (`worker.tryouts.scoring`), and what the ability estimate says."""

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
        Index("idx_tryout_sessions_scored_at", "scored_at", postgresql_where=text("state = 'scored'")),
        Index("idx_tryout_sessions_overdue", "deadline_at", postgresql_where=text("state = 'in_progress'")),
        Index(
            "idx_tryout_sessions_unscored", "submitted_at", postgresql_where=text("state IN ('submitted', 'expired')")
        ),
    )


class TryoutAnswer(Base):
    """A learner's answer to one question of a sitting: the last one sent before the deadline.

    What it is worth follows from the question and the set's scheme, and is not kept.
    """

    __tablename__ = "tryout_answers"

    tryout_session_id: Mapped[UUID] = mapped_column(
        references("tryout_sessions.id", on_delete="CASCADE"), primary_key=True
    )
    question_id: Mapped[UUID] = mapped_column(references("questions.id", on_delete="RESTRICT"), primary_key=True)
    answer: Mapped[Json]
    answered_at: Mapped[datetime]
    """By the learner's device; orders two versions of the same answer with the same `sequence`."""
    time_spent_ms: Mapped[int | None]
    sequence: Mapped[int] = mapped_column(server_default=text("0"), sort_order=900)
    """Counted up by the app for each change of a sitting's answers: the highest wins, whatever order they arrive in."""

    __table_args__ = (
        check("sequence", "sequence >= 0"),
        check("time_spent_ms", "time_spent_ms >= 0"),
        Index("idx_tryout_answers_question", "question_id"),
    )


class TryoutScoreChange(Base):
    """A score that a later scoring replaced: what it was, what it became, and why."""

    __tablename__ = "tryout_score_changes"

    id: Mapped[TimeOrderedKey]
    tryout_session_id: Mapped[UUID] = mapped_column(references("tryout_sessions.id", on_delete="CASCADE"))
    run_id: Mapped[UUID | None]
    """The run of `tryouts.rescore`; the ledger may forget it sooner than this row goes."""
    reason: Mapped[str]
    earlier_raw_score: Mapped[Decimal] = mapped_column(Numeric(10, 4))
    earlier_max_score: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    earlier_is_passed: Mapped[bool | None]
    earlier_scored_at: Mapped[datetime]
    earlier_result: Mapped[JsonObject]
    raw_score: Mapped[Decimal] = mapped_column(Numeric(10, 4))
    max_score: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    is_passed: Mapped[bool | None]
    changed_at: Mapped[datetime]

    __table_args__ = (
        not_blank("reason", 500),
        is_object("earlier_result"),
        check("changed_at", "changed_at >= earlier_scored_at"),
        Index("idx_tryout_score_changes_session", "tryout_session_id", "changed_at"),
        Index("idx_tryout_score_changes_run", "run_id", postgresql_where=text("run_id IS NOT NULL")),
    )


class TryoutCohortScore(Base):
    """How many scored sittings of a set have a score: percentiles from some hundred rows instead of all sittings."""

    __tablename__ = "tryout_cohort_scores"

    question_set_id: Mapped[UUID] = mapped_column(references("question_sets.id", on_delete="CASCADE"), primary_key=True)
    raw_score: Mapped[Decimal] = mapped_column(Numeric(10, 4), primary_key=True)
    sittings: Mapped[int]

    __table_args__ = (
        check("raw_score", "raw_score <> 'NaN'"),
        check("sittings", "sittings >= 0"),
        {"postgresql_with": {"fillfactor": 50}},
    )


class TryoutItemCalibration(Base):
    """What one calibration found about a question; the accepted ones are also on the question itself."""

    __tablename__ = "tryout_item_calibrations"

    id: Mapped[TimeOrderedKey]
    question_id: Mapped[UUID] = mapped_column(references("questions.id", on_delete="CASCADE"))
    run_id: Mapped[UUID | None]
    calibrated_at: Mapped[datetime]
    scale: Mapped[str]
    """How the scale was fixed: `linked` to earlier parameters of common questions, or `reference` (mean 0, SD 1)."""
    responses: Mapped[int]
    right: Mapped[int]
    discrimination: Mapped[float]
    """Slope a of the two-parameter logistic model."""
    discrimination_error: Mapped[float | None]
    """Standard error; NULL: the information matrix gave none."""
    difficulty: Mapped[float]
    """Location b on the ability scale."""
    difficulty_error: Mapped[float | None]
    infit: Mapped[float]
    """Information-weighted mean square of the residuals; 1 is expected."""
    outfit: Mapped[float]
    """Unweighted mean square of the residuals; 1 is expected."""
    point_biserial: Mapped[float | None]
    """Correlation with the share of the other questions answered right."""
    flags: Mapped[list[str]] = mapped_column(server_default="{}")
    """Why an editor should look at the question; empty: nothing is wrong with it."""
    is_accepted: Mapped[bool]
    """Whether the parameters were taken over into the question."""

    __table_args__ = (
        not_blank("scale", 100),
        check("responses", 'responses > 0 AND "right" BETWEEN 0 AND responses'),
        check("discrimination", "discrimination BETWEEN -100 AND 100"),
        check("difficulty", "difficulty BETWEEN -100 AND 100"),
        check("errors", "discrimination_error > 0 AND difficulty_error > 0"),
        check("fit", "infit >= 0 AND outfit >= 0"),
        check("point_biserial", "point_biserial BETWEEN -1 AND 1"),
        Index("idx_tryout_item_calibrations_question", "question_id", "calibrated_at"),
    )


class TryoutSignal(Base):
    """Something about a sitting that people should look at. Nothing is decided by it."""

    __tablename__ = "tryout_signals"

    id: Mapped[TimeOrderedKey]
    tryout_session_id: Mapped[UUID] = mapped_column(references("tryout_sessions.id", on_delete="CASCADE"))
    other_session_id: Mapped[UUID | None] = mapped_column(references("tryout_sessions.id", on_delete="CASCADE"))
    """The other sitting of a similar pair; the smaller id stands first, so that a pair is one row."""
    kind: Mapped[SignalKind]
    strength: Mapped[float]
    """By kind: the share of right answers given impossibly fast, or −log₁₀ of the chance of such an agreement."""
    evidence: Mapped[JsonObject] = mapped_column(server_default="{}")
    found_at: Mapped[datetime]

    __table_args__ = (
        one_of("kind", SignalKind),
        check("other", "(kind = 'similar_answers') = (other_session_id IS NOT NULL)"),
        check("pair", "tryout_session_id < other_session_id"),
        check("strength", "strength >= 0 AND strength < 'Infinity'"),
        is_object("evidence"),
        UniqueConstraint(
            "tryout_session_id",
            "other_session_id",
            "kind",
            name="uq_tryout_signals_finding",
            postgresql_nulls_not_distinct=True,
        ),
        Index("idx_tryout_signals_other", "other_session_id", postgresql_where=text("other_session_id IS NOT NULL")),
        Index("idx_tryout_signals_found", "found_at"),
    )
