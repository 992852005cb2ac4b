"""A learner's due queue: the ids in their order, and each card with its content and why it is there."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api import problems
from worker.api.documentation import ReadOperation, described, problem_responses
from worker.api.learners import known_learner
from worker.api.problems import ProblemError
from worker.srs import learner_store
from worker.srs.due_queue import DueQueue
from worker.srs.due_queue_reader import DueQueueReader
from worker.srs.queue_view import QueuedCard, view

CARDS_MAX: Final = 1_000
CARDS_USUAL: Final = 200
PLACE_MAX: Final = 1_000_000


class QueueCards(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a queue, each card with its content's ids and its reasons."""

    user_id: UUID
    local_date: dt.date
    built_at: dt.datetime
    learning: Annotated[int, described("in the whole queue, as it was built; so the next three")]
    review: int
    new: int
    overdue_total: Annotated[int, described("learning and review cards due, before the learner's limit")]
    cards: list[QueuedCard]
    next_after: Annotated[int | None, described("`after` for the rest of the queue; null: this was the end")]


@get(
    "/v1/users/{user_id:uuid}/due-queue",
    permission="study.read",
    operation_id="getDueQueue",
    tags=["spaced repetition"],
    summary="A learner's queue for a local day",
    description=(
        "The cards to show, in order: learning cards first, then reviews by how overdue they are, then new ones. "
        "Built within 15 minutes after the learner's day began."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
)
async def due_queue(
    user_id: FromPath[UUID],
    reader: NamedDependency[DueQueueReader],
    date: Annotated[
        dt.date | None,
        QueryParameter(description="The learner's local day; the present one when left out"),
    ] = None,
) -> DueQueue:
    """Return a learner's queue, from the cache or from PostgreSQL.

    Raises:
        ProblemError: there is none.
    """
    queue = await reader.load_due_queue(user_id, date, clock.now())
    if queue is None:
        detail = "no such learner, or the day's queue is not built: it is within 15 minutes after the day began"
        raise ProblemError(problems.UNKNOWN_DUE_QUEUE, detail)
    return queue


@get(
    "/v1/users/{user_id:uuid}/due-queue/cards",
    permission="study.read",
    operation_id="getDueQueueCards",
    tags=["spaced repetition"],
    summary="The cards of a learner's queue, with what they ask and why",
    description=(
        "The queue as it was built, each card as it is now: its item, the lessons that hold it, and why it is in the "
        "queue (`learning`, `due` since when, `overdue` by how many of its intervals, `new`). What was answered, "
        "suspended, buried or removed since keeps its place and says so in `left_by`."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
)
async def due_queue_cards(
    user_id: FromPath[UUID],
    engine: NamedDependency[AsyncEngine],
    date: Annotated[
        dt.date | None,
        QueryParameter(description="The learner's local day; the present one when left out"),
    ] = None,
    after: Annotated[int, QueryParameter(description="places to skip", ge=0, le=PLACE_MAX)] = 0,
    limit: Annotated[int, QueryParameter(description="how many", ge=1, le=CARDS_MAX)] = CARDS_USUAL,
) -> QueueCards:
    """Return cards of a queue, from PostgreSQL: three index look-ups and two for each card.

    Raises:
        ProblemError: the learner is unknown, or the day's queue was not built.
    """
    async with engine.connect() as connection:
        rules = await known_learner(connection, user_id)
        on = date or rules.local_day(clock.now())
        header = await learner_store.queue_header(connection, user_id, on)
        if header is None:
            detail = "the day's queue is not built: it is within 15 minutes after the day began"
            raise ProblemError(problems.UNKNOWN_DUE_QUEUE, detail)
        cards = await learner_store.queue_cards(connection, user_id, on, after=after, limit=limit)
    size = header.learning + header.review + header.new
    return QueueCards(
        user_id=user_id,
        local_date=on,
        built_at=header.built_at,
        learning=header.learning,
        review=header.review,
        new=header.new,
        overdue_total=header.overdue_total,
        cards=[view(card, local_date=on, built_at=header.built_at) for card in cards],
        next_after=after + limit if after + limit < size else None,
    )
