"""What the job engine promises under faults, on real processes: each due period once, each effect once, none stuck."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest

from tests.reliability import jobs_under_faults
from tests.reliability.platform import Platform
from tests.reliability.runs import (
    assert_effects_once,
    assert_nobody_holds_on,
    assert_runs_are_sound,
    due_periods,
    wait_until_all_ran,
)
from tests.support.processes import wait_until
from worker import clock

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.timeout(300)]


def assert_sound(platform: Platform, timeout_s: float = 90) -> None:
    """Everything due since the start has run once, every effect is there once, and nobody holds on to anything."""
    due = due_periods(platform.since + timedelta(minutes=1), platform.now())
    wait_until_all_ran(platform.connect, due, timeout_s)
    with platform.connect() as connection:
        assert_runs_are_sound(connection, due)
        assert_nobody_holds_on(connection)


def begun(platform: Platform, run_id: object) -> bool:
    """Tell whether some shards of a run are done, and some are not."""
    with platform.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state <> 'done')"
            " FROM job_shards WHERE run_id = %s",
            (run_id,),
        ).fetchone()
    return bool(row and row[0] and row[1])


KILLS: dict[str, Callable[[Platform], object]] = {
    "a worker": Platform.kill_worker,
    "a process of a worker's pool": Platform.kill_child,
    "the pulse's leader": Platform.kill_leader,
    "beat": lambda platform: platform.beats[0].kill(),
    "the API": lambda platform: platform.api.kill(),
}


@pytest.mark.parametrize("whom", KILLS)
def test_kill_9_in_the_middle_of_a_run_repeats_no_effect(platform: Platform, whom: str) -> None:
    platform.start()
    with platform.supervised():
        run_id = platform.plan(jobs_under_faults.BY_HAND, shards=40)
        for _ in range(2):
            wait_until(lambda: begun(platform, run_id), 90, "a run in the middle")
            KILLS[whom](platform)
            time.sleep(1)
        assert platform.wait_finished(run_id, 90) == "succeeded"
        assert_sound(platform)


@pytest.mark.parametrize("how", ["cut", "restart", "kill"])
def test_postgresql_gone_in_the_middle_of_a_run_repeats_no_effect(platform: Platform, how: str) -> None:
    platform.start()
    run_id = platform.plan(jobs_under_faults.BY_HAND, shards=40)
    with platform.supervised():
        for _ in range(3 if how == "cut" else 2):
            wait_until(lambda: begun(platform, run_id), 90, "a run in the middle")
            if how == "cut":
                platform.cut_connections(times=5)
            elif how == "restart":
                platform.postgres.restart()
            else:
                platform.postgres.kill()
                platform.postgres.start()
        assert platform.wait_finished(run_id, 120) == "succeeded"
        assert_sound(platform)


REDIS: dict[str, Callable[[Platform, ExitStack], object]] = {
    "flushed": lambda platform, _: platform.flush_redis(),
    "gone": lambda platform, stack: stack.enter_context(platform.redis_down()),
    "full": lambda platform, stack: stack.enter_context(platform.redis_full()),
    "without a disk": lambda platform, stack: stack.enter_context(platform.redis_disk_full()),
}


@pytest.mark.parametrize("how", REDIS)
def test_redis_in_trouble_delays_work_and_loses_none(platform: Platform, how: str) -> None:
    platform.start()
    with platform.supervised():
        with platform.load(), ExitStack() as stack:
            REDIS[how](platform, stack)
            run_id = platform.plan(jobs_under_faults.BY_HAND, shards=12)
            time.sleep(8)
        assert platform.sent.interruptions == 0
        assert platform.wait_finished(run_id, 90) == "succeeded"
        platform.assert_books_balance()
        assert_sound(platform)


def test_two_beats_start_each_period_once(platform: Platform) -> None:
    platform.start()
    platform.beats[1].start()
    wait_until(lambda: len(due_periods(platform.since, platform.now())) >= 2, 130, "two full minutes")
    assert_sound(platform)


def test_a_shard_that_kills_its_process_is_given_up_and_the_others_are_done(platform: Platform) -> None:
    platform.start(beat=False)
    run_id = platform.plan(jobs_under_faults.KILLER, shards=5)
    assert platform.wait_finished(run_id, 90) == "failed"
    with platform.connect() as connection:
        states = connection.execute("SELECT state FROM job_shards WHERE run_id = %s ORDER BY number", (run_id,))
        assert [state for (state,) in states] == ["done", "failed", "done", "done", "done"]
        assert_effects_once(connection)
    assert all(worker.is_running() for worker in platform.workers.values())


def test_a_shard_that_always_fails_leaves_no_trace_and_holds_up_nobody(platform: Platform) -> None:
    platform.start(beat=False)
    run_id = platform.plan(jobs_under_faults.POISONED, shards=5)
    other = platform.plan(jobs_under_faults.BY_HAND, shards=5)
    assert platform.wait_finished(other, 30) == "succeeded"
    assert platform.wait_finished(run_id, 90) == "failed"
    with platform.connect() as connection:
        assert_effects_once(connection)


def test_a_deploy_in_the_middle_of_a_run_hands_shards_back_at_once(platform: Platform) -> None:
    platform.start(beat=False)
    run_id = platform.plan(jobs_under_faults.BY_HAND, shards=60)
    wait_until(lambda: begun(platform, run_id), 90, "a run in the middle")
    for worker in platform.workers.values():
        os.kill(worker.pid, signal.SIGTERM)
    wait_until(lambda: not any(worker.is_running() for worker in platform.workers.values()), 90, "the workers' end")
    with platform.connect() as connection:
        leased = connection.execute(
            "SELECT count(*) FROM job_shards WHERE run_id = %s AND state = 'running'", (run_id,)
        ).fetchone()
    assert leased == (0,)
    platform.start_what_is_down()
    assert platform.wait_finished(run_id, 120) == "succeeded"
    with platform.connect() as connection:
        assert_effects_once(connection)


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)], ids=["ahead", "back"])
def test_a_clock_that_jumps_and_returns_leaves_nothing_stuck(platform: Platform, jump: timedelta) -> None:
    platform.start()
    with platform.supervised():
        run_id = platform.plan(jobs_under_faults.BY_HAND, shards=40)
        wait_until(lambda: begun(platform, run_id), 90, "a run in the middle")
        platform.shift_clock(jump.total_seconds())
        time.sleep(3)
        platform.kill_worker()  # whatever it leased ends by the wrong clock
        platform.shift_clock(0)
        assert platform.wait_finished(run_id, 120) == "succeeded"
        assert_sound(platform, timeout_s=120)


def test_after_a_day_of_downtime_the_platform_goes_on_by_itself(platform: Platform) -> None:
    platform.start()
    run_id = platform.plan(jobs_under_faults.BY_HAND, shards=40)
    with platform.load():
        wait_until(lambda: begun(platform, run_id), 90, "a run in the middle")
    platform.stop_everything()
    platform.shift_clock(timedelta(days=1).total_seconds())
    platform.start()
    with platform.supervised():
        assert platform.wait_finished(run_id, 60) == "succeeded"
        platform.assert_books_balance()
        each_period = [name for name, policy in jobs_under_faults.MINUTELY.items() if policy == "all"]
        # What lies within the horizon is caught up; of what lies before it, the last period tells that it was skipped.
        back_at = platform.now()
        caught_up = due_periods(back_at - jobs_under_faults.HORIZON + timedelta(minutes=1), back_at)
        wait_until_all_ran(platform.connect, caught_up, 120)
        with platform.connect() as connection:
            assert_runs_are_sound(connection, caught_up)
            assert_nobody_holds_on(connection)
            skipped = connection.execute(
                "SELECT job, count(*) FROM job_runs"
                " WHERE period > %s AND job = ANY(%s) AND state = 'skipped' GROUP BY job",
                (platform.since + timedelta(minutes=5), each_period),
            ).fetchall()
        assert dict(skipped) == dict.fromkeys(each_period, 1)


def test_no_session_outlives_the_processes(platform: Platform) -> None:
    platform.start(beat=False)
    run_id = platform.plan(jobs_under_faults.BY_HAND, shards=20)
    wait_until(lambda: begun(platform, run_id), 90, "a run in the middle")
    platform.stop_everything()

    def sessions() -> int:
        with psycopg.connect(platform.postgres.url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        assert row is not None
        return int(row[0])

    wait_until(lambda: sessions() == 0, 90, "the end of all sessions")
    assert clock.now() > platform.since
