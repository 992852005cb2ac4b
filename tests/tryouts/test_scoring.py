"""What answers are worth by each scheme: exact, by skill and section, whatever order they come in."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import ANSWERS, QUESTIONS
from worker.tryouts.errors import MalformedScheme
from worker.tryouts.scheme import read_scheme
from worker.tryouts.scoring import Form, FormRow
from worker.tryouts.scoring import given as given_answer

RIGHT, WRONG, BLANK = '{"choice": "b"}', '{"choice": "a"}', '{"choice": null}'


def row(kind="multiple_choice", **values) -> FormRow:
    content = {name: QUESTIONS[kind][name] for name in ("options", "answer_key")}
    usual = {"id": uuid4(), "section": "", "points": Decimal(1), "skill": "grammar", "type": kind}
    return FormRow(**usual | content | values)


def score(scheme, rows, answers):
    given_answers = [
        given_answer(each.id, answer) for each, answer in zip(rows, answers, strict=True) if answer is not None
    ]
    return Form(rows, read_scheme(scheme)).score(given_answers)


ROWS = [row() for _ in range(4)]


@pytest.mark.parametrize(
    ("scheme", "raw", "most"),
    [
        ({}, "2", "4"),
        ({"kind": "weighted"}, "2", "4"),
        ({"kind": "deduction", "right": "4", "wrong": "-1"}, "7", "16"),
        ({"kind": "deduction", "right": "1", "wrong": "-0.25", "blank": "-0.1"}, "1.65", "4"),
    ],
)
def test_two_right_one_wrong_one_blank_by_each_scheme(scheme, raw, most):
    found = score(scheme, ROWS, [RIGHT, RIGHT, WRONG, None])
    assert (found.raw, found.most) == (Decimal(raw), Decimal(most))


def test_deductions_take_a_score_below_zero():
    assert score({"kind": "deduction", "right": "4", "wrong": "-1"}, ROWS, [WRONG] * 4).raw == Decimal(-4)


def test_points_of_the_set_and_weights_of_sections_multiply():
    rows = [row(points=Decimal("2.50"), section="reading"), row(points=Decimal(3), section="writing")]
    found = score({"kind": "weighted", "weights": {"reading": "2"}}, rows, [RIGHT, RIGHT])
    assert found.raw == Decimal(8)
    assert {name: part["points"] for name, part in found.breakdown["sections"].items()} == {
        "reading": "5.0000",
        "writing": "3.0000",
    }


def test_plain_scheme_gives_a_point_a_question_whatever_the_set_says():
    assert score({}, [row(points=Decimal(9))], [RIGHT]).raw == 1


@pytest.mark.parametrize(("credit", "raw"), [("partial", "2.0000"), ("exact", "-1")])
def test_half_right_answer_earns_its_share_or_counts_as_wrong(credit, raw):
    rows = [row("multiple_select")]
    scheme = {"kind": "deduction", "right": "4", "wrong": "-1", "credit": credit}
    assert score(scheme, rows, ['{"choices": ["a"]}']).raw == Decimal(raw)


def test_thirds_are_rounded_half_to_even_at_the_fourth_decimal():
    rows = [row("matching", points=Decimal(2))]
    pairs = dict(ANSWERS["matching"]["pairs"])
    pairs["l3"], pairs["l2"] = "r3", "r1"  # one of three right
    found = score({"kind": "weighted"}, rows, [json.dumps({"pairs": pairs})])
    assert found.raw == Decimal("0.6666")


def test_answer_that_does_not_fit_its_question_counts_as_blank_and_is_told():
    found = score({"kind": "deduction", "wrong": "-1"}, [row()], ['{"choice": "z"}'])
    assert (found.raw, found.breakdown["answers_unreadable"]) == (0, 1)


def test_question_that_cannot_be_graded_is_left_out_for_everybody():
    rows = [row(), row(answer_key={"correct": "z"})]
    found = score({}, rows, [RIGHT, RIGHT])
    assert (found.raw, found.most, found.breakdown["questions_left_out"]) == (1, 1, 1)


def test_answer_to_a_question_that_left_the_set_changes_nothing():
    found = Form(ROWS, read_scheme({})).score([given_answer(uuid4(), RIGHT), given_answer(ROWS[0].id, RIGHT)])
    assert (found.raw, found.breakdown["answers_ignored"]) == (1, 1)


def test_empty_form_has_no_maximum_and_nobody_passes_or_fails():
    found = Form([], read_scheme({"pass": {"total": 50}})).score([])
    assert (found.raw, found.most, found.is_passed) == (0, None, None)


@pytest.mark.parametrize(
    ("marks", "is_passed"),
    [
        ({"total": 50}, True),
        ({"total": "50.01"}, False),
        ({"skills": {"grammar": 100}}, True),
        ({"skills": {"reading": 1}}, False),
        ({"total": 50, "sections": {"two": 1}}, False),
        ({"sections": {"three": 100}}, True),
        ({}, None),
    ],
)
def test_each_pass_mark_must_be_reached(marks, is_passed):
    rows = [row(section="one"), row(section="two", skill="reading")]
    assert score({"pass": marks}, rows, [RIGHT, WRONG]).is_passed is is_passed


def test_question_worth_more_than_a_score_can_hold_is_refused():
    with pytest.raises(MalformedScheme):
        Form([row(points=Decimal(10_000))], read_scheme({"kind": "weighted"}))
    with pytest.raises(MalformedScheme):
        Form([row(points=Decimal(9_999)) for _ in range(101)], read_scheme({"kind": "weighted"}))


@given(
    answers=st.lists(st.sampled_from([RIGHT, WRONG, BLANK, None]), min_size=6, max_size=6),
    right=st.decimals("0.01", "10", places=2),
    wrong=st.decimals("-10", "0", places=2),
    order=st.permutations(range(6)),
)
def test_score_is_the_sum_of_its_parts_in_any_order(answers, right, wrong, order):
    rows = [row(skill=("grammar", "reading")[n % 2], section=("one", "two", "")[n % 3]) for n in range(6)]
    scheme = read_scheme({"kind": "deduction", "right": str(right), "wrong": str(wrong)})
    given_answers = [given_answer(rows[n].id, answers[n]) for n in range(6) if answers[n] is not None]
    found = Form(rows, scheme).score(given_answers)
    assert found.raw == answers.count(RIGHT) * right + answers.count(WRONG) * wrong
    parts = found.breakdown["skills"].values()
    assert sum(Decimal(part["points"]) for part in parts) == found.raw
    for part in parts:
        assert part["right"] + part["partial"] + part["wrong"] + part["blank"] == part["questions"]
    shuffled = [each for n in order for each in given_answers if each.startswith(str(rows[n].id))]
    assert Form(rows, scheme).score(shuffled) == found
