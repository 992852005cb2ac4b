"""Planning: run and shards together, once for each period."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from freezegun import freeze_time

from worker.jobs.definition import Planning
from worker.jobs.errors import NoScheduleError, UnknownJobError
from worker.jobs.execution import start_run

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def test_run_and_its_shards_are_recorded(declare, ledger) -> None:
    declare("test.count", shards=3)
    started = start_run("test.count", PERIOD, trigger="manual", parameters={"level": "A1"})
    assert started.is_new
    assert (started.run.period, started.run.parameters, started.run.shards_total) == (PERIOD, {"level": "A1"}, 3)
    assert ledger.run(started.run.run_id)["state"] == "planned"
    assert ledger.run(started.run.run_id)["trigger"] == "manual"
    assert ledger.shards(started.run.run_id, "number", "bounds", "state", "starts") == [
        (n, {"n": n}, "pending", 0) for n in range(3)
    ]


def test_job_without_planner_gets_one_shard(declare, ledger) -> None:
    declare("test.count")
    run = start_run("test.count", PERIOD).run
    assert ledger.shards(run.run_id, "number", "bounds") == [(0, {})]


def test_second_start_of_a_period_finds_the_first_ones_run(declare, ledger) -> None:
    declare("test.count", shards=3)
    first, second = start_run("test.count", PERIOD), start_run("test.count", PERIOD)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.run == second.run
    assert len(ledger.shards(first.run.run_id, "number")) == 3


def test_twenty_starts_at_once_plan_once(declare, ledger) -> None:
    planned = []

    def plan(planning: Planning) -> list[dict[str, int]]:
        planned.append(planning.period)
        planning.connection.execute("SELECT pg_sleep(0.1)")
        return [{"n": 0}, {"n": 1}]

    declare("test.count", planner=plan)
    with ThreadPoolExecutor(10) as pool:
        started = list(pool.map(lambda _: start_run("test.count", PERIOD), range(20)))
    assert sum(start.is_new for start in started) == 1
    assert len({start.run.run_id for start in started}) == 1
    assert {start.run.shards_total for start in started} == {2}
    assert planned == [PERIOD]
    assert ledger.query("SELECT count(*) FROM job_shards") == [(2,)]


def test_another_period_is_another_run(declare, database_url) -> None:
    declare("test.count")
    runs = [start_run("test.count", PERIOD.replace(minute=minute)).run.run_id for minute in (0, 15)]
    assert runs[0] != runs[1]


def test_period_left_out_is_the_latest_of_the_schedule(declare, database_url) -> None:
    declare("test.count", schedule="*/15 * * * *")
    with freeze_time("2026-11-24T03:14:59Z"):
        assert start_run("test.count").run.period == PERIOD


def test_local_schedule_names_its_period_in_utc(declare, database_url) -> None:
    declare("test.count", schedule="0 3 * * *", timezone="Asia/Jakarta")
    with freeze_time("2026-11-24T03:14:59Z"):
        assert start_run("test.count").run.period == datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def test_period_left_out_without_a_schedule_is_an_error(declare, database_url) -> None:
    declare("test.count")
    with pytest.raises(NoScheduleError, match=r"test\.count"):
        start_run("test.count")


def test_unknown_job_is_an_error(database_url) -> None:
    with pytest.raises(UnknownJobError):
        start_run("test.nothing", PERIOD)


def test_run_with_nothing_to_do_succeeds_at_once(declare, ledger) -> None:
    declare("test.count", shards=0)
    run = start_run("test.count", PERIOD).run
    assert run.state == "succeeded"
    assert ledger.run(run.run_id)["shards_total"] == 0


def test_planner_that_fails_leaves_a_failed_run_to_be_seen(declare, ledger) -> None:
    def plan(planning: Planning) -> list[dict[str, int]]:
        raise ZeroDivisionError("no learners")

    declare("test.count", planner=plan)
    started = start_run("test.count", PERIOD)
    run = ledger.run(started.run.run_id)
    assert (run["state"], run["error"]) == ("failed", "planning failed: ZeroDivisionError: no learners")
    assert not start_run("test.count", PERIOD).is_new


def test_planner_whose_database_fails_leaves_the_period_missing_so_that_it_is_tried_again(declare, ledger) -> None:
    failures = [psycopg.OperationalError("server closed the connection")]

    def plan(planning: Planning) -> list[dict[str, int]]:
        if failures:
            raise failures.pop()
        return [{"n": 0}]

    declare("test.count", planner=plan)
    with pytest.raises(psycopg.OperationalError):
        start_run("test.count", PERIOD)
    assert ledger.query("SELECT count(*) FROM job_runs") == [(0,)]
    assert start_run("test.count", PERIOD).is_new


def test_shards_of_a_planner_that_fails_halfway_are_not_kept(declare, ledger) -> None:
    def plan(planning: Planning):
        yield {"n": 0}
        raise ValueError("half")

    declare("test.count", planner=plan)
    start_run("test.count", PERIOD)
    assert ledger.query("SELECT count(*) FROM job_shards") == [(0,)]
