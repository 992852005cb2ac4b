"""Speaks SQL for a learner's wishes.

A trigger of the table has today's queue built again, soon, where a change matters to it, whoever writes here.
"""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.audit import AuditEntry, record_async
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


async def change_preferences(
    connection: AsyncConnection, user_id: UUID, wished: PreferenceChanges, *, actor: str | None, now: datetime
) -> Preferences:
    """Change a known learner's wishes in the caller's transaction and return them all.

    Two changes at once follow one another; nothing is written if nothing changes.

    Args:
        connection: in a transaction.
        user_id: the learner.
        wished: what is to change.
        actor: who changes what is somebody else's, for the audit log; None: the learner.
        now: the present instant.

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
        if actor is not None:
            await record_async(connection, [_entry(actor, user_id, before, after)], now)
    return after


def _entry(actor: str, user_id: UUID, before: Preferences, after: Preferences) -> AuditEntry:
    was, became = msgspec.to_builtins(before), msgspec.to_builtins(after)
    changes = [name for name in became if was[name] != became[name]]
    fields = [{name: of[name] for name in changes} for of in (was, became)]
    return AuditEntry(actor, "preferences.changed", "user", str(user_id), *fields)


async def _read(connection: AsyncConnection, query: str, user_id: UUID) -> Preferences | None:
    row = (await connection.execute(as_text(_query(query)), {"user_id": user_id})).one_or_none()
    return None if row is None else msgspec.convert(row._asdict(), Preferences)
