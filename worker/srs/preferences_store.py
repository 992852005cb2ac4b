"""Speaks SQL for a learner's wishes; a change that today's queue depends on has the queue built again, soon."""

from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.srs.preferences import QUEUE_FIELDS, PreferenceChanges, Preferences, changed, differing, faults

_query = partial(load_query, "worker.srs")

REBUILD_JOB: Final = "srs.rebuild_due_queues"


class FaultyPreferencesError(Exception):
    """Wishes that don't go together; each field with the end of the sentence "<field> …"."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {message}" for field, message in found))
        self.faults = found


async def load_preferences(connection: AsyncConnection, user_id: UUID) -> Preferences:
    """Return a learner's wishes, the defaults where they have none."""
    return await _read(connection, "preferences_of", user_id) or Preferences()


async def change_preferences(
    connection: AsyncConnection, user_id: UUID, wished: PreferenceChanges, now: datetime
) -> Preferences:
    """Change a known learner's wishes in the caller's transaction and return them all.

    Two changes at once follow one another. If today's queue depends on what changed, the same transaction asks for it
    to be built again; nothing is asked for, and nothing written, if nothing changed.

    Raises:
        FaultyPreferencesError: the wishes, with those that stay, don't go together.
    """
    await connection.execute(
        as_text("INSERT INTO user_preferences (user_id) VALUES (%(user_id)s::uuid) ON CONFLICT (user_id) DO NOTHING"),
        {"user_id": user_id},
    )
    before = await _read(connection, "lock_preferences", user_id)
    assert before is not None
    after = changed(before, wished)
    if found := faults(after):
        raise FaultyPreferencesError(found)
    if fields := differing(before, after):
        values: dict[str, Any] = msgspec.structs.asdict(after)
        values["notifications"] = msgspec.json.encode(after.notifications).decode()
        await connection.execute(as_text(_query("save_preferences")), {**values, "user_id": user_id})
        if QUEUE_FIELDS.intersection(fields):
            await ask_for_rebuild(connection, user_id, now)
    return after


async def ask_for_rebuild(connection: AsyncConnection, user_id: UUID, now: datetime) -> None:
    """Have a learner's queue of today built again after the caller's transaction, by a row in the outbox."""
    payload = {"job": REBUILD_JOB, "parameters": {"user_ids": [str(user_id)]}}
    await connection.execute(
        as_text("SELECT enqueue_job('jobs.start', %(payload)s::jsonb, NULL, %(now)s::timestamptz)"),
        {"payload": msgspec.json.encode(payload).decode(), "now": now},
    )


async def _read(connection: AsyncConnection, query: str, user_id: UUID) -> Preferences | None:
    row = (await connection.execute(as_text(_query(query)), {"user_id": user_id})).one_or_none()
    return None if row is None else msgspec.convert(row._asdict(), Preferences)
