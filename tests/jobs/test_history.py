"""How long runs are kept, and what is kept of them afterwards."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

import tasks
from tests.factories import make_run, make_shard
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.history import days_to_prune, prune_day
from worker.jobs.registry import load_jobs

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _jobs() -> None:
    load_jobs(tasks.MODULES)


def ended(database: psycopg.Connection, at: datetime, **values) -> None:
    run = {"job": "test.count", "state": "succeeded", "started_at": at - timedelta(seconds=2), "finished_at": at}
    make_shard(database, run_id=make_run(database, **run | values), state="done")


def summaries(database: psycopg.Connection) -> list[tuple]:
    columns = "job, ended_on, succeeded, failed, cancelled, skipped, shards, items, total_ms, longest_ms"
    return database.execute(f"SELECT {columns} FROM job_run_summaries ORDER BY job, ended_on").fetchall()


def test_day_of_runs_becomes_a_line_a_job_and_the_runs_are_gone(database: psycopg.Connection) -> None:
    ended(database, NOON, items=10, shards_total=3)
    ended(database, NOON + timedelta(hours=1), state="failed", started_at=NOON, items=1)
    ended(database, NOON, state="skipped", started_at=None)
    ended(database, NOON, job="test.other", state="cancelled")
    ended(database, NOON + timedelta(days=1))
    assert prune_day(database, DAY) == 4
    assert summaries(database) == [
        ("test.count", DAY, 1, 1, 0, 1, 5, 11, 3_602_000, 3_600_000),
        ("test.other", DAY, 0, 0, 1, 0, 1, 0, 2_000, 2_000),
    ]
    assert database.execute("SELECT count(*) FROM job_runs").fetchone() == (1,)
    assert database.execute("SELECT count(*) FROM job_shards").fetchone() == (1,)


def test_run_that_ends_later_on_a_day_already_pruned_is_added_to_it(database: psycopg.Connection) -> None:
    for _ in range(2):
        ended(database, NOON)
        prune_day(database, DAY)
    assert summaries(database) == [("test.count", DAY, 2, 0, 0, 0, 2, 0, 4_000, 2_000)]


def test_open_runs_stay_whatever_their_age(database: psycopg.Connection) -> None:
    make_run(database, state="running", planned_at=NOON - timedelta(days=900))
    assert list(days_to_prune(database, NOON)) == []
    assert prune_day(database, DAY) == 0


def test_days_go_from_the_oldest_run_to_the_last_whole_day(database: psycopg.Connection) -> None:
    ended(database, NOON - timedelta(days=2))
    ended(database, NOON)
    assert list(days_to_prune(database, NOON)) == [date(2026, 2, 27), date(2026, 2, 28)]


def test_job_keeps_what_the_setting_says_and_counts_what_it_deleted(ledger, settings) -> None:
    settings(job_history_days=30)
    with psycopg.connect(ledger._url) as connection:
        ended(connection, NOON - timedelta(days=31))
        ended(connection, NOON - timedelta(days=32))
        ended(connection, NOON - timedelta(days=30))
    run_id = start_run("jobs.prune", NOON).run.run_id
    work_on_run(run_id)
    assert (ledger.run(run_id)["state"], ledger.run(run_id)["items"]) == ("succeeded", 2)
    assert ledger.query("SELECT count(*) FROM job_runs WHERE job = 'test.count'") == [(1,)]
    assert ledger.query("SELECT sum(succeeded) FROM job_run_summaries") == [(2,)]
