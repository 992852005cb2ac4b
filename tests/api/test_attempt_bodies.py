import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.bodies import new_attempt, without
from worker.api.attempt_bodies import NotJsonError, TooManyAttemptsError, read_body

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def read(body, max_attempts=1_000):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_body(text, received_at=NOW, max_attempts=max_attempts, max_answer_bytes=16_384)


def attempt(**fields):
    return new_attempt(attempted_at="2026-11-24T18:00:00+07:00", **fields)


def faults(body):
    return [(error.index, error.field) for error in read(body).errors]


def test_an_answer_keeps_its_text():
    body = json.dumps(attempt()).replace('{"choice": "b"}', '{ "a" : 1.50 }').encode()
    assert bytes(read(body).attempts[0].answer) == b'{ "a" : 1.50 }'


@pytest.mark.parametrize("name", ["id", "user_id", "question_id", "answer", "attempted_at"])
def test_a_missing_field_is_named_with_what_belongs_there(name):
    (error,) = read(without(attempt(), name)).errors
    assert error.field == name
    assert error.message.startswith("is missing: it must be")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "7"),
        ("id", 7),
        ("id", None),
        ("user_id", "g" * 32),
        ("question_id", {}),
        ("lesson_id", ""),
        ("tryout_session_id", 1),
        ("time_spent_ms", -1),
        ("time_spent_ms", 86_400_001),
        ("time_spent_ms", 1.5),
        ("time_spent_ms", "8"),
        ("time_spent_ms", True),
        ("time_spent_ms", 10**30),
        ("attempted_at", "2026-11-24"),
        ("attempted_at", "2026-11-24T08:15:30"),
        ("attempted_at", "yesterday"),
        ("attempted_at", 1_700_000_000),
        ("attempted_at", "1999-12-31T23:59:59Z"),
        ("attempted_at", "0001-01-01T00:00:00+14:00"),
        ("attempted_at", "9999-12-31T23:59:59-14:00"),
        ("answer", "\x00"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_a_remedy(name, value):
    body = read(attempt() | {name: value})
    assert not body.attempts
    (error,) = body.errors
    assert (error.index, error.field) == (0, name)
    assert error.message


def test_all_faults_of_an_item_are_told_at_once():
    wrong = without(attempt(id="x", time_spent_ms=-5), "answer") | {"colour": "red"}
    assert faults([wrong]) == [(0, "id"), (0, "time_spent_ms"), (0, "colour"), (0, "answer")]


def test_a_readable_id_comes_with_each_fault():
    wrong = attempt(user_id=1)
    assert read([wrong]).errors[0].id == UUID(wrong["id"])
    assert read([attempt(id="x")]).errors[0].id is None


def test_an_unknown_field_is_named_and_shortened():
    (error,) = read(attempt(**{"lesonId" + "x" * 100: 1})).errors
    assert error.field.startswith("lesonId")
    assert len(error.field) == 64
    assert "remove it" in error.message


@pytest.mark.parametrize("item", [1, "x", None, [], [[]], True])
def test_an_item_that_is_no_object_is_refused(item):
    body = read([item, attempt()])
    assert [error.index for error in body.errors] == [0]
    assert list(body.indexes) == [1]


def test_nonsense_that_some_encoders_send_costs_only_its_item():
    items = [json.dumps(attempt()) for _ in range(5)]
    for position, answer in enumerate(["NaN", "[-Infinity]", '"\\ud800"', '{"a": "\\udc00x"}']):
        items[position] = items[position].replace('{"choice": "b"}', answer)
    body = read(f"[{', '.join(items)}]".encode())
    assert [(error.index, error.field) for error in body.errors] == [(n, "answer") for n in range(4)]
    assert list(body.indexes) == [4]


def test_invalid_utf8_costs_only_its_item():
    items = [json.dumps(attempt(answer="x")).encode() for _ in range(3)]
    items[1] = items[1].replace(b'"x"', b'"\xff"')
    body = read(b"[" + b",".join(items) + b"]")
    assert [(error.index, error.field) for error in body.errors] == [(1, "answer")]


def test_nesting_up_to_a_thousand_levels_costs_only_its_item():
    deep = json.loads("[" * 500 + "]" * 500)
    assert faults([attempt(answer=deep), attempt()]) == [(0, "answer")]


def test_endless_nesting_is_no_json_to_us():
    with pytest.raises(NotJsonError):
        read(b'[{"answer":' + b"[" * 200_000)
    with pytest.raises(NotJsonError):
        read(b'{"answer":' + b"[" * 200_000 + b"]" * 200_000 + b"}")


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"[{}", b"nul", b'{"a": 1}]', b"\xef\xbb\xbf{}", b"\x00"])
def test_what_is_no_json_is_told_so(body):
    with pytest.raises(NotJsonError):
        read(body)


@pytest.mark.parametrize("body", [b"1", b'"x"', b"null", b"true", b" 1.5 "])
def test_json_that_is_no_attempt_is_an_item_that_is_none(body):
    assert faults(body) == [(0, None)]


def test_too_many_attempts_are_counted_whether_good_or_bad():
    for items in ([attempt()] * 4, [1] * 4, [attempt(id="x")] * 4):
        with pytest.raises(TooManyAttemptsError) as caught:
            read(items, max_attempts=3)
        assert caught.value.attempts == 4


@given(offset_minutes=st.integers(-14 * 60, 14 * 60), hours=st.floats(-24 * 365 * 25, 24))
def test_any_instant_from_2000_until_tomorrow_is_taken_in_any_offset(offset_minutes, hours):
    instant = NOW + timedelta(hours=hours)
    offset = timedelta(minutes=offset_minutes)
    sign = "-" if offset_minutes < 0 else "+"
    text = (instant + offset).replace(tzinfo=None).isoformat()
    text += f"{sign}{abs(offset_minutes) // 60:02}:{abs(offset_minutes) % 60:02}"
    body = read(attempt() | {"attempted_at": text})
    assert body.attempts[0].attempted_at == instant
