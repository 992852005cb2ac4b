"""Scoring sittings by their set's scheme. Pure, and exact: scores are counted in whole ten-thousandths of a point.

Equal answers to a question are worth the same, so each different answer is graded once and the rest is addition.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from worker.attempts.answers import read_answer
from worker.attempts.errors import MalformedAnswer, MalformedQuestion
from worker.attempts.grading import Grader, compile_question
from worker.models.base import Skill
from worker.tryouts.errors import MalformedScheme
from worker.tryouts.scheme import Scheme

UNIT: Final = Decimal("0.0001")
_LARGEST_POINTS: Final = 9_999 * 10_000
"""The most that one question may be worth, in ten-thousandths."""
_LARGEST_SCORE: Final = 999_999 * 10_000
"""What `tryout_sessions.raw_score` can hold, in ten-thousandths."""

Verdict = Literal["right", "partial", "wrong", "blank", "unreadable"]
"""Unreadable: the answer does not fit the question (any more); it earns and costs what a blank one does."""


_AS_BLANK: Final = frozenset({"blank", "unreadable"})
_ID_LENGTH: Final = 36


def as_points(ten_thousandths: int) -> Decimal:
    """Return a count of ten-thousandths as points."""
    return Decimal(ten_thousandths).scaleb(-4)


def given(question_id: UUID, answer: str) -> str:
    """Return an answer (JSON text) together with its question as one text: how answers come here, by the million."""
    return f"{question_id}{answer}"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What an answer is worth.

    Attributes:
        number: its question's place among those of the form that count.
        part: its question's place among the form's parts.
        gained: ten-thousandths of a point that it adds to what leaving the question blank is worth.
    """

    number: int
    part: int
    gained: int
    verdict: Verdict


class FormQuestion(msgspec.Struct, frozen=True):
    """A question of a form, ready to be scored.

    Attributes:
        number: its place among the form's questions that count, from 0; -1: it does not count.
        part: the place of its skill and section among the form's, from 0; -1: it does not count.
        worth: ten-thousandths of a point for everything right.
        wrong: the same for a wrong answer.
        blank: the same for none.
        grader: grades its answers; None: the question cannot be graded and is left out for everybody.
        problem: why not.
    """

    id: UUID
    number: int
    part: int
    section: str
    skill: Skill
    worth: int
    wrong: int
    blank: int
    grader: Grader | None
    problem: str
    discrimination: float | None
    difficulty: float | None


class FormRow(msgspec.Struct, frozen=True):
    """A question of a set as the database has it; `options` and `answer_key` as JSON values."""

    id: UUID
    section: str
    points: Decimal
    skill: Skill
    type: str
    options: Any
    answer_key: Any
    discrimination: float | None = None
    difficulty: float | None = None


class Tally(msgspec.Struct):
    """What a part of a sitting (a skill, a section, the whole) came to; points in ten-thousandths."""

    questions: int = 0
    points: int = 0
    most: int = 0
    right: int = 0
    partial: int = 0
    wrong: int = 0
    blank: int = 0

    def count(self, verdict: Verdict, gained: int) -> None:
        """Turn one of the blank questions into an answered one that gained so much against leaving it blank."""
        self.points += gained
        self.blank -= 1
        if verdict == "right":
            self.right += 1
        elif verdict == "wrong":
            self.wrong += 1
        else:
            self.partial += 1

    def add(self, other: "Tally") -> None:
        """Add another part's tally."""
        self.questions += other.questions
        self.points += other.points
        self.most += other.most
        self.right += other.right
        self.partial += other.partial
        self.wrong += other.wrong
        self.blank += other.blank

    def shown(self) -> dict[str, Any]:
        """Return it as JSON for the result: points as exact decimal strings."""
        return {
            "questions": self.questions,
            "points": str(as_points(self.points)),
            "max": str(as_points(self.most)),
            "right": self.right,
            "partial": self.partial,
            "wrong": self.wrong,
            "blank": self.blank,
        }


class Score(msgspec.Struct, frozen=True):
    """The score of one sitting."""

    raw: Decimal
    most: Decimal | None
    """None: nothing of the form can be scored."""
    is_passed: bool | None
    breakdown: dict[str, Any]
    right: list[int]
    """The questions answered right, by their places among those that count."""


class Form:
    """The questions of a set with its scheme; keeps what each different answer is worth."""

    def __init__(self, rows: Iterable[FormRow], scheme: Scheme) -> None:
        """Compile.

        Raises:
            MalformedScheme: a question, or all of them, would be worth more than a score can hold.
        """
        self.scheme = scheme
        self.questions: dict[UUID, FormQuestion] = {}
        parts: dict[tuple[Skill, str], int] = {}
        count = 0
        for row in rows:
            grader, problem = _grader(row)
            number = part = -1
            if grader is not None:
                number, part = count, parts.setdefault((row.skill, row.section), len(parts))
                count += 1
            self.questions[row.id] = _compile(row, scheme, grader, problem, number, part)
        self.counted = [question for question in self.questions.values() if question.grader is not None]
        extremes = [(each.worth, each.wrong, each.blank) for each in self.counted]
        if any(abs(sum(column)) > _LARGEST_SCORE for column in zip(*extremes, strict=True)):
            raise MalformedScheme("scheme", "the whole form would be worth more than 999999: lower its points")
        self._outcomes: dict[str, Outcome | None] = {}
        self._parts = list(parts)
        self._blank = _tallies(self.counted, len(parts))

    def outcome(self, answer: str) -> Outcome | None:
        """Return what an answer (`given`) is worth; None: its question is not of this form, or not scored."""
        try:
            return self._outcomes[answer]
        except KeyError:
            question = self.questions.get(UUID(answer[:_ID_LENGTH]))
            found = None
            if question is not None and question.grader is not None:
                found = _judge(question, question.grader, answer[_ID_LENGTH:], self.scheme)
            self._outcomes[answer] = found
            return found

    def score(self, answers: Iterable[str]) -> Score:
        """Return the score of one sitting.

        Args:
            answers: as `given` returns them, at most one a question; the rest is blank. Answers to questions that the
                form does not hold or cannot grade change nothing.
        """
        parts = [_copy(tally) for tally in self._blank]
        right = []
        ignored = unreadable = 0
        for answer in answers:
            outcome = self.outcome(answer)
            if outcome is None:
                ignored += 1
                continue
            verdict = outcome.verdict
            if verdict in _AS_BLANK:
                unreadable += verdict == "unreadable"
                continue
            parts[outcome.part].count(verdict, outcome.gained)
            if verdict == "right":
                right.append(outcome.number)
        total, skills, sections = self._summed(parts)
        breakdown: dict[str, Any] = {
            "total": total.shown(),
            "skills": {name: tally.shown() for name, tally in skills.items()},
            "sections": {name: tally.shown() for name, tally in sections.items() if name},
        }
        if ignored:
            breakdown["answers_ignored"] = ignored
        if unreadable:
            breakdown["answers_unreadable"] = unreadable
        if len(self.counted) < len(self.questions):
            breakdown["questions_left_out"] = len(self.questions) - len(self.counted)
        return Score(
            raw=as_points(total.points),
            most=as_points(total.most) if total.most else None,
            is_passed=self._passed(total, skills, sections),
            breakdown=breakdown,
            right=sorted(right),
        )

    def _summed(self, parts: Sequence[Tally]) -> tuple[Tally, dict[str, Tally], dict[str, Tally]]:
        """Return the tallies of the whole, by skill and by section."""
        total = Tally()
        skills: dict[str, Tally] = {}
        sections: dict[str, Tally] = {}
        for (skill, section), part in zip(self._parts, parts, strict=True):
            for tally in (total, skills.setdefault(skill, Tally()), sections.setdefault(section, Tally())):
                tally.add(part)
        return total, skills, sections

    def _passed(self, total: Tally, skills: Mapping[str, Tally], sections: Mapping[str, Tally]) -> bool | None:
        marks = self.scheme.pass_marks
        if not marks or not total.most:
            return None
        parts: list[tuple[Tally | None, Decimal]] = [(total, marks.total or Decimal(0))]
        parts += [(skills.get(skill), mark) for skill, mark in marks.skills.items()]
        parts += [(sections.get(section), mark) for section, mark in marks.sections.items()]
        # A part that the form does not have cannot fail anyone.
        return all(part is None or 100 * part.points >= mark * part.most for part, mark in parts)


def _grader(row: FormRow) -> tuple[Grader | None, str]:
    try:
        return compile_question(row.type, row.options, row.answer_key), ""
    except MalformedQuestion as error:
        return None, str(error)


def _compile(row: FormRow, scheme: Scheme, grader: Grader | None, problem: str, number: int, part: int) -> FormQuestion:
    points = Decimal(1) if scheme.kind == "plain" else row.points
    factor = points * scheme.weights.get(row.section, Decimal(1))
    worth = _units(factor * scheme.right)
    if not 0 < worth <= _LARGEST_POINTS:
        raise MalformedScheme("scheme", f"question {row.id} would be worth {factor * scheme.right}: 0.0001 to 9999 fit")
    return FormQuestion(
        id=row.id,
        number=number,
        part=part,
        section=row.section,
        skill=row.skill,
        worth=worth,
        wrong=max(_units(factor * scheme.wrong), -_LARGEST_POINTS),
        blank=max(_units(factor * scheme.blank), -_LARGEST_POINTS),
        grader=grader,
        problem=problem,
        discrimination=row.discrimination,
        difficulty=row.difficulty,
    )


def _units(points: Decimal) -> int:
    return int((points / UNIT).to_integral_value(rounding=ROUND_HALF_EVEN))


def _judge(question: FormQuestion, grader: Grader, answer: str, scheme: Scheme) -> Outcome:
    verdict: Verdict
    points = question.blank
    try:
        grade = grader(read_answer(answer.encode()))
    except MalformedAnswer:
        verdict = "unreadable"
    else:
        # Grades have four decimals, so this is exact.
        credit = round(grade.score * 10_000) if scheme.credit == "partial" else 0
        if grade.is_blank:
            verdict = "blank"
        elif grade.is_correct:
            verdict, points = "right", question.worth
        elif credit == 0:
            verdict, points = "wrong", question.wrong
        else:
            verdict, points = "partial", _units(as_points(question.worth * credit) / 10_000)
    return Outcome(question.number, question.part, points - question.blank, verdict)


def _tallies(questions: Iterable[FormQuestion], parts: int) -> list[Tally]:
    """Return the tallies of a sitting without any answer, by part."""
    tallies = [Tally() for _ in range(parts)]
    for question in questions:
        tally = tallies[question.part]
        tally.questions += 1
        tally.blank += 1
        tally.points += question.blank
        tally.most += question.worth
    return tallies


def _copy(tally: Tally) -> Tally:
    return Tally(tally.questions, tally.points, tally.most, tally.right, tally.partial, tally.wrong, tally.blank)
