"""Grading: what an answer to a question is worth. Pure; specified with examples in docs/grading.md.

A question is compiled once (key checked, accepted texts normalised) and then grades any number of answers.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from worker.attempts.errors import MalformedQuestion
from worker.attempts.question_types import arrangements, choices, texts
from worker.attempts.question_types.grade import Grade, Grader

__all__ = ["QUESTION_TYPES", "Grade", "Grader", "compile_question", "grade"]

QUESTION_TYPES: Final[Mapping[str, Callable[[Any, Any], Grader]]] = MappingProxyType(
    {
        "multiple_choice": choices.multiple_choice,
        "multiple_select": choices.multiple_select,
        "true_false": choices.true_false,
        "fill_blank": texts.fill_blank,
        "short_answer": texts.short_answer,
        "matching": arrangements.matching,
        "ordering": arrangements.ordering,
    }
)
"""The compiler of each question type."""


def compile_question(question_type: str, options: Any, answer_key: Any) -> Grader:
    """Return the function that grades answers to this question.

    Args:
        question_type: one of `QUESTION_TYPES`.
        options: what the learner chooses from (JSON value of `questions.options`).
        answer_key: what is right (JSON value of `questions.answer_key`).

    Raises:
        MalformedQuestion: the type is unknown, or options and key do not fit it or each other.
    """
    compiler = QUESTION_TYPES.get(question_type)
    if compiler is None:
        raise MalformedQuestion("type", "is not a known question type")
    return compiler(options, answer_key)


def grade(question_type: str, options: Any, answer_key: Any, answer: Any) -> Grade:
    """Return what one answer to a question is worth; for many answers to it, compile the question once.

    Raises:
        MalformedQuestion: see `compile_question`.
        MalformedAnswer: the answer does not have the shape of the question's type.
    """
    return compile_question(question_type, options, answer_key)(answer)
