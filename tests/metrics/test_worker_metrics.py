"""A real worker: what it serves to Prometheus, what it says of itself, and what is left when it stops or is killed."""

import json
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests.factories import make_outbox_entry
from tests.jobs import jobs_for_processes
from tests.support.processes import Program, wait_until
from worker import clock
from worker.embedded.ports import free_port
from worker.heartbeats.store import Heartbeat, load_heartbeats
from worker.jobs.execution import start_run
from worker.metrics.serving import address, serve, stop
from worker.settings import Settings

pytestmark = pytest.mark.processes
assert jobs_for_processes  # declares the jobs in this process too
PERIOD = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def worker(
    program: Callable[..., Program], redis_url: str, database_url: str, tmp_path: Path
) -> Callable[..., Program]:
    """Start a worker that knows the jobs for tests, with its files in `tmp_path`."""

    def start(name: str, **environment: str) -> Program:
        command = ["python", "-m", "celery", "-A", "worker.app", "worker", "-n", f"{name}@test", "-c", "2"]
        command += ["--include", "tests.jobs.jobs_for_processes", "--without-gossip", "--without-mingle"]
        variables = {"ELP_DATA_DIR": str(tmp_path), "ELP_METRICS_PORT": "0", "REMAP_SIGTERM": "SIGQUIT", **environment}
        started = program(*command, **variables)
        return started.start(ready=lambda: "ready." in started.output() and target(tmp_path, name), timeout_s=90)

    return start


def target(folder: Path, name: str) -> str | None:
    """Return the address that a worker has written down for Prometheus."""
    file = folder / "metrics" / "targets" / f"{name}@test.json"
    if not file.exists():
        return None
    ((found,),) = [entry["targets"] for entry in json.loads(file.read_text())]
    return str(found)


def scrape(found: str | None) -> str:
    with urllib.request.urlopen(f"http://{found}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def heartbeats(url: str) -> dict[str, Heartbeat]:
    with psycopg.connect(url) as connection:
        return {heartbeat.worker: heartbeat for heartbeat in load_heartbeats(connection)}


def run_to_the_end(url: str, name: str, **parameters: int) -> UUID:
    run_id = start_run(name, PERIOD, trigger="manual", parameters=parameters).run.run_id
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(
            lambda: (
                connection.execute("SELECT state FROM job_runs WHERE id = %s", [run_id]).fetchone()
                in {("succeeded",), ("failed",)}
            ),
            90,
            "the run's end",
        )
    return run_id


def missing(samples: list[str], folder: Path) -> list[str]:
    said = scrape(target(folder, "one"))
    return [sample for sample in samples if sample not in said]


def test_worker_serves_what_its_children_did_and_says_how_it_is(worker, database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE effects (n int)")
        make_outbox_entry(connection, task="test.nobody_knows")
    started = worker("one")
    run_to_the_end(database_url, "test.kills_its_process", shards=4)
    expected = [
        'elp_job_shard_failures_total{job="test.kills_its_process"} 1.0',
        'elp_job_shard_duration_seconds_count{job="test.kills_its_process",outcome="done"} 3.0',
        'elp_job_lease_expiries_total{job="test.kills_its_process"} 2.0',
        'elp_job_items_total{job="test.kills_its_process"} 3.0',
        'elp_job_runs_finished_total{job="test.kills_its_process",state="failed"} 1.0',
        "elp_pulse_is_leader 1.0",
        *(f"elp_relay_{each}" for each in ("is_leader 1.0", "sent_total 0.0", "parked_total 1.0", "refused_total 0.0")),
        'elp_task_duration_seconds_count{outcome="success",task="jobs.run_shard"}',
    ]
    # Each process counts after its commit: what is true already may be told a moment later.
    with suppress(TimeoutError):
        wait_until(lambda: missing(expected, tmp_path) == [])
    assert missing(expected, tmp_path) == []

    wait_until(lambda: "one@test" in heartbeats(database_url))
    heartbeat = heartbeats(database_url)["one@test"]
    assert heartbeat.is_alive(clock.now())
    assert heartbeat.is_consuming
    assert heartbeat.metrics_address == target(tmp_path, "one")
    assert {"attempts", "default", "batch"} <= set(heartbeat.queues)

    started.stop()
    assert heartbeats(database_url) == {}
    assert target(tmp_path, "one") is None


def test_killed_worker_shows_by_its_silence_and_its_port_is_free_at_once(
    worker, database_url: str, tmp_path: Path
) -> None:
    port = str(free_port())
    started = worker("one", ELP_METRICS_PORT=port)
    wait_until(lambda: "one@test" in heartbeats(database_url))
    assert str(target(tmp_path, "one")).endswith(f":{port}")
    started.kill()
    assert "one@test" in heartbeats(database_url)
    (tmp_path / "metrics" / "targets" / "one@test.json").unlink()
    again = worker("one", ELP_METRICS_PORT=port)
    assert str(target(tmp_path, "one")).endswith(f":{port}")
    assert "elp_job_items_total{" not in scrape(target(tmp_path, "one"))
    assert again.is_running()


def test_second_worker_of_a_machine_takes_the_next_port(settings: Callable[..., Settings], tmp_path: Path) -> None:
    current = settings(data_dir=tmp_path, metrics_port=0)
    serve(current, "one@here")
    first = address()
    assert first is not None
    wanted = int(first.rpartition(":")[2])
    try:
        serve(settings(data_dir=tmp_path, metrics_port=wanted), "two@here")
        second = address()
        assert second is not None
        assert wanted < int(second.rpartition(":")[2]) < wanted + 100
    finally:
        stop()
