"""What the relay sends: the messages that Celery itself would, many at a time."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from worker.app import app
from worker.jobs.task_publisher import PIPELINE, Outgoing, TaskPublisher


def use_broker(url: str) -> None:
    app.conf.broker_url = url
    app._pool = app.amqp._producer_pool = None  # those of the last test's broker


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    """The test's Redis, used as broker by this process's application."""
    use_broker(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        yield client


def entry(queue: str = "default", relay: int = 1, **payload: Any) -> Outgoing:
    return Outgoing(uuid4(), "test.task", payload, relay, queue)


def sent_ids(broker: redis.Redis, queue: str = "default") -> list[UUID]:
    return [UUID(json.loads(raw)["headers"]["id"]) for raw in reversed(broker.lrange(queue, 0, -1))]


def test_message_is_what_celery_sends_for_such_a_task(broker: redis.Redis) -> None:
    one = entry("batch", relay=3, n=1, names=["é"])
    TaskPublisher(app).publish([one])
    app.send_task(
        one.task, kwargs=one.payload, task_id=str(one.id), queue="batch", headers={"elp_relay": 3}, ignore_result=True
    )
    theirs, ours = (json.loads(raw) for raw in broker.lrange("batch", 0, -1))
    assert ours["headers"]["elp_relay"] == 3
    assert ours["properties"].pop("delivery_tag") != theirs["properties"].pop("delivery_tag")
    assert ours == theirs


def test_entries_are_sent_in_order_whatever_their_number(broker: redis.Redis) -> None:
    batch = [entry(n=n) for n in range(2 * PIPELINE + 1)]
    published = TaskPublisher(app).publish(batch)
    assert published.sent == len(batch)
    assert sent_ids(broker) == [one.id for one in batch]


def test_entry_that_cannot_be_sent_is_left_out_and_the_others_go(broker: redis.Redis) -> None:
    batch = [entry(n=1), entry("no-such-queue"), entry(n=object()), entry(n=2)]
    published = TaskPublisher(app).publish(batch)
    assert published.sent == 2
    assert not published.refused
    assert sent_ids(broker) == [batch[0].id, batch[3].id]
    assert "QueueNotFound" in published.unsendable[batch[1].id]
    assert list(published.unsendable) == [batch[1].id, batch[2].id]


def test_all_are_refused_while_redis_is_away(broker: redis.Redis) -> None:
    use_broker("redis://127.0.0.1:1/0")
    batch = [entry(n=n) for n in range(PIPELINE + 1)]
    published = TaskPublisher(app).publish(batch)
    assert published.sent == 0
    assert published.refused == [one.id for one in batch]


def test_pipeline_that_redis_refuses_is_refused_whole_and_the_next_one_goes(broker: redis.Redis) -> None:
    publisher = TaskPublisher(app)
    broker.set("default", "no list")
    batch = [entry(n=1), entry("batch", n=2)]
    assert publisher.publish(batch).refused == [one.id for one in batch]
    broker.delete("default", "batch")
    assert publisher.publish(batch).sent == 2
    assert sent_ids(broker) == [batch[0].id]
