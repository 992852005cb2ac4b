"""What Prometheus reads of PostgreSQL and Redis: right, cheap and honest when one is away."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import redis
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import make_inbox_attempt, make_outbox_entry, make_run, make_shard
from tests.factories_operations import make_heartbeat
from worker import clock
from worker.metrics import platform
from worker.metrics.platform import PlatformCollector
from worker.settings import Settings


@pytest.fixture
def connection(database_url: str) -> Any:
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def read(settings: Callable[..., Settings]) -> Callable[[], dict[tuple[str, ...], float]]:
    """Scrape once and return each sample by its name and label values."""

    def scrape(collector: PlatformCollector | None = None) -> dict[tuple[str, ...], float]:
        registry = CollectorRegistry()
        registry.register(collector or PlatformCollector(settings()))
        text = generate_latest(registry).decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    return scrape


def test_figures_are_those_of_the_rows(connection, redis_url: str, read) -> None:
    now = clock.now()
    lag = timedelta(hours=2)
    run = {"job": "srs.build_due_queues", "state": "succeeded", "period": now - lag, "finished_at": now}
    make_run(connection, **run)
    failed = make_run(connection, job="srs.build_due_queues", state="running", period=now - timedelta(hours=1))
    for number, (state, expires) in enumerate((("pending", None), ("running", now + lag), ("running", now - lag))):
        make_shard(connection, run_id=failed, number=number, state=state, lease_expires_at=expires)
    for _ in range(3):
        make_inbox_attempt(connection, received_at=now - timedelta(minutes=5))
    make_outbox_entry(connection, not_before=now + lag)
    make_outbox_entry(connection, created_at=now - timedelta(minutes=1))
    make_outbox_entry(connection, parked_at=now, error="no")
    make_heartbeat(connection, worker="one@here")
    make_heartbeat(connection, worker="two@here", seen_at=now - timedelta(minutes=1))
    with redis.Redis.from_url(redis_url) as client:
        client.lpush("batch", "a", "b")
        client.set("elp:redbeat::lock", "x", ex=30)
    found = read()
    assert found["elp_database_up",] == found["elp_redis_up",] == 1
    assert found["elp_job_lag_seconds", "srs.build_due_queues"] == pytest.approx(7_200, abs=30)
    assert found["elp_job_periods_behind", "srs.build_due_queues"] in {8, 9}
    assert found["elp_job_runs", "srs.build_due_queues", "running"] == 1
    for doing in ("waiting", "running", "expired"):
        assert found["elp_job_open_shards", "srs.build_due_queues", doing] == 1
    assert sum(value for (name, *_), value in found.items() if name == "elp_inbox_attempts") == 3
    assert max(value for (name, *_), value in found.items() if name == "elp_inbox_oldest_seconds") >= 300
    assert [found["elp_outbox_entries", state] for state in ("waiting", "deferred", "sent", "parked")] == [1, 1, 0, 1]
    assert found["elp_outbox_oldest_seconds",] >= 60
    assert found["elp_queue_messages", "batch"] == 2
    assert found["elp_beat_alive",] == 1
    assert found["elp_pulse_leads",] == 0
    assert abs(found["elp_database_clock_skew_seconds",]) < 30
    assert (found["elp_worker_alive", "one@here"], found["elp_worker_alive", "two@here"]) == (1, 0)


def test_two_scrapes_within_seconds_ask_the_servers_once(connection, redis_url, read, settings) -> None:
    collector = PlatformCollector(settings())
    before = read(collector)
    make_outbox_entry(connection)
    assert read(collector) == before


def test_later_scrape_asks_again(connection, redis_url, read, settings, monkeypatch) -> None:
    monkeypatch.setattr(platform, "CACHED_S", 0)
    collector = PlatformCollector(settings())
    assert read(collector)["elp_outbox_entries", "waiting"] == 0
    make_outbox_entry(connection)
    assert read(collector)["elp_outbox_entries", "waiting"] == 1


def test_servers_that_are_away_are_shown_as_such(read, settings) -> None:
    current = settings(database_url="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0")
    assert read(PlatformCollector(current)) == {("elp_database_up",): 0, ("elp_redis_up",): 0}
