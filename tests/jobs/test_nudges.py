"""Nudges: where they arrive, and what becomes of them when Redis is down."""

import base64
import json
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
import redis
from celery.exceptions import QueueNotFound

from worker.app import app, nudge
from worker.jobs.messages import FAN_OUT, Messages
from worker.jobs.nudges import counts
from worker.jobs.registry import registry


def use_broker(url: str) -> None:
    app.conf.broker_url = url
    app._pool = app.amqp._producer_pool = None  # those of the last test's broker


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    """The test's Redis, used as broker by this process's application."""
    use_broker(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        yield client


def messages(broker: redis.Redis, queue: str) -> list[list[object]]:
    """The positional arguments of the queue's messages, the oldest first."""
    bodies = [json.loads(raw)["body"] for raw in broker.lrange(queue, 0, -1)]
    return [json.loads(base64.b64decode(body))[0] for body in reversed(bodies)]


def test_nudge_arrives_in_the_queue_it_names(broker: redis.Redis) -> None:
    assert nudge("attempts.drain", 3, queue="attempts")
    assert messages(broker, "attempts") == [[3]]


def test_nudge_arrives_after_redis_was_emptied(broker: redis.Redis) -> None:
    assert nudge("attempts.drain", 3, queue="attempts")
    broker.flushdb()
    assert nudge("attempts.drain", 4, queue="attempts")
    assert messages(broker, "attempts") == [[4]]


def test_misspelt_queue_is_an_error_at_once(broker: redis.Redis) -> None:
    with pytest.raises(QueueNotFound, match="atempts"):
        nudge("attempts.drain", 3, queue="atempts")


def test_nudge_carries_an_expiry_so_that_nothing_piles_up(broker: redis.Redis) -> None:
    nudge("attempts.drain", 3, queue="attempts")
    (raw,) = broker.lrange("attempts", 0, -1)
    assert json.loads(raw)["headers"]["expires"] is not None


def test_shard_message_carries_its_jobs_time_limit_and_goes_to_its_queue(broker: redis.Redis, declare) -> None:
    declared = declare("test.count", queue="batch", time_limit_s=100)
    assert Messages(app).shard(declared, UUID(int=1), 7)
    (raw,) = broker.lrange("batch", 0, -1)
    assert json.loads(raw)["headers"]["timelimit"] == [180, 120]  # hard, soft: 20 s more, for shards taken one by one
    assert messages(broker, "batch") == [[str(UUID(int=1)), 7]]


@pytest.mark.parametrize(("shards", "numbers"), [(0, []), (1, [0]), (3, [0, 1, 2]), (32, list(range(0, 32, 2)))])
def test_start_of_a_run_wakes_few_workers_spread_over_its_shards(
    broker: redis.Redis, declare, shards: int, numbers: list[int]
) -> None:
    Messages(app).run(declare("test.count"), UUID(int=1), shards)
    assert [number for _, number in messages(broker, "default")] == numbers
    assert len(numbers) <= FAN_OUT


def test_nudge_without_redis_fails_fast_and_is_counted_not_raised(redis_url: str, declare) -> None:
    use_broker("redis://127.0.0.1:1/0")
    failed, before = counts.failed, time.monotonic()
    assert not nudge("attempts.drain", 3, queue="attempts")
    Messages(app).run(registry.get(declare("test.count").name), UUID(int=1), 16)
    assert counts.failed == failed + 2  # the second run of messages ends at the first refusal
    assert time.monotonic() - before < 30


@pytest.mark.processes
def test_nudges_go_through_again_once_redis_is_back(valkey_server, redis_url: str) -> None:
    server = valkey_server()
    use_broker(server.url)
    assert nudge("attempts.drain", 1, queue="attempts")
    server.stop()
    assert not nudge("attempts.drain", 2, queue="attempts")
    server.start()
    assert nudge("attempts.drain", 3, queue="attempts")
