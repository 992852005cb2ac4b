"""Grading holds its promises for every question and every answer."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attempts.questions import json_values, questions
from worker.attempts.errors import MalformedAnswer, MalformedQuestion
from worker.attempts.grading import QUESTION_TYPES, compile_question, grade
from worker.attempts.question_types.grade import share
from worker.errors import ElpError


@given(questions)
def test_the_key_itself_scores_one(question):
    *content, right_answer = question
    result = grade(*content, right_answer)
    assert (result.score, result.is_correct, result.is_blank) == (1, True, False)


@given(questions, json_values)
def test_any_json_as_answer_is_graded_or_refused_by_field(question, answer):
    *content, _ = question
    grader = compile_question(*content)
    try:
        result = grader(answer)
    except MalformedAnswer as error:
        refusal = error
    else:
        assert 0 <= result.score <= 1
        assert result.score == round(result.score, 4)
        assert result.is_correct == (result.score == 1)
        assert not (result.is_blank and result.score)
        return
    assert refusal.field.startswith("answer")
    assert refusal.reason


@given(questions, st.data())
def test_any_json_inside_the_right_field_is_graded_or_refused(question, data):
    *content, right_answer = question
    (field, value), *_ = right_answer.items()
    mutated = data.draw(json_values)
    if isinstance(value, list) and value:
        position = data.draw(st.integers(0, len(value) - 1))
        mutated = [*value[:position], mutated, *value[position + 1 :]]
    elif isinstance(value, dict):
        mutated = value | {data.draw(st.sampled_from(sorted(value))): mutated}
    try:
        result = grade(*content, {field: mutated})
    except MalformedAnswer as error:
        refusal = error
    else:
        assert 0 <= result.score <= 1
        return
    assert refusal.field.startswith(f"answer.{field}")


@given(st.sampled_from(sorted(QUESTION_TYPES)) | st.text(max_size=5), json_values, json_values)
def test_any_json_as_content_compiles_or_is_refused_by_field(question_type, options, answer_key):
    try:
        compile_question(question_type, options, answer_key)
    except MalformedQuestion as error:
        refusal = error
    else:
        return
    assert refusal.field
    assert refusal.reason


@given(questions, st.data())
def test_any_json_inside_a_valid_key_compiles_or_is_refused(question, data):
    question_type, options, answer_key, right_answer = question
    field = data.draw(st.sampled_from(sorted(answer_key)))
    try:
        grader = compile_question(question_type, options, answer_key | {field: data.draw(json_values)})
    except MalformedQuestion:
        return
    try:
        grader(right_answer)
    except MalformedAnswer:
        return


def test_refusals_are_errors_of_this_product():
    assert issubclass(MalformedAnswer, ElpError)
    assert issubclass(MalformedQuestion, ElpError)


@given(questions)
def test_a_skipped_question_is_blank_whatever_its_type(question):
    *content, right_answer = question
    (field,) = right_answer
    assert grade(*content, None).is_blank
    assert grade(*content, {field: None}).is_blank


@given(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1), st.lists(st.sampled_from("abcdef"), unique=True))
def test_the_order_of_chosen_options_does_not_matter(correct, chosen):
    options = [{"id": option} for option in "abcdef"]
    results = {
        grade("multiple_select", options, {"correct": correct}, {"choices": list(order)})
        for order in itertools.islice(itertools.permutations(chosen), 24)
    }
    assert len(results) == 1


@given(questions, st.dictionaries(st.text(min_size=9, max_size=12), st.text(max_size=3), max_size=2))
def test_fields_beyond_the_types_own_are_ignored(question, more):
    *content, right_answer = question
    assert grade(*content, more | right_answer).is_correct


@given(st.permutations("abcdef"))
def test_an_ordering_scores_one_only_in_an_accepted_order(order):
    options = [{"id": option, "text": text} for option, text in zip("abcdef", "xyxzxw", strict=True)]
    texts = {option["id"]: option["text"] for option in options}
    result = grade("ordering", options, {"order": list("abcdef")}, {"order": order})
    assert result.is_correct == ([texts[option] for option in order] == list("xyxzxw"))


def test_an_order_with_all_links_kept_but_other_words_first_is_not_right():
    options = [{"id": f"{number}", "text": text} for number, text in enumerate("abaca")]
    result = grade("ordering", options, {"order": list("01234")}, {"order": list("03214")})
    assert result.score == 0.75


def test_almost_everything_right_is_not_everything_right():
    assert share(19_999, 20_000).score < 1
    assert not share(19_999, 20_000).is_correct


@pytest.mark.parametrize(
    ("question_type", "options", "answer_key", "field"),
    [
        ("essay", [], {}, "type"),
        ("multiple_choice", [{"id": "a"}], {}, "answer_key.correct"),
        ("multiple_choice", [{"id": "a"}], {"correct": "b"}, "answer_key.correct"),
        ("multiple_choice", [{"id": "a"}, {"id": "a"}], {"correct": "a"}, "options[1].id"),
        ("multiple_select", [{"id": "a"}], {"correct": []}, "answer_key.correct"),
        ("multiple_select", [{"id": "a"}], {"correct": ["a", "a"]}, "answer_key.correct[1]"),
        ("multiple_select", [{"id": "a"}], {"correct": ["a"], "credit": "some"}, "answer_key.credit"),
        ("true_false", [], {"correct": "true"}, "answer_key.correct"),
        ("fill_blank", [], {"blanks": [["a"], []]}, "answer_key.blanks[1]"),
        ("fill_blank", [], {"blanks": [["?!"]]}, "answer_key.blanks[0][0]"),
        ("short_answer", [], {"accepted": ["a"], "typos": 4}, "answer_key.typos"),
        ("short_answer", [], {"accepted": ["a"], "typos": True}, "answer_key.typos"),
        ("matching", {"left": [{"id": "l"}], "right": [{"id": "r"}]}, {"pairs": {}}, "answer_key.pairs"),
        ("matching", {"left": [{"id": "l"}], "right": [{"id": "r"}]}, {"pairs": {"l": "x"}}, "answer_key.pairs.l"),
        ("ordering", [{"id": "a"}], {"order": ["a"]}, "options"),
        ("ordering", [{"id": "a"}, {"id": "b"}], {"order": ["a"]}, "answer_key.order"),
        ("ordering", [{"id": "a"}, {"id": "b"}], {"order": ["a", "b"], "also": [["b"]]}, "answer_key.also[0]"),
    ],
)
def test_content_that_cannot_be_graded_against_is_refused_by_field(question_type, options, answer_key, field):
    with pytest.raises(MalformedQuestion) as refusal:
        compile_question(question_type, options, answer_key)
    assert refusal.value.field == field
