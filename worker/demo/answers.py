"""What a simulated learner answers: the key's answer, or a believable wrong one, for each type of question."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SimulatedQuestion:
    """A question as the simulator needs it: with its key, which no real learner sees."""

    id: UUID
    type: str
    options: Any
    answer_key: dict[str, Any]
    difficulty: int
    usual_time_ms: int


_BLANK_SHARE = 0.1
"""How often a learner who does not know a text gives up and sends nothing."""


def guessing_chance(question: SimulatedQuestion) -> float:
    """Return the chance of answering right without knowing anything."""
    if question.type == "true_false":
        return 0.5
    if question.type == "multiple_choice":
        return 1 / len(question.options)
    return 0.0


def right_answer(question: SimulatedQuestion) -> dict[str, Any]:
    """Return the answer that the question's own key grades as right."""
    return _RIGHT[question.type](question.answer_key)


def wrong_answer(question: SimulatedQuestion, generator: Random) -> dict[str, Any]:
    """Return an answer that is wrong, or right in part where the type gives credit for parts."""
    return _WRONG[question.type](question, generator)


_RIGHT: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "multiple_choice": lambda key: {"choice": key["correct"]},
    "multiple_select": lambda key: {"choices": key["correct"]},
    "true_false": lambda key: {"value": key["correct"]},
    "fill_blank": lambda key: {"blanks": [accepted[0] for accepted in key["blanks"]]},
    "short_answer": lambda key: {"text": key["accepted"][0]},
    "matching": lambda key: {"pairs": key["pairs"]},
    "ordering": lambda key: {"order": key["order"]},
}


def _another_choice(question: SimulatedQuestion, generator: Random) -> dict[str, Any]:
    others = [option["id"] for option in question.options if option["id"] != question.answer_key["correct"]]
    return {"choice": generator.choice(others)}


def _incomplete_choices(question: SimulatedQuestion, _generator: Random) -> dict[str, Any]:
    return {"choices": question.answer_key["correct"][1:]}


def _opposite(question: SimulatedQuestion, _generator: Random) -> dict[str, Any]:
    return {"value": not question.answer_key["correct"]}


def _garbled_blanks(question: SimulatedQuestion, generator: Random) -> dict[str, Any]:
    blanks = [accepted[0] for accepted in question.answer_key["blanks"]]
    blanks[generator.randrange(len(blanks))] = "xyzzy"
    return {"blanks": blanks}


def _garbled_text(question: SimulatedQuestion, generator: Random) -> dict[str, Any]:
    return {"text": "" if generator.random() < _BLANK_SHARE else question.answer_key["accepted"][0][::-1] + "xyz"}


def _swapped_pairs(question: SimulatedQuestion, generator: Random) -> dict[str, Any]:
    pairs = dict(question.answer_key["pairs"])
    first, second = generator.sample(sorted(pairs), 2)
    pairs[first], pairs[second] = pairs[second], pairs[first]
    return {"pairs": pairs}


def _reversed_order(question: SimulatedQuestion, _generator: Random) -> dict[str, Any]:
    return {"order": question.answer_key["order"][::-1]}


_WRONG: dict[str, Callable[[SimulatedQuestion, Random], dict[str, Any]]] = {
    "multiple_choice": _another_choice,
    "multiple_select": _incomplete_choices,
    "true_false": _opposite,
    "fill_blank": _garbled_blanks,
    "short_answer": _garbled_text,
    "matching": _swapped_pairs,
    "ordering": _reversed_order,
}
