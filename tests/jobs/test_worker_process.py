"""Real Celery workers: from a period nobody started to its queues, through killed processes and a deploy."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
import redis

import tasks
from tests.factories import make_card, make_user
from tests.jobs import jobs_for_processes
from tests.jobs.conftest import Ledger
from tests.support.processes import Program, wait_until
from worker.jobs.execution import start_run
from worker.jobs.registry import load_jobs
from worker.srs.due_queue import DueQueue, cache_key

pytestmark = pytest.mark.processes
assert jobs_for_processes  # declares the jobs in this process too

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def worker(program: Callable[..., Program], redis_url: str, database_url: str) -> Callable[..., Program]:
    """Start a worker that knows this module's jobs: `worker("one", "worker.soft_shutdown_timeout=1")`."""

    def start(name: str, *settings: str, concurrency: int = 2) -> Program:
        command = ["python", "-m", "celery", "-A", "worker.app", "worker", "-n", f"{name}@test", "-c", str(concurrency)]
        command += ["--include", "tests.jobs.jobs_for_processes", "--without-gossip", "--without-mingle"]
        started = program(*command, "--", *settings, REMAP_SIGTERM="SIGQUIT", ELP_LOG_LEVEL="INFO")
        return started.start(ready=lambda: "ready." in started.output(), timeout_s=90)

    return start


@pytest.fixture
def effects(ledger: Ledger) -> Callable[[], Counter[int]]:
    ledger.query("CREATE TABLE effects (n int)")
    return lambda: Counter(n for (n,) in ledger.query("SELECT n FROM effects"))


def is_finished(ledger: Ledger, run_id: UUID) -> Callable[[], bool]:
    return lambda: ledger.run(run_id)["state"] in ("succeeded", "failed")


def plan(name: str, **parameters: Any) -> UUID:
    return start_run(name, PERIOD, trigger="manual", parameters=parameters).run.run_id


def test_worker_alone_without_beat_builds_the_due_queues_of_the_present_period(
    worker, ledger: Ledger, database_url: str, redis_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        user = make_user(connection)
        card = make_card(connection, user_id=user, next_review_date="2020-01-01")
    worker("one")
    wait_until(
        lambda: ledger.query("SELECT 1 FROM job_runs WHERE job = 'srs.build_due_queues' AND state = 'succeeded'")
    )
    ((local_date, card_ids),) = ledger.query("SELECT local_date, card_ids FROM srs_due_queues WHERE user_id = %s", user)
    assert card_ids == [card]
    with redis.Redis.from_url(redis_url) as client:
        wait_until(lambda: client.exists(cache_key(user, local_date)))
        cached = msgspec.json.decode(client.get(cache_key(user, local_date)), type=DueQueue)
        assert (cached.card_ids, cached.review) == ([card], 1)
        assert 0 < client.ttl(cache_key(user, local_date)) <= 48 * 3600


def test_shard_that_kills_its_process_is_given_up_and_the_worker_lives_on(worker, ledger: Ledger, effects) -> None:
    started = worker("one")
    run_id = plan("test.kills_its_process")
    wait_until(is_finished(ledger, run_id), timeout_s=90)
    assert ledger.run(run_id)["state"] == "failed"
    assert ledger.shards(run_id, "state")[2] == ("failed",)
    assert "lost 2 times" in ledger.run(run_id)["error"]
    assert effects() == Counter([0, 1, 3])
    assert started.is_running()


def test_killed_worker_is_replaced_within_seconds_lead_and_shards_alike(worker, ledger: Ledger, effects) -> None:
    first = worker("one", concurrency=1)
    wait_until(lambda: "pulse_leads" in first.output())
    run_id = plan("test.takes_its_time", shards=8)
    wait_until(lambda: len(effects()) >= 2)
    second = worker("two", concurrency=1)
    first.kill()
    killed_at = time.monotonic()
    wait_until(lambda: "pulse_leads" in second.output(), timeout_s=90)
    wait_until(is_finished(ledger, run_id), timeout_s=90)
    assert time.monotonic() - killed_at < 55  # the lease of 3 s, not the usual one of 60 s
    assert ledger.run(run_id)["state"] == "succeeded"
    assert effects() == Counter(range(8))


def test_worker_told_to_stop_hands_its_shard_back_at_once(worker, ledger: Ledger, effects) -> None:
    started = worker("one", "worker.soft_shutdown_timeout=1", concurrency=1)
    run_id = plan("test.takes_its_time", shards=1, seconds=200)
    wait_until(lambda: ledger.shards(run_id, "state") == [("running",)])
    before = time.monotonic()
    assert started.process is not None
    started.process.send_signal(signal.SIGTERM)
    wait_until(lambda: ledger.shards(run_id, "state", "starts") == [("pending", 0)], timeout_s=90)
    started.process.wait(90)
    assert time.monotonic() - before < 150
    assert effects() == Counter()


def test_worker_that_starts_before_redis_works_once_redis_is_there(program, valkey_server, ledger: Ledger) -> None:
    server = valkey_server()
    url = server.url
    server.stop()
    command = ["python", "-m", "celery", "-A", "worker.app", "worker", "-c", "1", "--without-mingle"]
    started = program(*command, ELP_REDIS_URL=url).start()
    wait_until(lambda: "nudge_refused" in started.output(), timeout_s=90)
    server.start()
    assert server.url == url
    wait_until(
        lambda: ledger.query("SELECT 1 FROM job_runs WHERE job = 'srs.build_due_queues' AND state = 'succeeded'"),
        timeout_s=60,
    )


def test_beat_writes_every_schedule_and_holds_its_lock(program, redis_url: str, database_url: str) -> None:
    jobs = [job for job in load_jobs(tasks.MODULES) if job.schedule is not None and not job.name.startswith("test.")]
    program("python", "-m", "celery", "-A", "worker.app", "beat", "--pidfile=").start()
    with redis.Redis.from_url(redis_url) as client:
        wait_until(lambda: client.exists("elp:redbeat::lock"), timeout_s=90)
        wait_until(lambda: client.zcard("elp:redbeat::schedule") == len(jobs))
        assert 0 < client.ttl("elp:redbeat::lock") <= 60
        for job in jobs:
            entry = msgspec.json.decode(client.hget(f"elp:redbeat:{job.name}", "definition"))
            assert (entry["task"], entry["args"]) == ("jobs.start", [job.name])
