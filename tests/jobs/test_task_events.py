"""Task events: a message for many of them, and none lost."""

import json
from base64 import b64decode
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from tests.jobs.test_task_publisher import use_broker
from worker.app import app
from worker.task_events import INTERVAL_S, LARGEST, TaskEventsStep


class Consumer:
    """What the step sees of Celery's consumer: a real dispatcher, and a loop whose timers the test fires."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Any]] = []
        self.hub = SimpleNamespace(call_later=lambda delay_s, call: self.timers.append((delay_s, call)))
        self.event_dispatcher = app.events.Dispatcher(
            app.connection_for_write(), hostname="one@test", buffer_group=["task"], on_send_buffered=None
        )

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.event_dispatcher.send("task-started", uuid=str(number))


@pytest.fixture
def messages(redis_url: str) -> Iterator[Any]:
    """What was published since the last call, a list of the tasks' ids for each message.

    PUBLISH reaches every database of a server. Kombu begins the names of its channels with the database's number: a
    wider pattern hears what other tests' workers tell at the same time.
    """
    use_broker(redis_url)
    with redis.Redis.from_url(redis_url) as client, client.pubsub() as heard:
        heard.psubscribe(f"/{client.get_connection_kwargs()['db']}.celeryev*")
        heard.get_message(timeout=20)

        def since() -> list[list[int]]:
            client.ping()
            found = []
            while message := heard.get_message(timeout=0.3):
                body = json.loads(b64decode(json.loads(message["data"])["body"]))
                events = body if isinstance(body, list) else [body]
                if ids := [
                    int(event["uuid"]) for event in events if "uuid" in event
                ]:  # workers tell of themselves, too
                    found.append(ids)
            return found

        yield since


@pytest.fixture
def consumer(messages: Any) -> Iterator[Consumer]:
    made = Consumer()
    TaskEventsStep(made).start(made)
    yield made
    made.event_dispatcher.close()
    made.event_dispatcher.connection.close()


def test_events_of_a_moment_travel_together(consumer: Consumer, messages: Any) -> None:
    consumer.send(*range(30))
    assert [delay_s for delay_s, _ in consumer.timers] == [INTERVAL_S]
    assert messages() == []
    consumer.timers.pop()[1]()
    assert messages() == [[*range(30)]]
    consumer.send(30)
    consumer.timers.pop()[1]()
    assert messages() == [[30]]


def test_events_do_not_pile_up_for_longer_than_one_message(consumer: Consumer, messages: Any) -> None:
    consumer.send(*range(LARGEST))
    assert messages() == [[*range(LARGEST)]]


def test_events_that_wait_at_the_end_are_sent(consumer: Consumer, messages: Any) -> None:
    consumer.send(1, 2)
    TaskEventsStep(consumer).stop(consumer)
    assert messages() == [[1, 2]]


def test_events_that_redis_did_not_take_are_kept_for_the_next_connection(consumer: Consumer, messages: Any) -> None:
    reachable = consumer.event_dispatcher.producer
    consumer.event_dispatcher.producer = app.amqp.Producer(app.connection_for_write("redis://127.0.0.1:1/0"))
    consumer.send(1, 2)
    TaskEventsStep(consumer).stop(consumer)
    consumer.event_dispatcher.producer = reachable
    consumer.event_dispatcher.flush()
    assert messages() == [[1, 2]]
