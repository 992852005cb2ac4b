"""Speaks SQL for spaced repetition's queues."""

from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from worker.db import Connection
from worker.db.queries import load_query
from worker.srs import due_queue
from worker.srs.due_queue import DayRule, LocalDays

_PACKAGE = "worker.srs"
_DEFAULTS = {
    "day_start_hour": due_queue.DEFAULT_DAY_START_HOUR,
    "review_limit": due_queue.DEFAULT_REVIEW_LIMIT,
    "new_limit": due_queue.DEFAULT_NEW_LIMIT,
}

BuiltQueue = tuple[UUID, date, str]
"""Whose queue, for which local day, and the queue as JSON."""


def day_rules(connection: Connection, first: UUID | None = None, last: UUID | None = None) -> list[DayRule]:
    """Return how the active learners from `first` to `last` (all when left out) count days."""
    values = {**_DEFAULTS, "first": first, "last": last}
    return [DayRule(*row) for row in connection.execute(load_query(_PACKAGE, "day_rules"), values)]


def due_queue_ranges(connection: Connection, days: LocalDays, shard_users: int) -> list[tuple[UUID, UUID]]:
    """Return ranges of ids (first, last): all learners who lack a queue, `shard_users` of them in each."""
    values = {**_DEFAULTS, **asdict(days), "shard_users": shard_users}
    return connection.execute(load_query(_PACKAGE, "due_queue_ranges"), values).fetchall()


def build_due_queues(
    connection: Connection, days: LocalDays, first: UUID, last: UUID, *, run_id: UUID | None, now: datetime
) -> list[BuiltQueue]:
    """Build the missing queues of the learners from `first` to `last` and return those built.

    The memory taken is that of the range's queues, whatever the number of cards.
    """
    # Compiling the statement takes longer than running it on a shard.
    connection.execute("SET LOCAL jit = off")
    values = {**_DEFAULTS, **asdict(days), "first": first, "last": last, "run_id": run_id, "now": now}
    return connection.execute(load_query(_PACKAGE, "build_due_queues"), values).fetchall()
