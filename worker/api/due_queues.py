"""A learner's due queue."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from worker import clock
from worker.api import problems
from worker.api.documentation import ReadOperation, problem_responses
from worker.api.problems import ProblemError
from worker.srs.due_queue import DueQueue
from worker.srs.due_queue_reader import DueQueueReader


@get(
    "/v1/users/{user_id:uuid}/due-queue",
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
