"""A learner's achievements as the app shows them: what is held, and how far the next tier is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from worker.achievements.catalogue import Achievement, Catalogue, Tier, load_catalogue
from worker.achievements.counters import NONE, Counters
from worker.achievements.store import Held
from worker.db.queries import load_query
from worker.db.statements import as_text


class TierState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tier with its texts; `awarded_at` is left out until it is awarded."""

    code: str
    threshold: int
    name_id: str
    name_en: str
    description_id: str
    description_en: str
    awarded_at: datetime | None = None


class Progress(msgspec.Struct, frozen=True):
    """How far the next tier is: `value` of `threshold`."""

    code: str
    value: int
    threshold: int


class AchievementState(msgspec.Struct, frozen=True):
    """An entry of the catalogue for one learner; `next` is null once every tier is awarded."""

    code: str
    icon: str
    tiers: list[TierState]
    next: Progress | None


class LearnerAchievements(msgspec.Struct, frozen=True):
    """All achievements of the catalogue for one learner."""

    user_id: UUID
    awarded: int
    achievements: list[AchievementState]


def overview(user_id: UUID, catalogue: Catalogue, counters: Counters, held: Iterable[Held]) -> LearnerAchievements:
    """Return the catalogue for one learner. Pure. A revoked tier is neither shown as awarded nor as the next one."""
    awards = {each.code: each for each in held}
    states = [_state(each, counters, awards) for each in catalogue.achievements]
    awarded = sum(tier.awarded_at is not None for state in states for tier in state.tiers)
    return LearnerAchievements(user_id, awarded, states)


def _state(achievement: Achievement, counters: Counters, awards: Mapping[str, Held]) -> AchievementState:
    value = getattr(counters, achievement.counter)
    upcoming = next((tier for tier in achievement.tiers if tier.code not in awards), None)
    return AchievementState(
        code=achievement.code,
        icon=achievement.icon,
        tiers=[_tier(achievement, tier, awards.get(tier.code)) for tier in achievement.tiers],
        next=None if upcoming is None else Progress(upcoming.code, min(value, upcoming.threshold), upcoming.threshold),
    )


def _tier(achievement: Achievement, tier: Tier, held: Held | None) -> TierState:
    texts = {name: achievement.text(name, tier) for name in ("name_id", "name_en", "description_id", "description_en")}
    stands = held is not None and held.revoked_at is None
    return TierState(
        code=tier.code, threshold=tier.threshold, **texts, awarded_at=held.awarded_at if held and stands else None
    )


class AchievementReader:
    """Reads learners' achievements; shared by all requests of a process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._catalogue = load_catalogue()

    async def load(self, user_id: UUID) -> LearnerAchievements | None:
        """Return a learner's achievements; None: there is no such learner.

        Cost: three statements, linear in what one learner has.

        Raises:
            sqlalchemy.exc.DBAPIError, OSError: PostgreSQL did not answer.
        """
        async with self._engine.connect() as connection:
            if (await connection.execute(_EXISTS, {"user_id": user_id})).one_or_none() is None:
                return None
            counters = await _counters(connection, user_id)
            rows = await connection.execute(_AWARDS, {"user_id": user_id})
            held = [Held(row.code, row.awarded_at, row.revoked_at, row.evidence) for row in rows]
        return overview(user_id, self._catalogue, counters, held)


async def _counters(connection: AsyncConnection, user_id: UUID) -> Counters:
    row = (await connection.execute(_COUNTERS, {"user_ids": [user_id]})).one_or_none()
    return NONE if row is None else Counters._make(row[2:])


_EXISTS: Final = as_text("SELECT 1 FROM users WHERE id = %(user_id)s")
_COUNTERS: Final = as_text(load_query("worker.achievements", "learner_counters"))
_AWARDS: Final = as_text(load_query("worker.achievements", "awards_of_learner"))
