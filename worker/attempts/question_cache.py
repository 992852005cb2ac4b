"""Compiled questions, kept by a process and checked against the table in every batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from worker.attempts.errors import MalformedQuestion
from worker.attempts.grading import Grader, compile_question

_MAX_QUESTIONS: Final = 50_000

Version = tuple[bytes, bytes]
"""A row's (xmin, ctid): every update changes it, even a second one in the same transaction."""

QuestionRow = tuple[bytes, bytes, bytes, int, str, str, str]
"""Id, xmin, ctid, usual_time_ms, type, options and answer key as JSON texts."""


class CompiledQuestion(msgspec.Struct, frozen=True, gc=False):
    """A question ready to grade with.

    Attributes:
        version: the row version it was compiled from.
        usual_time_ms: what the question usually takes.
        grader: grades answers; None if the question cannot be graded.
        problem: why not.
    """

    version: Version
    usual_time_ms: int
    grader: Grader | None
    problem: str


class QuestionCache:
    """Compiled questions by id. Memory: a few kB each, for at most 50,000 of them."""

    def __init__(self) -> None:
        self._compiled: dict[bytes, CompiledQuestion] = {}

    def get(
        self, versions: Mapping[bytes, Version], load: Callable[[Sequence[bytes]], Iterable[QuestionRow]]
    ) -> dict[bytes, CompiledQuestion]:
        """Return the questions ready to grade with.

        Args:
            versions: the present version of each question that exists.
            load: returns the rows of some of them; called for those that are not kept, or were edited since.
        """
        if len(self._compiled) > _MAX_QUESTIONS:
            self._compiled = {}
        kept = self._compiled
        stale = [
            question_id
            for question_id, version in versions.items()
            if question_id not in kept or kept[question_id].version != version
        ]
        if stale:
            for question_id, xmin, ctid, usual_time_ms, *content in load(stale):
                kept[question_id] = _compile((xmin, ctid), usual_time_ms, *content)
        return {question_id: kept[question_id] for question_id in versions}


def _compile(
    version: Version, usual_time_ms: int, question_type: str, options: str, answer_key: str
) -> CompiledQuestion:
    grader: Grader | None = None
    problem = ""
    try:
        grader = compile_question(question_type, _value(options, "options"), _value(answer_key, "answer_key"))
    except MalformedQuestion as error:
        problem = str(error)
    return CompiledQuestion(version, usual_time_ms, grader, problem)


def _value(text: str, where: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedQuestion(where, f"cannot be read: {error}") from None
