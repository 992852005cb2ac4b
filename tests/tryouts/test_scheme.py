"""Schemes of question sets: what is understood, and what is refused with the field's name."""

from decimal import Decimal

import pytest

from worker.tryouts.errors import MalformedScheme
from worker.tryouts.scheme import read_scheme


def test_empty_scheme_is_plain_with_partial_credit_and_no_pass_mark():
    scheme = read_scheme({})
    assert (scheme.kind, scheme.credit, bool(scheme.pass_marks)) == ("plain", "partial", False)


def test_numbers_stay_exact_whether_given_as_strings_or_as_json_numbers():
    scheme = read_scheme({"kind": "deduction", "right": 4, "wrong": "-1.3333", "blank": -0.1})
    assert (scheme.right, scheme.wrong, scheme.blank) == (Decimal(4), Decimal("-1.3333"), Decimal("-0.1"))


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "scheme"),
        ({"kind": "best"}, "scheme.kind"),
        ({"rigth": 1}, "scheme"),
        ({"right": "2"}, "scheme.right"),
        ({"kind": "weighted", "wrong": "-1"}, "scheme.wrong"),
        ({"kind": "deduction", "right": "0"}, "scheme.right"),
        ({"kind": "deduction", "right": "NaN"}, "scheme.right"),
        ({"kind": "deduction", "right": "1e9"}, "scheme.right"),
        ({"kind": "deduction", "right": "many"}, "scheme.right"),
        ({"kind": "deduction", "wrong": "1"}, "scheme.wrong"),
        ({"kind": "deduction", "wrong": "-0.33333"}, "scheme.wrong"),
        ({"kind": "deduction", "blank": "1"}, "scheme.blank"),
        ({"weights": {"reading": "0"}}, "scheme.weights.reading"),
        ({"pass": {"total": 101}}, "scheme.pass.total"),
        ({"pass": {"total": "NaN"}}, "scheme.pass.total"),
        ({"pass": {"sections": {"reading": -1}}}, "scheme.pass.sections.reading"),
        ({"pass": {"skills": {"writing": "200"}}}, "scheme.pass.skills.writing"),
        ({"levels": {"A2": 0}}, "scheme.levels"),
        ({"levels": {"A2": 1, "B1": 0, "B2": 2}}, "scheme.levels"),
        ({"levels": {"A2": 0, "B1": 1, "B2": 2, "C1": 3}}, "scheme.levels"),
    ],
)
def test_scheme_that_cannot_be_meant_is_refused_by_field(value, field):
    with pytest.raises(MalformedScheme) as refused:
        read_scheme(value)
    assert refused.value.field == field
