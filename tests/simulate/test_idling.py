"""Periods that find nothing to do are left out, and nothing else is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from worker.jobs.definition import Bounds, Job, Planning
from worker.simulate.idling import Idling

WHOLE = datetime.fromordinal(4 * 184_900).replace(tzinfo=UTC)
"""A day with a quarter of an hour in which nothing is left out."""
NOON = WHOLE + timedelta(days=1, hours=12)
"""A day without one."""


@pytest.fixture
def connection(database_url: str) -> psycopg.Connection:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def covered(connection: psycopg.Connection, job: str) -> list[tuple]:
    return connection.execute("SELECT covered_until FROM job_controls WHERE job = %s", (job,)).fetchall()


def test_a_period_is_left_out_if_its_planner_finds_nothing(
    connection: psycopg.Connection, declare: Callable[..., Job]
) -> None:
    idle = declare("test.idle", schedule="* * * * *", shards=0)
    busy = declare("test.busy", schedule="* * * * *", shards=1)
    seldom = declare("test.seldom", schedule="*/20 * * * *", shards=0)
    unplanned = declare("test.unplanned", schedule="* * * * *")
    idling = Idling([idle, busy, seldom, unplanned], NOON)
    left_out = {job.name: idling.leaves_out(connection, job.name, NOON) for job in (idle, busy, seldom, unplanned)}
    assert left_out == {"test.idle": True, "test.busy": False, "test.seldom": False, "test.unplanned": False}


def test_what_was_left_out_is_decided_before_anybody_looks(
    connection: psycopg.Connection, declare: Callable[..., Job]
) -> None:
    job = declare("test.idle", schedule="* * * * *", shards=0)
    idling = Idling([job], NOON)
    for minute in range(3):
        assert idling.leaves_out(connection, job.name, NOON + timedelta(minutes=minute))
    assert covered(connection, job.name) == []
    idling.settle(connection)
    assert covered(connection, job.name) == [(NOON + timedelta(minutes=2),)]


def test_after_a_missed_period_the_next_one_goes_the_whole_way(
    connection: psycopg.Connection, declare: Callable[..., Job]
) -> None:
    job = declare("test.idle", schedule="* * * * *", shards=0)
    idling = Idling([job], NOON)
    idling.misses(job.name)
    assert not idling.leaves_out(connection, job.name, NOON)
    idling.starts(connection, job.name)
    assert idling.leaves_out(connection, job.name, NOON + timedelta(minutes=1))


def test_each_quarter_of_an_hour_has_a_day_on_which_it_is_whole(
    connection: psycopg.Connection, declare: Callable[..., Job]
) -> None:
    job = declare("test.idle", schedule="* * * * *", shards=0)
    idling = Idling([job], NOON)
    whole = [
        at
        for day in range(0, 4 * 96, 4)
        for at in (WHOLE + timedelta(days=day, minutes=15 * quarter) for quarter in range(96))
        if not idling.leaves_out(connection, job.name, at)
    ]
    assert len(whole) == 96
    assert {(at.hour, at.minute) for at in whole} == {
        (hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)
    }


def test_a_planner_is_asked_again_when_something_happened_or_after_half_an_hour(
    connection: psycopg.Connection, declare: Callable[..., Job]
) -> None:
    asked: list[datetime] = []
    due_at = [datetime.max.replace(tzinfo=UTC)]

    def plan(planning: Planning) -> Iterator[Bounds]:
        asked.append(planning.period)
        if planning.period >= due_at[0]:
            yield {}

    idling = Idling([declare("test.asked", schedule="* * * * *", planner=plan)], NOON)

    def left_out(minute: int) -> bool:
        return idling.leaves_out(connection, "test.asked", NOON + timedelta(minutes=minute))

    assert all(left_out(minute) for minute in range(31))
    assert asked == [NOON + timedelta(minutes=30)]
    due_at[0] = NOON + timedelta(minutes=33)
    assert [left_out(minute) for minute in (31, 32, 33)] == [True, True, False]
    due_at[0] = NOON + timedelta(minutes=120)
    assert left_out(34)
    due_at[0] = NOON + timedelta(minutes=35)
    idling.forget()
    assert not left_out(35)
