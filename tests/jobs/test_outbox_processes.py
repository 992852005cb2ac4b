"""The outbox with real workers, PostgreSQL and Redis: from a commit to the task's, through everything that can fail."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
import redis

from tests.jobs import tasks_for_processes
from tests.jobs.conftest import Ledger
from tests.support.processes import Program, wait_until
from tests.support.settings import forget_settings
from worker import clock
from worker.jobs.outbox import Entry, enqueue, enqueue_many

pytestmark = pytest.mark.processes
assert tasks_for_processes  # its tasks are declared in this process, too


@pytest.fixture
def worker(program: Callable[..., Program]) -> Callable[..., Program]:
    """Start a worker that knows this module's tasks: `worker("one", ELP_OUTBOX_CONFIRM_S="2")`."""

    def start(name: str, concurrency: int = 2, **environment: str) -> Program:
        command = ["python", "-m", "celery", "-A", "worker.app", "worker", "-n", f"{name}@test", "-c", str(concurrency)]
        command += ["--include", "tests.jobs.tasks_for_processes,tests.jobs.jobs_for_processes"]
        command += ["--without-gossip", "--without-mingle"]
        started = program(*command, REMAP_SIGTERM="SIGQUIT", ELP_LOG_LEVEL="INFO", **environment)
        return started.start(ready=lambda: "ready." in started.output(), timeout_s=90)

    return start


@pytest.fixture
def effects(ledger: Ledger) -> Callable[[], Counter[int]]:
    ledger.query("CREATE TABLE effects (n int)")
    return lambda: Counter(n for (n,) in ledger.query("SELECT n FROM effects"))


_EVENT_RUNS_DONE = "SELECT 1 FROM job_runs WHERE state = 'succeeded' AND trigger = 'event' HAVING count(*) = 2"


def put(url: str, task: str, *payloads: dict[str, object], **options: object) -> None:
    with psycopg.connect(url) as connection:
        enqueue_many(
            connection,
            [Entry(task=task, payload=payload, **options) for payload in payloads],  # type: ignore[arg-type]
            now=clock.now(),
        )


def all_done(ledger: Ledger) -> bool:
    return ledger.query("SELECT count(*) FROM job_outbox WHERE done_at IS NULL") == [(0,)]


def test_entries_run_once_each_and_right_after_their_commit(worker, ledger, effects, redis_url, database_url):
    worker("one")
    wait_until(lambda: ledger.query("SELECT 1 FROM job_tasks WHERE name = 'test.note'"))
    put(database_url, "test.note", {"n": 0})
    wait_until(lambda: all_done(ledger))
    latencies = []
    for n in range(1, 21):
        committed_at = time.monotonic()
        put(database_url, "test.note", {"n": n})
        wait_until(lambda: effects()[n])  # noqa: B023
        latencies.append(time.monotonic() - committed_at)
    assert effects() == Counter(range(21))
    assert min(latencies) < 0.7  # on a busy machine; without the NOTIFY each would take a tick of 1 s
    put(database_url, "test.note", *({"n": n} for n in range(21, 221)))
    wait_until(lambda: all_done(ledger))
    assert effects() == Counter(range(221))


def test_deferred_entry_waits_for_its_time_and_no_longer(worker, ledger, effects, redis_url, database_url):
    worker("one")
    due_at = clock.now() + timedelta(seconds=3)
    with psycopg.connect(database_url) as connection:
        enqueue(connection, "test.note", {"n": 1}, not_before=due_at, now=clock.now())
    wait_until(lambda: all_done(ledger))
    ((done_at,),) = ledger.query("SELECT done_at FROM job_outbox")
    assert timedelta(0) <= done_at - due_at < timedelta(seconds=60)


def test_entry_that_fails_is_parked_with_its_error_and_the_others_go_on(
    worker, ledger, effects, redis_url, database_url
):
    worker("one")
    put(database_url, "test.fail", {"n": 1})
    put(database_url, "test.note", {"n": 2})
    wait_until(lambda: ledger.query("SELECT 1 FROM job_outbox WHERE starts = 1 AND error IS NOT NULL"))
    ledger.query("UPDATE job_outbox SET due_at = now() WHERE error IS NOT NULL")  # instead of 10 s of rest
    wait_until(lambda: ledger.query("SELECT 1 FROM job_outbox WHERE parked_at IS NOT NULL"))
    assert ledger.query("SELECT starts, error FROM job_outbox WHERE parked_at IS NOT NULL") == [
        (2, "ValueError: nothing to be done about 1")
    ]
    assert effects() == Counter([2])


def test_entry_that_kills_its_worker_is_parked_and_the_worker_lives_on(
    worker, ledger, effects, redis_url, database_url
):
    started = worker("one", ELP_OUTBOX_CONFIRM_S="1")
    put(database_url, "test.kill_worker", {"n": 1})
    put(database_url, "test.note", {"n": 2})
    wait_until(lambda: ledger.query("SELECT 1 FROM job_outbox WHERE parked_at IS NOT NULL"), timeout_s=90)
    assert "worker was lost" in ledger.query("SELECT error FROM job_outbox WHERE parked_at IS NOT NULL")[0][0]
    assert effects() == Counter([2])
    assert started.is_running()


def test_event_starts_one_run_of_its_job_with_its_parameters(worker, ledger, effects, redis_url, database_url):
    worker("one")
    put(
        database_url,
        "jobs.start",
        {"job": "test.takes_its_time", "parameters": {"shards": 1, "seconds": 0.1}},
        {"job": "test.takes_its_time", "parameters": {"shards": 2, "seconds": 0.1}},
    )
    wait_until(lambda: ledger.query(_EVENT_RUNS_DONE))
    runs = ledger.query("SELECT shards_total FROM job_runs WHERE trigger = 'event' ORDER BY shards_total")
    assert runs == [(1,), (2,)]
    assert effects() == Counter([0, 0, 1])


def test_messages_lost_with_redis_before_a_worker_took_them_are_sent_again(
    worker, valkey_server, monkeypatch, ledger, effects, database_url
):
    server = valkey_server()
    monkeypatch.setenv("ELP_REDIS_URL", server.url)
    forget_settings()
    worker("one", concurrency=1, ELP_OUTBOX_CONFIRM_S="2")
    wait_until(lambda: ledger.query("SELECT 1 FROM job_tasks WHERE name = 'test.note_slowly'"))
    put(database_url, "test.note_slowly", *({"n": n, "seconds": 1} for n in range(4)))
    wait_until(lambda: ledger.query("SELECT 1 FROM job_outbox WHERE relays = 1 HAVING count(*) = 4"))
    with redis.Redis.from_url(server.url) as client:
        assert client.llen("default") >= 2
        client.flushall()
    wait_until(lambda: all_done(ledger), timeout_s=90)
    assert effects() == Counter(range(4))
    assert ledger.query("SELECT max(relays) >= 2 FROM job_outbox") == [(True,)]


def test_entries_wait_while_redis_is_down_and_run_when_it_is_back(
    worker, valkey_server, monkeypatch, ledger, effects, database_url
):
    server = valkey_server()
    monkeypatch.setenv("ELP_REDIS_URL", server.url)
    monkeypatch.setenv("ELP_OUTBOX_CONFIRM_S", "5")  # what a worker took as Redis went is sent again soon
    forget_settings()
    worker("one")
    put(database_url, "test.note", {"n": 0})
    wait_until(lambda: all_done(ledger))
    server.stop()
    put(database_url, "test.note", *({"n": n} for n in range(1, 51)))
    time.sleep(3)
    waiting = ledger.query("SELECT max(relays), count(*) FROM job_outbox WHERE done_at IS NULL AND parked_at IS NULL")
    assert waiting[0][1] == 50
    server.start()
    wait_until(lambda: all_done(ledger), timeout_s=90)
    assert effects() == Counter(range(51))


@pytest.mark.long
def test_relay_killed_in_the_middle_of_batches_loses_and_repeats_nothing(
    worker, ledger, effects, redis_url, database_url
):
    generator = random.Random(7)
    total = 1_500
    put(database_url, "test.note", *({"n": n} for n in range(total)))
    kills = 0
    for attempt in range(4):
        started = worker(f"w{attempt}", ELP_OUTBOX_CONFIRM_S="2")
        wait_until(lambda: "relay_leads" in started.output())  # noqa: B023
        time.sleep(generator.uniform(0.05, 0.6))
        os.kill(started.pid, signal.SIGSTOP)  # in the middle of whatever it does
        started.kill()
        kills += 1
    worker("last", ELP_OUTBOX_CONFIRM_S="2")
    wait_until(lambda: all_done(ledger), timeout_s=120)
    assert kills == 4
    assert effects() == Counter(range(total))


def test_producers_at_once_some_of_which_roll_back_get_exactly_what_they_committed(
    worker, ledger, effects, redis_url, database_url
):
    worker("one")
    kept = []
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as other:
        for n in range(60):
            for connection in (one, other):
                number = 2 * n + (connection is other)
                enqueue(connection, "test.note", {"n": number}, now=clock.now())
                if n % 3:
                    connection.commit()
                    kept.append(number)
                else:
                    connection.rollback()
    wait_until(lambda: all_done(ledger))
    assert effects() == Counter(kept)
