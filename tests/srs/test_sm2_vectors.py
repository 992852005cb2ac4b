"""Published numbers of SM-2 come out as published."""

import json
from datetime import date
from pathlib import Path

import pytest

from worker.srs.sm2 import new_card, review

_VECTORS = json.loads((Path(__file__).parents[1] / "data" / "srs_vectors.json").read_text(encoding="utf-8"))["vectors"]


def _vector(name):
    return next(vector for vector in _VECTORS if vector["id"] == name)


def test_a_first_answer_of_grade_five_is_due_a_day_later():
    vector = _vector("sm2-first-grade-5")
    card = review(new_card(date(2026, 11, 24)), *vector["input"]["ratings"], date(2026, 11, 24))
    assert card.interval * 24 == vector["expected"]["due_in_hours"]


def test_the_published_chain_of_grades_gives_the_published_intervals():
    """That package keeps an item on the same day until it scores 4 or more (step 7): such repeats move nothing."""
    vector = _vector("sm2-intervals")
    card = new_card(date(2026, 11, 24))
    assert card.ease == round(vector["input"]["start_EF"] * 100)
    seen, repeats_today = [], False
    for grade in vector["input"]["ratings"]:
        if not repeats_today:
            card = review(card, grade, card.due_on)
        repeats_today = grade < 4
        seen.append(0 if repeats_today else card.interval)
    assert seen == vector["expected"]["interval_whole_days"]


def test_repeats_on_the_same_day_move_nothing_here_either_when_they_are_right():
    card = review(new_card(date(2026, 11, 24)), 3, date(2026, 11, 24))
    assert review(card, 5, date(2026, 11, 24)) is card


@pytest.mark.parametrize("name", ["sm2-first-grade-5", "sm2-intervals"])
def test_each_vector_names_its_source(name):
    assert {"repo", "commit", "licence", "path", "test"} <= _vector(name)["source"].keys()
