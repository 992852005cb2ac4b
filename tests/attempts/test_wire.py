"""What the pipeline encodes itself is what PostgreSQL reads."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.attempts import wire
from worker.attempts.local_days import to_microseconds

_KINDS = [
    (wire.UuidArray, "uuid", [None, uuid4().bytes, bytes(16)]),
    (wire.Int4Array, "integer", [None, 0, -1, 2**31 - 1]),
    (wire.Int8Array, "bigint", [None, 0, -1, 2**63 - 1]),
    (wire.InstantArray, "timestamptz", [None, 0, to_microseconds(datetime(2026, 11, 24, 2, 3, 4, 5, tzinfo=UTC))]),
    (wire.DateArray, "date", [date(2026, 11, 24), date(1999, 12, 31), date.min]),
    (wire.TextArray, "text", ["", "é", "a" * 1000, '"{},\\']),
]


@pytest.mark.parametrize(("kind", "name", "values"), _KINDS, ids=[name for _, name, _ in _KINDS])
def test_an_array_arrives_as_it_was_sent(database, kind, name, values):
    cursor = wire.raw_cursor(database)
    for sent in ([], values):
        found = cursor.execute(f"SELECT unnest(%(sent)s::{name}[])", {"sent": kind(sent)}).fetchall()
        assert [value for (value,) in found] == sent


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 99_999_999), st.integers(0, 4))
def test_a_number_arrives_as_it_was_sent(database, value, decimals):
    expected = Decimal(value).scaleb(-decimals)
    if expected >= 10_000:
        return
    database.execute("CREATE TEMPORARY TABLE IF NOT EXISTS numbers (number numeric)")
    database.execute("TRUNCATE numbers")
    with wire.copying(wire.raw_cursor(database), "COPY numbers FROM STDIN (FORMAT binary)") as write:
        write([b"\x00\x01" + wire.numeric_field(value, decimals)])
    found, text = database.execute("SELECT number, number::text FROM numbers").fetchone()
    assert found == expected
    assert text == f"{expected:f}"


def test_a_raw_cursor_returns_ids_as_bytes_and_instants_as_microseconds(database):
    some_id, instant = uuid4(), datetime(2026, 11, 24, tzinfo=UTC)
    found = wire.raw_cursor(database).execute(
        "SELECT %(id)s, %(at)s, ARRAY[%(id)s], '{\"a\" : 1}'::json", {"id": some_id, "at": instant}
    )
    assert found.fetchone() == (some_id.bytes, to_microseconds(instant), [some_id.bytes], b'{"a" : 1}')
    assert database.execute("SELECT %s::uuid", (some_id,)).fetchone() == (UUID(bytes=some_id.bytes),)
