import json
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from worker.api.answers import DEPTH_MAX, why_not_storable

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 10**60)
ANSWERS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=30,
)


def exact(text):
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def nested(depth):
    return b"[" * depth + b"]" * depth


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(answer=ANSWERS, ascii_only=st.booleans())
@example(answer="\x00", ascii_only=True)
@example(answer="\\u0000", ascii_only=True)
@example(answer="\\\x00", ascii_only=True)
@example(answer={"\x00": 1}, ascii_only=True)
def test_what_is_called_storable_is_stored_and_read_back(database, answer, ascii_only):
    text = json.dumps(answer, ensure_ascii=ascii_only).encode()
    if why_not_storable(text, 16_384) is None:
        with database.transaction(force_rollback=True):
            (stored,) = database.execute("SELECT %s::jsonb::text", [text.decode()]).fetchone()
        assert exact(stored) == exact(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(digits=st.integers(1, 60), point=st.integers(0, 60), exponent=st.integers(-400_000, 400_000))
@example(digits=1, point=0, exponent=300)
@example(digits=1, point=0, exponent=-300)
def test_a_number_is_refused_before_the_database_refuses_it(database, digits, point, exponent):
    number = "1" * digits + ("." + "1" * point if point else "") + f"e{exponent}"
    if why_not_storable(number.encode(), 16_384) is None:
        database.execute("SELECT %s::jsonb", [number])
        assert abs(exponent) <= 300


@pytest.mark.parametrize(
    "answer",
    [
        b'{"choice": "b"}',
        b'"a text with 1e5 in it, and 12345678901234567890123456789012345678901234567890"',
        b'"C:\\\\u0000"',
        b'"\\\\\\\\u0000"',
        b'{"x": 0.1234567890123456789, "y": -1.5e-10}',
        '"日本語 é 😀"'.encode(),
        b'"\\ud83d\\ude00"',
        nested(DEPTH_MAX),
        b'"' + b"[" * 100 + b'"',
        b"[" + b",".join([b"[]"] * 100) + b"]",
    ],
)
def test_unusual_answers_are_storable(answer):
    assert why_not_storable(answer, 16_384) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'"' + b"a" * 16_383 + b'"', "16,385 bytes long"),
        (nested(DEPTH_MAX + 1), "more than 32 levels"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "more than 32 levels"),
        (b'"\\u0000"', "\\u0000"),
        (b'"\\\\\\u0000"', "\\u0000"),
        (b'"\xff"', "not valid UTF-8 at byte 1"),
        (b'"\xed\xa0\x80"', "not valid UTF-8"),
        (b"1e999", "number"),
        (b"[1e-99999]", "number"),
        (b"1" * 33, "number"),
        (b"0." + b"1" * 40, "number"),
        (b"1e" + b"9" * 5_000, "number"),
    ],
)
def test_answers_that_cannot_be_stored_are_told_why(answer, reason):
    assert reason in why_not_storable(answer, 16_384)


def test_the_database_agrees_about_the_character_nul(database):
    with pytest.raises(psycopg.errors.UntranslatableCharacter), database.transaction():
        database.execute("SELECT %s::jsonb", ['"\\u0000"'])
