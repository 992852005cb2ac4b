"""Typing an answer: gaps in a sentence, short answers."""

from collections.abc import Callable
from typing import Any, Final

from worker.attempts.answer_text import matcher, normalise
from worker.attempts.errors import MalformedAnswer, MalformedQuestion
from worker.attempts.question_types import content
from worker.attempts.question_types.grade import BLANK, RIGHT, WRONG, Grade, Grader, all_or_nothing, answer_field, share

MAX_TYPOS: Final = 3
"""More edits than this would accept other words."""


def _typos(answer_key: dict[str, Any]) -> int:
    typos = answer_key.get("typos", 0)
    if type(typos) is not int or not 0 <= typos <= MAX_TYPOS:
        raise MalformedQuestion("answer_key.typos", f"must be a whole number from 0 to {MAX_TYPOS}")
    return typos


def _accepted(value: Any, typos: int, where: str) -> Callable[[str], bool]:
    texts = []
    for number, entry in enumerate(content.items(value, where)):
        text = normalise(content.string(entry, f"{where}[{number}]"))
        if not text:
            raise MalformedQuestion(f"{where}[{number}]", "has nothing to compare: only spaces or punctuation")
        texts.append(text)
    return matcher(texts, typos)


def fill_blank(_options: Any, answer_key: Any) -> Grader:
    """Return the grader of a sentence with gaps: `{"blanks": ["went", "to"]}`; a null entry is an empty gap.

    Score: the share of gaps that hold an accepted text. All gaps empty, or no list at all, is blank.
    """
    key = content.mapping(answer_key, "answer_key")
    typos = _typos(key)
    exact = content.is_exact(key)
    gaps = [
        _accepted(accepted, typos, f"answer_key.blanks[{number}]")
        for number, accepted in enumerate(
            content.items(content.required(key, "blanks", "answer_key"), "answer_key.blanks")
        )
    ]

    def grade(answer: Any) -> Grade:
        entries = answer_field(answer, "blanks")
        if entries is None or entries == []:
            return BLANK
        if type(entries) is not list:
            raise MalformedAnswer("answer.blanks", "must be a list of texts")
        if len(entries) != len(gaps):
            raise MalformedAnswer("answer.blanks", f"must have {len(gaps)} entries, one for each gap")
        right = filled = 0
        for number, entry in enumerate(entries):
            if type(entry) is str:
                text = normalise(entry)
                if text:
                    filled += 1
                    right += gaps[number](text)
            elif entry is not None:
                raise MalformedAnswer(f"answer.blanks[{number}]", "must be a text")
        if not filled:
            return BLANK
        result = share(right, len(gaps))
        return all_or_nothing(result) if exact else result

    return grade


def short_answer(_options: Any, answer_key: Any) -> Grader:
    """Return the grader of a short answer in the learner's own words: `{"text": "…"}`; an empty text is blank."""
    key = content.mapping(answer_key, "answer_key")
    accepts = _accepted(content.required(key, "accepted", "answer_key"), _typos(key), "answer_key.accepted")

    def grade(answer: Any) -> Grade:
        entry = answer_field(answer, "text")
        if type(entry) is str:
            text = normalise(entry)
            if not text:
                return BLANK
            return RIGHT if accepts(text) else WRONG
        if entry is None:
            return BLANK
        raise MalformedAnswer("answer.text", "must be a text")

    return grade
