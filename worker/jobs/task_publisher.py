"""Hands outbox entries to the broker as Celery messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from celery import Celery
from celery.exceptions import ImproperlyConfigured, QueueNotFound
from kombu.exceptions import EncodeError, KombuError
from kombu.messaging import Producer

from worker.jobs.delivery import RELAY_HEADER
from worker.jobs.nudges import counts

PIPELINE: Final = 100
"""Messages that travel to Redis together: the first ones are at work while the others are still being encoded."""
_UNSENDABLE: Final = (EncodeError, QueueNotFound, ImproperlyConfigured, TypeError, ValueError)
"""What says that this message can't be sent, whatever the broker's state."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An entry on its way."""

    id: UUID
    task: str
    payload: dict[str, Any]
    relay: int
    queue: str


@dataclass(slots=True)
class Published:
    """What became of a batch."""

    sent: int = 0
    """How many the broker took."""
    refused: list[UUID] = field(default_factory=list)
    """Those that the broker did not take, for it is away."""
    unsendable: dict[UUID, str] = field(default_factory=dict)
    """Those that can never be sent, with the reason."""


class TaskPublisher:
    """Publishes through one Celery application."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def publish(self, batch: Sequence[Outgoing]) -> Published:
        """Send the entries in order, until the broker refuses; the id of the entry is the task's.

        Those that travelled with a refused one count as refused, too, though some may have arrived: at least once.

        They carry no expiry, though they are sent again: a worker that drops an expired message treats the task's id as
        revoked for hours, and would drop the next message of the entry, too.
        """
        published = Published()
        with self._app.producer_or_acquire() as producer:
            for start in range(0, len(batch), PIPELINE):
                together = batch[start : start + PIPELINE]
                unsendable: dict[UUID, str] = {}
                try:
                    with producer.batch(PIPELINE) as pipeline:
                        for entry in together:
                            problem = self._add(producer, entry)
                            if problem is not None:
                                unsendable[entry.id] = problem
                        pipeline.flush()
                except KombuError as error:
                    counts.refused(error)
                    published.refused = [one.id for one in batch[start:] if one.id not in unsendable]
                published.unsendable |= unsendable
                if published.refused:
                    break
                published.sent += len(together) - len(unsendable)
        if published.sent:
            counts.succeeded(published.sent)
        return published

    def _add(self, producer: Producer, entry: Outgoing) -> str | None:
        """Put an entry into the producer's batch; return why it can never be sent, if so."""
        # What `send_task` does, but for half of its time: looking whether the queue and its exchange must be declared.
        try:
            if entry.queue not in self._app.amqp.queues:
                raise QueueNotFound(f"there is no queue {entry.queue}")
            message = self._app.amqp.create_task_message(
                str(entry.id), entry.task, (), entry.payload, reply_to=self._app.thread_oid, ignore_result=True
            )
            producer.publish(  # type: ignore[no-untyped-call]  # kombu is untyped
                message.body,
                exchange="",
                routing_key=entry.queue,
                serializer="json",
                headers={**message.headers, RELAY_HEADER: entry.relay},
                retry=False,
                **message.properties,
            )
        except _UNSENDABLE as error:
            return f"it can't be sent: {type(error).__name__}: {error}"
        return None
