"""Speaks SQL for what the API tells of one learner: queue, forecast, cards, statistics."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR
from worker.srs.forecast import Due
from worker.srs.learner import RULE_DEFAULTS, LearnerRules
from worker.srs.queue_view import StoredCard
from worker.srs.study import StudyDay

_query = partial(load_query, "worker.srs")


class QueueHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a stored queue says about itself; see `due_queue.DueQueue`."""

    learning: int
    review: int
    new: int
    overdue_total: int
    built_at: datetime


class CardCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A learner's cards by where they stand: new to suspended add up to the total, the others are counted besides."""

    total: int
    new: int
    learning: int
    relearning: int
    young: Annotated[int, Meta(description="in review with an interval below 21 days")]
    mature: Annotated[int, Meta(description="in review with an interval of 21 days or more")]
    suspended: int
    buried: Annotated[int, Meta(description="put off to a later day")]
    leeches: Annotated[int, Meta(description="forgotten again and again; suspended unless taken back")]
    due: Annotated[int, Meta(description="to be reviewed up to today")]


async def learner_rules(connection: AsyncConnection, user_id: UUID) -> LearnerRules | None:
    """Return how a learner's cards are scheduled; None: the learner is unknown."""
    row = (await connection.execute(_text("learner_rules"), {**RULE_DEFAULTS, "user_id": user_id})).one_or_none()
    return None if row is None else msgspec.convert(row._asdict(), LearnerRules)


async def queue_header(connection: AsyncConnection, user_id: UUID, on: date) -> QueueHeader | None:
    """Return what a learner's queue for a local day says about itself; None: it was not built."""
    values = {"user_id": user_id, "local_date": on}
    row = (await connection.execute(_text("queue_header"), values)).one_or_none()
    return None if row is None else msgspec.convert(row._asdict(), QueueHeader)


async def queue_cards(
    connection: AsyncConnection, user_id: UUID, on: date, *, after: int, limit: int
) -> list[StoredCard]:
    """Return the cards of a learner's queue after place `after`, in its order."""
    values = {"user_id": user_id, "local_date": on, "after": after, "limit": limit}
    rows = await connection.execute(_text("queue_cards"), values)
    return [msgspec.convert(row._asdict(), StoredCard) for row in rows]


async def due_forecast(
    connection: AsyncConnection, user_id: UUID, *, today: date, days: int
) -> tuple[dict[date, Due], int]:
    """Return how many cards are due on each of the coming days, the overdue ones today, and how many are new."""
    values = {"user_ids": [user_id], "today": today, "last_on": today + timedelta(days - 1)}
    rows = (await connection.execute(_text("due_forecast"), values)).all()
    new_cards = sum(due for on, due, _ in rows if on is None)
    return {on: Due(due, overdue) for on, due, overdue in rows if on is not None}, new_cards


async def study_days(connection: AsyncConnection, user_id: UUID) -> list[StudyDay]:
    """Return all of a learner's days of study, the earliest first."""
    values = {"user_ids": [user_id], "since": None, "day_start_hour": DEFAULT_DAY_START_HOUR}
    return [StudyDay(*row) for row in await connection.execute(_text("study_days"), values)]


async def card_counts(connection: AsyncConnection, user_id: UUID, today: date) -> CardCounts:
    """Return how many of a learner's cards stand where."""
    row = (await connection.execute(_text("card_counts"), {"user_ids": [user_id], "today": today})).one()
    return msgspec.convert(row._asdict(), CardCounts)


def _text(name: str) -> Any:
    return as_text(_query(name))
