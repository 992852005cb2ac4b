"""Hands outbox entries to the broker as Celery messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from celery import Celery
from celery.exceptions import ImproperlyConfigured, QueueNotFound
from kombu.exceptions import EncodeError, KombuError

from worker.jobs.delivery import RELAY_HEADER
from worker.jobs.nudges import counts

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
        """Send the entries in order, until the broker refuses one; the id of the entry is the task's.

        They carry no expiry, though they are sent again: a worker that drops an expired message treats the task's id as
        revoked for hours, and would drop the next message of the entry, too.
        """
        published = Published()
        with self._app.producer_or_acquire() as producer:
            for position, entry in enumerate(batch):
                try:
                    self._app.send_task(
                        entry.task,
                        kwargs=entry.payload,
                        task_id=str(entry.id),
                        queue=entry.queue,
                        headers={RELAY_HEADER: entry.relay},
                        producer=producer,
                        retry=False,
                        ignore_result=True,
                    )
                except _UNSENDABLE as error:
                    published.unsendable[entry.id] = f"it can't be sent: {type(error).__name__}: {error}"
                except KombuError as error:
                    counts.refused(error)
                    published.refused = [one.id for one in batch[position:]]
                    break
                else:
                    published.sent += 1
        if published.sent:
            counts.succeeded(published.sent)
        return published
