"""The examples of docs/grading.md are true."""

import json
from pathlib import Path

import pytest

from worker.attempts.errors import MalformedAnswer
from worker.attempts.grading import QUESTION_TYPES, grade

_PAGE = Path(__file__).parents[2] / "docs" / "grading.md"


def _cell(text):
    return json.loads(text.strip().strip("`"))


def _examples():
    section = _PAGE.read_text(encoding="utf-8").split("## Examples")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    for row in rows:
        question_type, options, answer_key, answer, expected, why = (
            cell.strip() for cell in row.strip("|").split(" | ")
        )
        yield pytest.param(
            question_type, _cell(options), _cell(answer_key), _cell(answer), expected, id=f"{question_type}: {why}"
        )


@pytest.mark.parametrize(("question_type", "options", "answer_key", "answer", "expected"), list(_examples()))
def test_each_example_of_the_page_is_graded_as_it_says(question_type, options, answer_key, answer, expected):
    if expected.startswith("malformed: "):
        with pytest.raises(MalformedAnswer) as refusal:
            grade(question_type, options, answer_key, answer)
        assert refusal.value.field == expected.removeprefix("malformed: ")
        return
    result = grade(question_type, options, answer_key, answer)
    assert result.is_blank == (expected == "blank")
    assert result.score == (0 if expected == "blank" else float(expected))
    assert result.is_correct == (result.score == 1)


def test_the_page_has_examples_of_every_type():
    assert {example.values[0] for example in _examples()} == set(QUESTION_TYPES)
