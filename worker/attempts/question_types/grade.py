"""The result of grading, and the few results that occur all the time."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from worker.attempts.errors import MalformedAnswer


class Grade(msgspec.Struct, frozen=True, gc=False):
    """What an answer is worth.

    Attributes:
        score: 0–1, rounded to four decimals; below 1 unless everything is right.
        is_correct: everything is right.
        is_blank: the learner gave no answer at all; the score is 0.
    """

    score: float
    is_correct: bool
    is_blank: bool


Grader = Callable[[Any], Grade]
"""Grades one answer (any JSON value) of one question. Raises MalformedAnswer, nothing else."""

RIGHT: Final = Grade(score=1.0, is_correct=True, is_blank=False)
WRONG: Final = Grade(score=0.0, is_correct=False, is_blank=False)
BLANK: Final = Grade(score=0.0, is_correct=False, is_blank=True)

_ALMOST_RIGHT: Final = 0.9999


@lru_cache(maxsize=4096)
def share(right: int, parts: int) -> Grade:
    """Return the grade of `right` parts out of `parts`; a negative count of right ones scores 0."""
    if right >= parts:
        return RIGHT
    if right <= 0:
        return WRONG
    # 19,999 of 20,000 would round to 1: only everything right may score 1.
    return Grade(score=min(round(right / parts, 4), _ALMOST_RIGHT), is_correct=False, is_blank=False)


def all_or_nothing(grade: Grade) -> Grade:
    """Return the grade without partial credit."""
    return grade if grade.is_correct or grade.is_blank else WRONG


def answer_field(answer: Any, name: str) -> Any:
    """Return the one field that an answer of a type consists of; None if the whole answer is null (skipped).

    Raises:
        MalformedAnswer: the answer is no object, or lacks the field.
    """
    if type(answer) is dict:
        try:
            return answer[name]
        except KeyError:
            raise MalformedAnswer(f"answer.{name}", "is missing") from None
    if answer is None:
        return None
    raise MalformedAnswer("answer", "must be an object")
