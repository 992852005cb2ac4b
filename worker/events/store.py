"""Publishing and pruning events."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from worker.db.engines import Connection
from worker.db.queries import load_query
from worker.events.event import Event
from worker.ids import uuid7_series

_query = partial(load_query, "worker.events")


def publish(connection: Connection, events: Sequence[Event], *, now: datetime) -> int:
    """Publish events with the caller's transaction, in one statement: they are seen if and when it commits.

    Args:
        connection: in the transaction that makes the events true.
        events: in the order in which readers are to see them.
        now: the present instant.

    Returns:
        how many were new; those whose dedupe key was published before (or twice here) are dropped.

    Raises:
        psycopg.errors.CheckViolation: a kind is not `<capability>.<what_happened>` in lower case.
        psycopg.errors.ForeignKeyViolation: a learner does not exist.
    """
    if not events:
        return 0
    return connection.execute(
        _query("publish_events"),
        {
            "ids": [UUID(bytes=each) for each in uuid7_series(len(events), now)],
            "kinds": [event.kind for event in events],
            "user_ids": [event.user_id for event in events],
            "payloads": [msgspec.json.encode(event.payload).decode() for event in events],
            "dedupe_keys": [event.dedupe_key for event in events],
            "now": now,
        },
    ).rowcount


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Delete the oldest events from before an instant, at most `limit`, and return how many were deleted."""
    return connection.execute(_query("prune_events"), {"before": before, "limit": limit}).rowcount
