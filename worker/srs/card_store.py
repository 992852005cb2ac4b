"""Speaks SQL for one card of a learner: reads it, and changes it with a row in the audit log."""

from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.srs.card import CardState, State
from worker.srs.card_actions import AUDIT_ACTIONS, Action, CardRow, apply, changes

_query = partial(load_query, "worker.srs")


class LearnersCard(msgspec.Struct, frozen=True, kw_only=True):
    """One card of a learner as it is now; the ease in hundredths."""

    card_id: UUID
    item_type: str
    item_id: UUID
    state: State
    interval: int
    ease: int
    repetitions: int
    lapses: int
    step: int
    next_review_date: date
    stability: float | None
    difficulty: float | None
    last_reviewed_at: datetime | None
    is_suspended: bool
    buried_until: date | None

    def as_scheduled(self) -> CardState:
        """Return what the schedulers know about it."""
        return CardState(
            self.state,
            self.interval,
            self.ease,
            self.repetitions,
            self.lapses,
            self.next_review_date,
            self.step,
            self.stability,
            self.difficulty,
        )


async def load_card(connection: AsyncConnection, user_id: UUID, card_id: UUID) -> LearnersCard | None:
    """Return a learner's card; None: they have none with this id."""
    values = {"user_id": user_id, "card_id": card_id}
    row = (await connection.execute(as_text(_query("card_of")), values)).one_or_none()
    return None if row is None else msgspec.convert(row._asdict(), LearnersCard)


async def change_card(
    connection: AsyncConnection,
    user_id: UUID,
    card_id: UUID,
    action: Action,
    *,
    today: date,
    until: date | None,
    actor: str,
    now: datetime,
) -> bool | None:
    """Apply an action in the caller's transaction, with a row in the audit log if it changes anything.

    The card stays locked until the transaction ends: actions and batches of attempts follow one another, and the later
    one sees what the earlier one did.

    Returns:
        Whether the card changed; None: the learner has no card with this id.

    Raises:
        InvalidActionError: see `card_actions.apply`.
    """
    values: dict[str, Any] = {"user_id": user_id, "card_id": card_id}
    row = (await connection.execute(as_text(_query("lock_card")), values)).one_or_none()
    if row is None:
        return None
    before = msgspec.convert(row._asdict(), CardRow)
    after = apply(before, action, today=today, until=until, now=now)
    if after is before:
        return False
    was, became = (msgspec.json.encode(fields).decode() for fields in changes(before, after))
    audit = {"now": now, "actor": actor, "action": AUDIT_ACTIONS[action], "before": was, "after": became}
    await connection.execute(
        as_text(_query("save_card")), {"card_id": card_id, **msgspec.structs.asdict(after), **audit}
    )
    return True
