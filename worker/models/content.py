"""Learning content: lessons, questions, sets of questions, and which belongs where.

English texts stand in the column of the plain name, Indonesian ones beside it with `_id` (the language's code); NULL
there means: not translated, show the English text.
"""

from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    Base,
    JsonObject,
    Level,
    RandomKey,
    Skill,
    SmallInt,
    Status,
    check,
    is_object,
    not_blank,
    one_of,
    references,
)

QuestionType = Literal[
    "multiple_choice", "multiple_select", "true_false", "fill_blank", "short_answer", "matching", "ordering"
]
SetKind = Literal["tryout", "placement", "practice"]

_AT_ONCE = {"fastupdate": "off"}
"""A GIN index without a list of pending entries: no writer pays for others, and no query reads the list."""

SLUG = "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 200"


class Lesson(Base):
    """A lesson, found by path → unit → position."""

    __tablename__ = "lessons"

    id: Mapped[RandomKey]
    slug: Mapped[str]
    title: Mapped[str]
    title_id: Mapped[str | None]
    description: Mapped[str] = mapped_column(server_default="")
    description_id: Mapped[str | None]
    level: Mapped[Level]
    skill: Mapped[Skill]
    topic: Mapped[str] = mapped_column(server_default="")
    path: Mapped[str] = mapped_column(server_default="")
    unit: Mapped[str] = mapped_column(server_default="")
    position: Mapped[int] = mapped_column(server_default=text("0"))
    """Order within the unit."""
    sections: Mapped[list[Any]] = mapped_column(server_default="[]")
    """A list of {"kind", "title", "title_id", "body", "body_id", …} in reading order."""
    status: Mapped[Status] = mapped_column(server_default="draft")
    search_vector: Mapped[str | None] = mapped_column(TSVECTOR)
    """Kept by the search refresh; NULL: not computed yet."""

    __table_args__ = (
        check("slug", SLUG),
        not_blank("title", 500),
        one_of("level", Level),
        one_of("skill", Skill),
        check("position", "position >= 0"),
        check("sections", "jsonb_typeof(sections) = 'array'"),
        one_of("status", Status),
        UniqueConstraint("slug", name="uq_lessons_slug"),
        Index("idx_lessons_level_skill", "level", "skill"),
        Index("idx_lessons_path", "path", "unit", "position"),
        Index("idx_lessons_search", "search_vector", postgresql_using="gin", postgresql_with=_AT_ONCE),
    )


class Question(Base):
    """A question of the bank; the grading page of the docs gives the shapes of `options` and `answer_key` by type."""

    __tablename__ = "questions"

    id: Mapped[RandomKey]
    type: Mapped[QuestionType]
    stem: Mapped[str]
    stem_id: Mapped[str | None]
    options: Mapped[list[Any]] = mapped_column(server_default="[]")
    """What the learner chooses from: a list, or for matching an object of two lists."""
    answer_key: Mapped[JsonObject]
    """The right answers and how tolerant grading is; never sent to a learner, never searchable."""
    explanation: Mapped[str] = mapped_column(server_default="")
    explanation_id: Mapped[str | None]
    level: Mapped[Level]
    skill: Mapped[Skill]
    topic: Mapped[str] = mapped_column(server_default="")
    difficulty: Mapped[SmallInt] = mapped_column(server_default=text("3"))
    """1 (easy) to 5, as its editor sees it; the measured one is `item_difficulty`."""
    usual_time_ms: Mapped[int] = mapped_column(server_default=text("15000"))
    """Time a learner usually takes; slower and faster answers weigh differently in the schedule."""
    item_discrimination: Mapped[float | None]
    """Item response theory, from calibration: slope (a)."""
    item_difficulty: Mapped[float | None]
    """Item response theory, from calibration: location (b) on the ability scale."""
    item_guessing: Mapped[float | None]
    """Item response theory: chance of a right answer without knowing (c), 0 ≤ c < 1."""
    status: Mapped[Status] = mapped_column(server_default="draft")
    source: Mapped[str] = mapped_column(server_default="")
    """Which data set it was made from."""
    search_vector: Mapped[str | None] = mapped_column(TSVECTOR)
    """Kept by the search refresh; NULL: not computed yet."""
    family: Mapped[str] = mapped_column(server_default="")
    """What it asks for, such as a word: the cards of a family's questions are siblings. Empty: it has none."""

    __table_args__ = (
        check("family", "char_length(family) <= 200"),
        one_of("type", QuestionType),
        not_blank("stem", 10_000),
        check("options", "jsonb_typeof(options) IN ('array', 'object')"),
        is_object("answer_key"),
        one_of("level", Level),
        one_of("skill", Skill),
        check("difficulty", "difficulty BETWEEN 1 AND 5"),
        check("usual_time_ms", "usual_time_ms > 0"),
        check("item_discrimination", "item_discrimination BETWEEN -100 AND 100"),
        check("item_difficulty", "item_difficulty BETWEEN -100 AND 100"),
        check("item_guessing", "item_guessing >= 0 AND item_guessing < 1"),
        one_of("status", Status),
        Index("idx_questions_type_level", "type", "level"),
        Index("idx_questions_search", "search_vector", postgresql_using="gin", postgresql_with=_AT_ONCE),
    )


class LessonQuestion(Base):
    """Which questions a lesson holds, in order. The order may be permuted by one UPDATE (deferrable unique)."""

    __tablename__ = "lesson_questions"

    lesson_id: Mapped[UUID] = mapped_column(references("lessons.id", on_delete="CASCADE"), primary_key=True)
    question_id: Mapped[UUID] = mapped_column(references("questions.id", on_delete="CASCADE"), primary_key=True)
    position: Mapped[int]

    __table_args__ = (
        check("position", "position >= 0"),
        UniqueConstraint("lesson_id", "position", name="uq_lesson_questions_position", deferrable=True),
        Index("idx_lesson_questions_question", "question_id"),
    )


class QuestionSet(Base):
    """A collection of questions taken together: a tryout, a placement test, a practice set."""

    __tablename__ = "question_sets"

    id: Mapped[RandomKey]
    slug: Mapped[str]
    title: Mapped[str]
    title_id: Mapped[str | None]
    kind: Mapped[SetKind] = mapped_column(server_default="tryout")
    scheme: Mapped[JsonObject] = mapped_column(server_default="{}")
    """How it is scored: scheme name, deductions, sections, pass marks."""
    time_limit_seconds: Mapped[int | None]
    """NULL: no limit."""
    status: Mapped[Status] = mapped_column(server_default="draft")

    __table_args__ = (
        check("slug", SLUG),
        not_blank("title", 500),
        one_of("kind", SetKind),
        is_object("scheme"),
        check("time_limit_seconds", "time_limit_seconds > 0"),
        one_of("status", Status),
        UniqueConstraint("slug", name="uq_question_sets_slug"),
    )


class QuestionSetQuestion(Base):
    """Which questions a set holds, in order, and what each is worth."""

    __tablename__ = "questionset_questions"

    question_set_id: Mapped[UUID] = mapped_column(references("question_sets.id", on_delete="CASCADE"), primary_key=True)
    question_id: Mapped[UUID] = mapped_column(references("questions.id", on_delete="RESTRICT"), primary_key=True)
    position: Mapped[int]
    section: Mapped[str] = mapped_column(server_default="")
    """Name of the part of the test it belongs to; empty: the test has no parts."""
    points: Mapped[Decimal] = mapped_column(Numeric(8, 2), server_default=text("1"))
    """Worth of a fully right answer; deductions are the scheme's."""

    __table_args__ = (
        check("position", "position >= 0"),
        check("points", "points > 0 AND points <> 'NaN'"),
        UniqueConstraint("question_set_id", "position", name="uq_questionset_questions_position", deferrable=True),
        Index("idx_questionset_questions_question", "question_id"),
    )
