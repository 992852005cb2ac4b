"""What content is made of: levels, questions, lessons, and identifiers that never change for the same thing."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from random import Random
from typing import Any, Final, Literal, TypeVar
from uuid import UUID, uuid5

T = TypeVar("T")

Level = Literal["A1", "A2", "B1", "B2"]
Skill = Literal["vocabulary", "grammar", "reading"]
QuestionType = Literal[
    "multiple_choice", "multiple_select", "true_false", "fill_blank", "short_answer", "matching", "ordering"
]

LEVELS: Final[tuple[Level, ...]] = ("A1", "A2", "B1", "B2")
NAMESPACE: Final = UUID("6f1d3b0a-6c56-5d0e-9b52-6c1c3c6a1a10")
"""Namespace of every id below; changing it would make all content new."""


def generator(seed: int, key: str) -> Random:
    """Return the source of chance for one piece of content.

    It depends on the seed and the piece's key alone (text seeds go through SHA-512), not on the order in which pieces
    are made, nor on PYTHONHASHSEED.
    """
    return Random(f"{seed}/{key}")  # noqa: S311 - reproducible, not secret


def drawn(pool: Sequence[T], chance: Random) -> Iterator[T]:
    """Yield the pool's members in an order of chance, each once; what is not asked for costs nothing."""
    moved: dict[int, int] = {}
    for at in range(len(pool)):
        # Fisher-Yates, with the swaps kept aside.
        other = chance.randrange(at, len(pool))
        yield pool[moved.get(other, other)]
        moved[other] = moved.get(at, at)


def stable_rank(key: str) -> str:
    """Return a text that sorts keys in an arbitrary order that is always the same: no alphabet, no chance."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True)
class Question:
    """A question of the bank, with texts in English and (`_id`) Indonesian.

    Attributes:
        key: natural key; the id is derived from it, so it must not contain anything that chance decides.
        difficulty: 1 (easy) to 5, within its level.
        usual_time_ms: time a learner of its level usually takes.
        source: the data sets it was made from, as `docs/content.md` names them.
    """

    key: str
    type: QuestionType
    stem: str
    stem_id: str
    options: Any
    answer_key: dict[str, Any]
    explanation: str
    explanation_id: str
    level: Level
    skill: Skill
    topic: str
    difficulty: int
    usual_time_ms: int
    source: str

    @cached_property
    def id(self) -> UUID:
        """Return the question's identifier."""
        return uuid5(NAMESPACE, f"question:{self.key}")

    @property
    def family(self) -> str:
        """Return what it asks for (a word, a sentence, a pair of sentences), however it asks; "" for several words."""
        kind, _way, thing = self.key.split("/", 2)
        return "" if kind == "words" else f"{kind}/{thing}"


@dataclass(frozen=True)
class Lesson:
    """A lesson: what is read, in sections, and then the questions in their order.

    Attributes:
        slug: unique and stable; the id is derived from it.
        position: order within the unit, from 1.
    """

    slug: str
    title: str
    title_id: str
    description: str
    description_id: str
    level: Level
    skill: Skill
    topic: str
    path: str
    unit: str
    position: int
    sections: list[dict[str, Any]]
    questions: tuple[Question, ...]

    @cached_property
    def id(self) -> UUID:
        """Return the lesson's identifier."""
        return uuid5(NAMESPACE, f"lesson:{self.slug}")


@dataclass(frozen=True)
class Content:
    """All lessons, and all questions: those of the lessons and those that only the bank has."""

    lessons: tuple[Lesson, ...]
    questions: tuple[Question, ...]

    def digest(self) -> str:
        """Return a SHA-256 over everything, in order: equal only for content that is equal to the byte."""
        summary = hashlib.sha256()
        for question in self.questions:
            summary.update(json.dumps([str(question.id), asdict(question)], ensure_ascii=False).encode())
        for lesson in self.lessons:
            fields = {name: value for name, value in vars(lesson).items() if name not in {"questions", "id"}}
            ids = [str(question.id) for question in lesson.questions]
            summary.update(json.dumps([str(lesson.id), fields, ids], ensure_ascii=False).encode())
        return summary.hexdigest()
