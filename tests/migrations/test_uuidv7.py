"""The database's UUIDv7 functions and `worker.ids` agree."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import RFC_4122, UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from worker.ids import lane_of, uuid7
from worker.models.attempts import LANE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
within_a_test = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def floor_of(instant: datetime) -> UUID:
    """The smallest UUIDv7 of an instant's millisecond, from the bits as RFC 9562 lays them out."""
    return UUID(int=((instant - EPOCH) // timedelta(milliseconds=1) << 80) | 7 << 76 | 0b10 << 62)


def scalar(database: Connection, query: str, *values: object) -> Any:
    row = database.execute(query, values).fetchone()
    assert row is not None
    return row[0]


@within_a_test
@given(instant=instants)
def test_floor_is_the_smallest_uuid7_of_its_millisecond(database: Connection, instant: datetime):
    floor = scalar(database, "SELECT uuidv7_floor(%s)", instant)
    assert floor == floor_of(instant)
    assert floor <= uuid7(instant) < floor_of(instant + timedelta(milliseconds=1))


@within_a_test
@given(earlier=instants, later=instants)
def test_floor_keeps_the_order_of_instants(database: Connection, earlier: datetime, later: datetime):
    ordered = scalar(
        database,
        "SELECT (uuidv7_floor(%s) <= uuidv7_floor(%s)) = (date_trunc('milliseconds', %s::timestamptz) <= "
        "date_trunc('milliseconds', %s::timestamptz))",
        *(earlier, later, earlier, later),
    )
    assert ordered is True


@pytest.mark.parametrize("instant", [EPOCH, EPOCH - timedelta(days=1), datetime(1, 1, 1, tzinfo=UTC)])
def test_floor_of_an_instant_before_1970_is_the_smallest_of_all(database: Connection, instant: datetime):
    assert scalar(database, "SELECT uuidv7_floor(%s)", instant) == UUID("00000000-0000-7000-8000-000000000000")


def test_floor_of_null_is_null(database: Connection):
    assert scalar(database, "SELECT uuidv7_floor(NULL)") is None


def test_uuidv7_of_the_database_carries_version_variant_and_the_present_instant(database: Connection):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    made = [row[0] for row in database.execute("SELECT uuidv7() FROM generate_series(1, 1000)")]
    after = datetime.now(UTC)
    assert {(id_.version, id_.variant) for id_ in made} == {(7, RFC_4122)}
    assert all(floor_of(before) <= id_ < floor_of(after + timedelta(milliseconds=2)) for id_ in made)
    assert len(set(made)) == 1000


def test_uuidv7_of_the_database_rises_from_statement_to_statement(database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        made = [scalar(connection, "SELECT uuidv7() FROM pg_sleep(0.00001)") for _ in range(200)]
    assert made == sorted(made)


def test_uuidv7_carries_the_fraction_of_the_millisecond(database: Connection):
    # 12 bits after the version; were they random or constant, they would not follow the clock's microseconds.
    made = [row[0] for row in database.execute("SELECT uuidv7() FROM generate_series(1, 20000)")]
    fractions = [(id_.int >> 80, id_.int >> 64 & 0xFFF) for id_ in made]
    assert fractions == sorted(fractions)
    assert len({fraction for _, fraction in fractions}) > 100


@within_a_test
@given(user_id=st.uuids())
def test_lane_as_the_column_computes_it_is_the_lane_of_the_program(database: Connection, user_id: UUID):
    assert scalar(database, f"SELECT {LANE.replace('user_id', '%s')}", user_id) == lane_of(user_id)
