"""Runs a task for its outbox entry: the work and the entry's done mark commit together, as a shard's do.

A message may come twice, late, or after its entry was done: the entry itself says whether there is something to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from worker import clock
from worker.db import Connection, transaction
from worker.db.queries import load_query
from worker.jobs.known_tasks import DELIVERY, KnownTask
from worker.jobs.outbox import PACKAGE
from worker.logging import get_logger

_log = get_logger(__name__)

R = TypeVar("R")

RELAY_HEADER: Final = "elp_relay"
"""Message header of tasks from the outbox: which relay of the entry it is, from 1. The entry's id is the task's id."""

_FIRST_REST: Final = timedelta(seconds=10)
_LONGEST_REST: Final = timedelta(minutes=10)
_LONGEST_ERROR: Final = 4_000
_IDLE_LIMIT: Final = "900s"
"""As celeryconfig's task_time_limit: a worker whose machine vanished must not hold its entry for longer."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a task from the outbox may ask for, by a parameter named `delivery`.

    Whatever the body writes through `connection` commits together with the entry's done mark: it happens exactly once.
    A body neither commits nor rolls back. Effects elsewhere happen at least once and need a key of their own: `id`.
    """

    connection: Connection
    id: UUID
    """The entry's, the same however often it is delivered."""
    enqueued_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """Which entry a message is of."""

    id: UUID
    relay: int
    is_repeated: bool
    """The entry was relayed before, or the broker delivers the message again: its first worker may have been lost."""


def message_of(request: Any) -> Message | None:
    """Return what a Celery request says of an outbox entry; None: the message is not from the outbox."""
    relay = (request.headers or {}).get(RELAY_HEADER)
    if relay is None:
        return None
    redelivered = bool((request.delivery_info or {}).get("redelivered"))
    return Message(UUID(request.id), int(relay), is_repeated=redelivered or int(relay) > 1)


def deliver(task: KnownTask, message: Message, body: Callable[..., R], payload: Mapping[str, Any]) -> R | None:
    """Run a task's body for its entry, unless there is nothing (more) to do; return what the body returned.

    Raises:
        Exception: what the body raised. It is recorded: the entry rests and is sent again, or is parked.
    """
    if message.is_repeated and not _may_start(task, message):
        return None
    count = 0 if message.is_repeated else 1
    try:
        return _do(task, message, body, payload, count)
    except Exception as error:
        _record_failure(task, message, error, count)
        raise


def _do(task: KnownTask, message: Message, body: Callable[..., R], payload: Mapping[str, Any], count: int) -> R | None:
    with transaction() as connection:
        values = {
            "id": message.id,
            "relay": message.relay,
            "count": count,
            "now": clock.now(),
            "idle_limit": _IDLE_LIMIT,
            # Without work of the body's in this transaction, a done mark that a crash of the server forgets means a
            # repetition, which such a body must bear anyway: no wait for the disk.
            "is_durable": task.takes_delivery,
        }
        row = connection.execute(load_query(PACKAGE, "take_entry"), values).fetchone()
        if row is None:
            _log.debug("delivery_skipped")
            return None
        if task.takes_delivery:
            return body(**payload, **{DELIVERY: Delivery(connection, message.id, row[0])})
        return body(**payload)


def _may_start(task: KnownTask, message: Message) -> bool:
    """Note the start before it happens, since it might end the process; False: it did so too often, or is done."""
    values = {"id": message.id, "relay": message.relay, "max_starts": task.max_starts, "now": clock.now()}
    with transaction() as connection:
        row = connection.execute(load_query(PACKAGE, "count_start"), values).fetchone()
    if row is not None and row[0]:
        _log.error("outbox_entry_parked", reason="its worker was lost", starts=task.max_starts)
    return row is not None and not row[0]


def _record_failure(task: KnownTask, message: Message, error: Exception, count: int) -> None:
    values = {
        "id": message.id,
        "count": count,
        "max_starts": task.max_starts,
        "error": f"{type(error).__name__}: {error}".replace("\0", "")[:_LONGEST_ERROR],
        "first_rest": _FIRST_REST,
        "longest_rest": _LONGEST_REST,
        "now": clock.now(),
    }
    with transaction() as connection:
        row = connection.execute(load_query(PACKAGE, "entry_failed"), values).fetchone()
    if row is not None and row[1]:
        _log.error("outbox_entry_parked", reason=values["error"], starts=row[0])
