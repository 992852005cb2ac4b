"""Speaks SQL for a learner's wishes.

A trigger of the table has today's queue built again, soon, where a change matters to it, whoever writes here.
"""

from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.errors import ElpError
from worker.srs.preferences import PreferenceChanges, Preferences, changed, faults

_query = partial(load_query, "worker.srs")


class FaultyPreferencesError(ElpError):
    """Wishes that don't go together; each field with the end of the sentence "<field> …"."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {message}" for field, message in found))
        self.faults = found


async def load_preferences(connection: AsyncConnection, user_id: UUID) -> Preferences:
    """Return a learner's wishes, the defaults where they have none."""
    return await _read(connection, "preferences_of", user_id) or Preferences()


async def change_preferences(connection: AsyncConnection, user_id: UUID, wished: PreferenceChanges) -> Preferences:
    """Change a known learner's wishes in the caller's transaction and return them all.

    Two changes at once follow one another; nothing is written if nothing changes.

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
    if after != before:
        values: dict[str, Any] = msgspec.structs.asdict(after)
        values["notifications"] = msgspec.json.encode(after.notifications).decode()
        await connection.execute(as_text(_query("save_preferences")), {**values, "user_id": user_id})
    return after


async def _read(connection: AsyncConnection, query: str, user_id: UUID) -> Preferences | None:
    row = (await connection.execute(as_text(_query(query)), {"user_id": user_id})).one_or_none()
    return None if row is None else msgspec.convert(row._asdict(), Preferences)
