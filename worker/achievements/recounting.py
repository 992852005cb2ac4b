"""Counting learners anew from their history, and putting right what differs."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from worker.db.engines import Connection
from worker.db.queries import load_query
from worker.srs.card import MATURE_DAYS

_query = partial(load_query, "worker.achievements")


class Difference(NamedTuple):
    """A learner whose counters are not what the history says.

    Attributes:
        user_id: the learner.
        rebuild_days: their days differ, or were never counted.
        is_drift: history and counters disagree: a fault. Otherwise the days of a learner who began before days were
            kept are counted for the first time, or cards went or came without an attempt (a question was deleted, a
            deck imported).
        stored: the counters kept.
        recounted: what they should be.
    """

    user_id: UUID
    rebuild_days: bool
    is_drift: bool
    stored: dict[str, Any]
    recounted: dict[str, Any]


def differences(connection: Connection, user_ids: Sequence[UUID]) -> list[Difference]:
    """Return the learners among these whose counters differ from the history, or were never counted."""
    values = {"user_ids": list(user_ids), "mature_days": MATURE_DAYS}
    return [Difference(*row) for row in connection.execute(_query("recount"), values)]


def recount(connection: Connection, user_ids: Sequence[UUID], *, actor: str, now: datetime) -> list[Difference]:
    """Set the counters and days of these learners to what their history says, where they differ.

    Only those who differ at first sight are locked, and counted again under the lock. Drift leaves a row in the audit
    log for each learner.

    Args:
        connection: in a transaction.
        user_ids: the learners.
        actor: for the audit log.
        now: the present instant.

    Returns:
        what was put right.
    """
    suspects = [each.user_id for each in differences(connection, user_ids)]
    if not suspects:
        return []
    connection.execute(_query("lock_counters"), {"user_ids": suspects})
    found = differences(connection, suspects)
    if not found:
        return []
    connection.execute(
        _query("set_counters"),
        {
            "user_ids": [each.user_id for each in found],
            "rebuild_days": [each.rebuild_days for each in found],
            "recounted": [msgspec.json.encode(each.recounted).decode() for each in found],
        },
    )
    to_rebuild = [each.user_id for each in found if each.rebuild_days]
    connection.execute("DELETE FROM user_days WHERE user_id = ANY (%s)", (to_rebuild,))
    connection.execute(_query("rebuild_days"), {"user_ids": to_rebuild})
    drifted = [each for each in found if each.is_drift]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO audit_log (occurred_at, actor, action, object_type, object_id, before, after)"
            " VALUES (%s, %s, 'stats.recounted', 'user_stats', %s, %s, %s)",
            [(now, actor, str(each.user_id), Jsonb(each.stored), Jsonb(each.recounted)) for each in drifted],
        )
    return found
