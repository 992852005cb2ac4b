"""Choosing among given options: multiple choice, multiple select, true or false."""

from typing import Any

from worker.attempts.errors import MalformedAnswer, MalformedQuestion
from worker.attempts.question_types import content
from worker.attempts.question_types.grade import BLANK, RIGHT, WRONG, Grade, Grader, all_or_nothing, answer_field, share


def multiple_choice(options: Any, answer_key: Any) -> Grader:
    """Return the grader of a question with one right option: `{"choice": "b"}`; null is blank."""
    known = content.options(options)
    key = content.mapping(answer_key, "answer_key")
    correct = content.option_id(content.required(key, "correct", "answer_key"), known, "answer_key.correct")
    grades = dict.fromkeys(known, WRONG) | {correct: RIGHT}

    def grade(answer: Any) -> Grade:
        choice = answer_field(answer, "choice")
        if type(choice) is str:
            result = grades.get(choice)
            if result is None:
                raise MalformedAnswer("answer.choice", "is not the id of an option")
            return result
        if choice is None:
            return BLANK
        raise MalformedAnswer("answer.choice", "must be the id of an option")

    return grade


def multiple_select(options: Any, answer_key: Any) -> Grader:
    """Return the grader of a question with several right options: `{"choices": ["a", "c"]}`; none chosen is blank.

    Score: right choices minus wrong ones, out of the number of right options, not below 0.
    """
    known = content.options(options)
    key = content.mapping(answer_key, "answer_key")
    correct = _correct_ids(content.required(key, "correct", "answer_key"), known)
    exact = content.is_exact(key)

    def grade(answer: Any) -> Grade:
        choices = answer_field(answer, "choices")
        if choices is None or choices == []:
            return BLANK
        chosen = _chosen_ids(choices, known)
        if chosen == correct:
            return RIGHT
        hits = len(chosen & correct)
        result = share(hits - (len(chosen) - hits), len(correct))
        return all_or_nothing(result) if exact else result

    return grade


def _correct_ids(value: Any, known: dict[str, str]) -> set[str]:
    """Return the right options of the key: known ids, each named once."""
    where = "answer_key.correct"
    correct: set[str] = set()
    for number, entry in enumerate(content.items(value, where)):
        option_id = content.option_id(entry, known, f"{where}[{number}]")
        if option_id in correct:
            raise MalformedQuestion(f"{where}[{number}]", "occurs twice")
        correct.add(option_id)
    return correct


def _chosen_ids(choices: Any, known: dict[str, str]) -> set[str]:
    """Return the options of the answer: known ids, each named once."""
    if type(choices) is not list:
        raise MalformedAnswer("answer.choices", "must be a list of option ids")
    chosen: set[str] = set()
    for number, choice in enumerate(choices):
        if type(choice) is not str or choice not in known:
            raise MalformedAnswer(f"answer.choices[{number}]", "is not the id of an option")
        if choice in chosen:
            raise MalformedAnswer(f"answer.choices[{number}]", "occurs twice")
        chosen.add(choice)
    return chosen


def true_false(_options: Any, answer_key: Any) -> Grader:
    """Return the grader of a statement that is true or false: `{"value": true}`; null is blank."""
    key = content.mapping(answer_key, "answer_key")
    correct = content.required(key, "correct", "answer_key")
    if not isinstance(correct, bool):
        raise MalformedQuestion("answer_key.correct", "must be true or false")

    def grade(answer: Any) -> Grade:
        value = answer_field(answer, "value")
        if type(value) is bool:
            return RIGHT if value is correct else WRONG
        if value is None:
            return BLANK
        raise MalformedAnswer("answer.value", "must be true or false")

    return grade
