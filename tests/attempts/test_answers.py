"""An answer is read from its text, and what the database cannot keep is refused before it gets there."""

import json

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.attempts.questions import json_values
from worker.attempts.answers import read_answer
from worker.attempts.errors import MalformedAnswer

_numbers = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    st.sampled_from(["0", "1", "12", "9" * 40]),
    st.sampled_from(["", ".0", ".5", "." + "1" * 30]),
    st.just("")
    | st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 10**11)),
)
_escapes = st.lists(st.sampled_from(["a", "\\\\", "\\u0000", "\\u0041", "\\n", "u0000", "é"]), max_size=6).map("".join)


@given(json_values)
def test_json_is_read_as_its_value(value):
    try:
        assert read_answer(json.dumps(value).encode()) == value
    except MalformedAnswer:
        assert "\\u0000" in json.dumps(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_numbers.map('{{"choice": "b", "n": {}}}'.format) | _escapes.map('{{"choice": "{}"}}'.format))
@example('{"choice": "\\\\u0000"}')
@example('{"choice": "\\\\\\u0000"}')
@example('{"choice": "a", "n": 0.' + "0" * 16_384 + "}")
@example('{"choice": "a", "n": ' + "9" * 131_073 + "}")
@example('{"choice": "a", "n": 1e-16383}')
@example('{"choice": "a", "text": "1e-20000"}')
def test_what_is_read_can_be_kept_as_jsonb(database, text):
    try:
        read_answer(text.encode())
    except MalformedAnswer:
        return
    with database.transaction(force_rollback=True):
        database.execute("SELECT %s::text::jsonb", (text,))


@pytest.mark.parametrize(
    "text", ['{"choice": "\\\\u0000"}', '{"choice": "b", "n": 1e300}', '{"choice": "b", "t": "1e9999"}']
)
def test_what_only_looks_like_it_is_not_refused(database, text):
    assert read_answer(text.encode()) == json.loads(text)
    database.execute("SELECT %s::text::jsonb", (text,))


@pytest.mark.parametrize("text", [b"", b"{", b"nul", b'"\xff"', b'"\\ud800"', b'{"a": 1e999}', b"[" * 100_000])
def test_what_is_no_json_is_malformed(text):
    with pytest.raises(MalformedAnswer) as refusal:
        read_answer(text)
    assert refusal.value.field == "answer"


def test_the_database_agrees_on_half_a_surrogate_pair(database):
    with pytest.raises(psycopg.DataError):
        database.execute("SELECT %s::text::jsonb", ('"\\ud800"',))
