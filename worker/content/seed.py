"""Seeding: build the content, check it, write it, and tell what came of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

from worker.content.build import build_content
from worker.content.check import faults
from worker.content.errors import FaultyContentError
from worker.content.store import Written, write_content
from worker.content.values import LEVELS, Content
from worker.db.engines import Connection


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What a seed made.

    Attributes:
        by_type: questions by type, skill and level: {"ordering": {"reading": {"A1": 12, …}}}.
        lessons_by_skill: lessons by skill and level.
        written: what changed in the database; None if nothing was to be written.
        digest: SHA-256 of the content: equal for equal seeds.
        build_s: time that making and checking took; `write_s` likewise.
    """

    seed: int
    by_type: dict[str, dict[str, dict[str, int]]]
    lessons_by_skill: dict[str, dict[str, int]]
    written: Written | None
    digest: str
    build_s: float
    write_s: float

    @property
    def questions(self) -> int:
        """Return how many questions there are."""
        return sum(count for skills in self.by_type.values() for levels in skills.values() for count in levels.values())

    @property
    def lessons(self) -> int:
        """Return how many lessons there are."""
        return sum(count for levels in self.lessons_by_skill.values() for count in levels.values())


def made_content(seed: int) -> Content:
    """Return the content of a seed, checked.

    Raises:
        FaultyContentError: it breaks a rule of `worker.content.check`.
    """
    content = build_content(seed)
    if found := faults(content):
        raise FaultyContentError(found)
    return content


def plan_content(seed: int = 1) -> SeedReport:
    """Return what `seed_content` would make, without a database.

    Raises:
        FaultyContentError: the content breaks a rule of `worker.content.check`.
    """
    started = perf_counter()
    content = made_content(seed)
    return _report(seed, content, None, perf_counter() - started, 0.0)


def seed_content(connection: Connection, seed: int = 1) -> SeedReport:
    """Bring the database to the content of a seed, in one transaction (or savepoint of the present one).

    Run again, it changes nothing. With another seed, the same questions and lessons get other wrong options, orders and
    statements, in place.

    Raises:
        FaultyContentError: the content breaks a rule of `worker.content.check`; nothing was written.
    """
    started = perf_counter()
    content = made_content(seed)
    built = perf_counter()
    written = write_content(connection, content)
    return _report(seed, content, written, built - started, perf_counter() - built)


def _report(seed: int, content: Content, written: Written | None, build_s: float, write_s: float) -> SeedReport:
    by_type: dict[str, dict[str, dict[str, int]]] = {}
    for kind in sorted({question.type for question in content.questions}):
        of_kind = [question for question in content.questions if question.type == kind]
        skills = sorted({question.skill for question in of_kind})
        by_type[kind] = {
            skill: _by_level(question.level for question in of_kind if question.skill == skill) for skill in skills
        }
    return SeedReport(
        seed=seed,
        by_type=by_type,
        lessons_by_skill={
            skill: _by_level(lesson.level for lesson in content.lessons if lesson.skill == skill)
            for skill in sorted({lesson.skill for lesson in content.lessons})
        },
        written=written,
        digest=content.digest(),
        build_s=build_s,
        write_s=write_s,
    )


def _by_level(levels: Iterable[str]) -> dict[str, int]:
    counts = Counter(levels)
    return {level: counts[level] for level in LEVELS}
