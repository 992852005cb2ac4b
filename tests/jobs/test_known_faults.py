"""Known faults of Celery, kombu and RedBeat, and that each one finds us protected.

The numbers are those of the projects' trackers. Where a fault is gone one day, its test still passes: what is tested is
what our users see.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis

import tasks
import worker
from tests.jobs import jobs_for_processes
from tests.jobs.conftest import Ledger
from tests.support.processes import Program, wait_until
from worker.app import app
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.messages import Messages
from worker.jobs.registry import load_jobs

assert jobs_for_processes  # declares the jobs in this process too

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ROOT = Path(worker.__file__).parents[1]
SOURCES = [*ROOT.joinpath("worker").rglob("*.py"), *ROOT.joinpath("tasks").glob("*.py")]


@pytest.fixture
def effects(ledger: Ledger) -> Callable[[], Counter[int]]:
    ledger.query("CREATE TABLE effects (n int)")
    return lambda: Counter(n for (n,) in ledger.query("SELECT n FROM effects"))


@pytest.fixture
def own_redis(valkey_server) -> Any:
    """A Redis of the test's own, to be emptied and stopped."""
    return valkey_server()


@pytest.fixture
def start_worker(program: Callable[..., Program], own_redis, database_url: str) -> Callable[[], Program]:
    def start() -> Program:
        command = ["python", "-m", "celery", "-A", "worker.app", "worker", "-c", "1", "--without-mingle"]
        started = program(*command, "--include", "tests.jobs.jobs_for_processes", ELP_REDIS_URL=own_redis.url)
        return started.start(ready=lambda: "ready." in started.output(), timeout_s=90)

    return start


def plan(name: str, minute: int = 0, **parameters: Any) -> UUID:
    return start_run(name, PERIOD.replace(minute=minute), trigger="manual", parameters=parameters).run.run_id


def is_finished(ledger: Ledger, run_id: UUID) -> Callable[[], bool]:
    return lambda: ledger.run(run_id)["state"] in ("succeeded", "failed")


# --- in real workers ---


@pytest.mark.processes
def test_shard_without_memory_fails_alone_and_its_worker_works_on(start_worker, ledger: Ledger, effects) -> None:
    """celery#10462: a MemoryError leaves the message unacknowledged and stops the worker, again and again."""
    started = start_worker()
    poison = plan("test.exhausts_memory")
    wait_until(is_finished(ledger, poison), timeout_s=90)
    assert ledger.run(poison)["state"] == "failed"
    assert ledger.run(poison)["error"] == "shard 2: MemoryError: "
    assert effects() == Counter([0, 1, 3])
    healthy = plan("test.takes_its_time", minute=1, shards=1, seconds=0)
    wait_until(is_finished(ledger, healthy), timeout_s=90)
    assert started.is_running()


@pytest.mark.processes
def test_worker_loses_nothing_to_a_flushed_redis_nor_to_one_that_is_gone_for_a_while(
    start_worker, own_redis, ledger: Ledger, effects
) -> None:
    """kombu#1063: bindings are gone after FLUSHALL; celery#8030, #8091, #10205: no consuming after a reconnect."""
    started = start_worker()
    with redis.Redis.from_url(own_redis.url) as client:
        client.flushall()
    flushed = plan("test.takes_its_time", shards=2, seconds=0)
    wait_until(is_finished(ledger, flushed), timeout_s=90)

    at_work = plan("test.takes_its_time", minute=1, shards=1, seconds=4)
    wait_until(lambda: ledger.shards(at_work, "state") == [("running",)])
    own_redis.stop()
    wait_until(is_finished(ledger, at_work), timeout_s=90)
    assert ledger.shards(at_work, "state", "starts") == [("done", 1)]  # losing Redis did not interrupt it

    waiting = plan("test.takes_its_time", minute=2, shards=2, seconds=0)
    own_redis.start()
    wait_until(is_finished(ledger, waiting), timeout_s=90)
    assert {ledger.run(run_id)["state"] for run_id in (flushed, at_work, waiting)} == {"succeeded"}
    assert started.is_running()


@pytest.mark.processes
def test_beat_whose_redis_was_flushed_has_its_lock_and_all_its_entries_again_once_restarted(
    program, own_redis, database_url: str
) -> None:
    """redbeat#230: beat dies of a lost lock; redbeat#263: static entries are written at start only.

    The supervisor starts it again (tests/supervisor); until then, and even without, the pulse starts the periods.
    """
    scheduled = [job for job in load_jobs(tasks.MODULES) if job.schedule is not None and "test." not in job.name]
    beat = program("python", "-m", "celery", "-A", "worker.app", "beat", "--pidfile=", ELP_REDIS_URL=own_redis.url)
    with redis.Redis.from_url(own_redis.url) as client:

        def is_complete() -> bool:
            return bool(client.exists("elp:redbeat::lock")) and client.zcard("elp:redbeat::schedule") == len(scheduled)

        beat.start(ready=is_complete, timeout_s=90)
        client.flushall()
        wait_until(lambda: not beat.is_running() or is_complete(), timeout_s=90)
        if not beat.is_running():
            beat.start(ready=is_complete, timeout_s=90)
        assert is_complete()


# --- in what is written ---


def test_no_task_is_ever_sent_for_later_or_again_by_celery() -> None:
    """kombu#337: whatever waits longer than the visibility timeout (eta, countdown, retry) is delivered repeatedly.

    Waiting is `run_after` and `not_before` in PostgreSQL.
    """
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            keywords = {keyword.arg for keyword in node.keywords}
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if keywords & {"eta", "countdown", "autoretry_for", "retry_backoff"} or method in {"apply_async", "delay"}:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if method == "retry" and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "self":
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_each_line_of_celeryconfig_says_why() -> None:
    source = ROOT.joinpath("celeryconfig.py").read_text(encoding="utf-8")
    lines = source.splitlines()
    settings = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    unexplained = [
        lines[node.lineno - 1]
        for node in settings
        if not lines[node.lineno - 1].startswith("_") and not re.search(r"  # \S+ \S+", lines[node.lineno - 1])
    ]
    assert unexplained == []
    assert len(settings) > 40


def test_settings_that_answer_known_faults_are_what_they_must_be(redis_url: str) -> None:
    import celeryconfig as config  # noqa: PLC0415 - reads the settings

    # kombu#337 and the default sweep of 100 s: a killed worker's nudge is back within minutes, and may come twice.
    options = config.broker_transport_options
    assert options["visibility_timeout"] <= 300
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)
    assert options["socket_timeout"] >= 5
    assert options["socket_connect_timeout"] <= 10
    # An out-of-memory task would come back for ever.
    assert not config.task_reject_on_worker_lost
    assert config.task_acks_on_failure
    assert config.task_acks_on_timeout
    # redbeat#230: slack of many loops, so that a slow tick does not lose the lock.
    assert config.redbeat_lock_timeout >= 5 * config.beat_max_loop_interval
    # celery#10107: crontabs of zones with daylight saving skip and repeat.
    assert (config.timezone, config.enable_utc) == ("UTC", True)
    # celery#4125: a cap below what a child takes anyway gives each task a child of its own.
    assert config.worker_max_memory_per_child >= 2 * 110_000
    assert config.task_ignore_result


def test_every_queue_is_read_by_some_line_of_the_procfile_and_grading_shares_no_process_with_batches() -> None:
    read = re.findall(r"-Q (\S+)", ROOT.joinpath("Procfile").read_text(encoding="utf-8"))
    queues = [queue for line in read for queue in line.split(",")]
    assert sorted(queues) == ["attempts", "backups", "batch", "billing", "default"]
    assert not any({"attempts", "batch"} <= set(line.split(",")) for line in read)


def test_nudge_outlives_the_difference_between_the_clocks_of_two_machines(redis_url: str, monkeypatch) -> None:
    """celery#4005 and its like: `expires` is an instant of the sender's clock, held against the receiver's."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(app, "send_task", lambda *_, **options: sent.append(options))
    assert Messages(app).start("jobs.prune")
    assert Messages(app).lane(3)
    assert min(options["expires"] for options in sent) >= 300


def test_message_that_comes_back_finds_its_shard_leased_or_done(declare, ledger: Ledger) -> None:
    """Redelivery after a kill, a restored connection or a second relay: the same message again, at any later time."""
    inner = []

    def body(shard: Any) -> int:
        inner.append(work_on_run(shard.run_id, shard.number).done)
        return 1

    declare("test.count", body, shards=1)
    run_id = start_run("test.count", PERIOD).run.run_id
    assert work_on_run(run_id).done == 1
    assert work_on_run(run_id).done == 0
    assert inner == [0]
