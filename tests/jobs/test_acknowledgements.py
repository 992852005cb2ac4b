"""What Redis is told of a worker's messages: nothing of short tasks, of long ones all it needs to bring them back."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from kombu.asynchronous import get_event_loop, set_event_loop
from kombu.connection import Connection
from kombu.transport.redis import Channel, Transport

from worker.acknowledgements import INTERVAL_S, GatheredQoS


class GatheringChannel(Channel):
    """A channel as workers have it."""

    QoS = GatheredQoS


class GatheringTransport(Transport):
    """Kombu's, with such channels."""

    Channel = GatheringChannel


class Worker:
    """Takes messages of a queue from a real Redis, with a loop whose timers the test fires."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.timers: list[tuple[float, Callable[[], None]]] = []
        loop: Any = SimpleNamespace(call_later=lambda delay_s, call: self.timers.append((delay_s, call)))
        set_event_loop(loop)
        self.connection = Connection(url, transport=GatheringTransport)
        self.queue = self.connection.SimpleQueue("work")

    def take(self, *numbers: int) -> list[Any]:
        for n in numbers:
            self.queue.put({"n": n})
        return [self.queue.get(timeout=20) for _ in numbers]

    def a_moment_passes(self) -> None:
        while self.timers:
            delay_s, call = self.timers.pop()
            assert delay_s == INTERVAL_S
            call()


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.delete("work", "unacked", "unacked_index")
        yield client


@pytest.fixture
def worker(client: Any, redis_url: str) -> Iterator[Worker]:
    before = get_event_loop()
    made = Worker(redis_url)
    yield made
    set_event_loop(before)
    made.connection.close()


def known(client: Any) -> tuple[set[str], set[str]]:
    """Return the messages that Redis knows as taken, and those of its index by time."""
    return set(client.hgetall("unacked")), set(client.zrange("unacked_index", 0, -1))


def test_message_of_a_short_task_is_never_written_down(worker: Worker, client: Any) -> None:
    for message in worker.take(1, 2, 3):
        message.ack()
    worker.a_moment_passes()
    assert client.exists("unacked", "unacked_index", "work") == 0


def test_message_of_a_long_task_is_written_after_a_moment_and_removed_when_it_ended(
    worker: Worker, client: Any
) -> None:
    short, *long = worker.take(1, 2, 3)
    short.ack()
    assert len(worker.timers) == 1
    worker.a_moment_passes()
    tags = {message.delivery_tag for message in long}
    assert known(client) == (tags, tags)
    long[0].ack()
    worker.a_moment_passes()
    assert known(client) == ({long[1].delivery_tag},) * 2
    long[1].reject()
    worker.a_moment_passes()
    assert client.exists("unacked", "unacked_index", "work") == 0


def test_what_was_taken_comes_back_from_redis_when_its_worker_is_gone(worker: Worker, client: Any) -> None:
    (message,) = worker.take(1)
    worker.a_moment_passes()
    client.zadd("unacked_index", {message.delivery_tag: 1})  # long ago
    other = Connection(worker.url)
    other.channel().qos.restore_visible()
    again = other.SimpleQueue("work").get(timeout=20)
    assert again.payload == {"n": 1}
    again.ack()
    other.close()


def test_message_that_is_given_back_is_in_its_queue_written_or_not(worker: Worker, client: Any) -> None:
    (written,) = worker.take(1)
    worker.a_moment_passes()
    (unwritten,) = worker.take(2)
    unwritten.reject(requeue=True)
    written.reject(requeue=True)
    assert client.llen("work") == 2
    assert known(client) == (set(), set())


def test_worker_that_stops_gives_back_what_it_holds_written_or_not(worker: Worker, client: Any) -> None:
    worker.take(1)
    worker.a_moment_passes()
    worker.take(2)[0].ack()
    worker.take(3)
    worker.queue.channel.close()
    assert client.llen("work") == 2
    assert known(client) == (set(), set())


def test_worker_that_stops_says_first_what_has_ended(worker: Worker, client: Any) -> None:
    (message,) = worker.take(1)
    worker.a_moment_passes()
    message.ack()
    worker.queue.channel.close()
    assert known(client) == (set(), set())
    worker.a_moment_passes()  # a timer of before comes too late, and hurts nobody


def test_redis_that_refuses_keeps_no_worker_from_stopping(worker: Worker, client: Any) -> None:
    (message,) = worker.take(1)
    worker.a_moment_passes()
    client.delete("unacked_index")
    client.set("unacked_index", "no index")  # refuses what is written to it, as a full disk refuses all
    message.ack()
    worker.queue.channel.close()
    assert worker.queue.channel.connection is None


def test_redis_that_is_away_when_it_should_be_told_stops_nothing(worker: Worker, monkeypatch: Any) -> None:
    (message,) = worker.take(1)
    channel = worker.queue.channel
    away = redis.ConnectionPool.from_url("redis://127.0.0.1:1/0")
    with monkeypatch.context() as patched:
        patched.setattr(channel, "_pool", away)
        worker.a_moment_passes()
    message.ack()
    worker.a_moment_passes()
