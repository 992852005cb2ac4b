"""The attempt inbox: lanes, order of arrival, and answers kept as they were sent."""

from uuid import UUID, uuid4

import pytest
from psycopg import Connection, errors
from psycopg.types.json import Json

from tests.factories import make_inbox_attempt
from worker.ids import LANES, lane_of, uuid7
from worker.models.base import QUEUE_STORAGE


def test_lane_is_the_one_that_the_program_computes(database: Connection):
    users = [UUID(int=number) for number in range(2 * LANES)] + [uuid4() for _ in range(200)] + [uuid7()]
    for user_id in users:
        make_inbox_attempt(database, user_id=user_id)
    lanes: dict[UUID, int] = dict(database.execute("SELECT user_id, lane FROM attempt_inbox").fetchall())
    assert lanes == {user_id: lane_of(user_id) for user_id in users}
    assert set(lanes.values()) == set(range(LANES))


@pytest.mark.parametrize("column", ["lane", "seq"])
def test_lane_and_order_of_arrival_cannot_be_given(database: Connection, column: str):
    with pytest.raises(errors.GeneratedAlways), database.transaction():
        make_inbox_attempt(database, **{column: 1})


def test_order_of_arrival_rises(database: Connection):
    ids = [make_inbox_attempt(database) for _ in range(20)]
    rows = database.execute("SELECT id FROM attempt_inbox ORDER BY seq").fetchall()
    assert [row[0] for row in rows] == ids


def test_answer_keeps_its_text(database: Connection):
    sent = '{"b": 1.50,  "a": [ ], "a": 1E400}'
    attempt = make_inbox_attempt(database, answer={})
    database.execute("UPDATE attempt_inbox SET answer = %s::json WHERE id = %s", [sent, attempt])
    assert database.execute("SELECT answer::text FROM attempt_inbox").fetchone() == (sent,)


def test_json_null_is_an_answer_and_sql_null_is_none(database: Connection):
    make_inbox_attempt(database)
    database.execute("UPDATE attempt_inbox SET answer = %s", [Json(None)])
    with pytest.raises(errors.NotNullViolation) as refused, database.transaction():
        make_inbox_attempt(database, answer=None)
    assert refused.value.diag.column_name == "answer"


@pytest.mark.parametrize("table", ["attempt_inbox", "job_outbox", "search_dirty"])
def test_queues_are_vacuumed_by_count_of_dead_rows(database: Connection, table: str):
    row = database.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [table]).fetchone()
    assert row is not None
    assert set(row[0]) == {f"{name}={value}" for name, value in QUEUE_STORAGE.items()}


def test_lanes_oldest_attempts_are_found_by_their_index(database: Connection):
    for way in ("seqscan", "bitmapscan"):  # an empty table is too small for any index otherwise
        database.execute(f"SET LOCAL enable_{way} = off")
    query = "EXPLAIN SELECT * FROM attempt_inbox WHERE lane = 3 ORDER BY seq LIMIT 100"
    plan = "\n".join(line for (line,) in database.execute(query))
    assert "idx_attempt_inbox_lane" in plan
    assert "Sort" not in plan
