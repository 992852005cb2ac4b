from datetime import UTC, timedelta, timezone
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.attempts.inbox_connection import positional
from worker.attempts.inbox_rows import COLUMNS, NewAttempt, attempt_ids, encode_columns, lanes_of
from worker.db.queries import load_query
from worker.ids import lane_of

UUIDS = st.binary(min_size=16, max_size=16).map(lambda octets: UUID(bytes=octets))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ATTEMPTS = st.builds(
    NewAttempt,
    id=UUIDS,
    user_id=UUIDS,
    question_id=UUIDS,
    answer=st.recursive(st.none() | st.integers(-99, 99) | st.text(max_size=5), st.lists, max_leaves=3).map(
        lambda answer: msgspec.Raw(msgspec.json.encode(answer))
    ),
    attempted_at=st.datetimes(timezones=OFFSETS).filter(lambda at: 1 < at.year < 9999),
    lesson_id=st.none() | UUIDS,
    tryout_session_id=st.none() | UUIDS,
    time_spent_ms=st.none() | st.integers(0, 86_400_000),
)
DECODE = """
    SELECT sent.*, {received_at} FROM unnest({ids}, {user_ids}, {question_ids}, {lesson_ids}, {tryout_session_ids},
        {answers}, {times_spent_ms}, {attempted_at})
        AS sent (id, user_id, question_id, lesson_id, tryout_session_id, answer, time_spent_ms, attempted_at)
"""
TYPES = dict.fromkeys(COLUMNS[:5], "uuid[]") | {
    "answers": "json[]",
    "times_spent_ms": "int[]",
    "attempted_at": "timestamptz[]",
    "received_at": "timestamptz",
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(attempts=st.lists(ATTEMPTS, min_size=1, max_size=8), received_at=st.datetimes(timezones=st.just(UTC)))
def test_the_server_reads_what_was_encoded(database, attempts, received_at):
    received_at = received_at.replace(year=max(received_at.year, 1900))
    encoded = encode_columns(attempts, attempt_ids(attempts), received_at)
    places = {name: f"${number}::{TYPES[name]}" for number, name in enumerate(COLUMNS[:9], start=1)}
    result = database.pgconn.exec_params(DECODE.format_map(places).encode(), encoded[:9], param_formats=[1] * 9)
    assert result.ntuples == len(attempts), result.error_message
    for row, attempt in enumerate(attempts):
        values = [result.get_value(row, column) for column in range(9)]
        assert UUID(values[0].decode()) == attempt.id
        assert UUID(values[1].decode()) == attempt.user_id
        assert UUID(values[2].decode()) == attempt.question_id
        assert (values[3] and UUID(values[3].decode())) == attempt.lesson_id
        assert (values[4] and UUID(values[4].decode())) == attempt.tryout_session_id
        assert values[5] == bytes(attempt.answer)
        assert (values[6] and int(values[6])) == attempt.time_spent_ms
    instants = database.execute(
        "SELECT array_agg(extract(epoch FROM sent)) FROM unnest(%b::timestamptz[]) AS sent",
        [[attempt.attempted_at for attempt in attempts]],
    ).fetchone()
    again = database.pgconn.exec_params(
        b"SELECT extract(epoch FROM sent)::text FROM unnest($1::timestamptz[]) AS sent", [encoded[7]], param_formats=[1]
    )
    assert [again.get_value(row, 0).decode() for row in range(again.ntuples)] == [str(at) for at in instants[0]]


@given(attempts=st.lists(ATTEMPTS, max_size=20))
def test_the_lanes_of_a_group_are_those_of_its_learners(attempts):
    assert lanes_of(attempts) == sum(1 << lane for lane in {lane_of(attempt.user_id) for attempt in attempts})


def test_every_parameter_of_the_statement_is_encoded():
    statement = positional(load_query("worker.attempts", "accept_attempts"), COLUMNS)
    assert all(f"${number}::" in statement for number in range(1, len(COLUMNS) + 1))
    assert "%(" not in statement
