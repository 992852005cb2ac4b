"""The feed of app events."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from worker.api import problems
from worker.api.documentation import ReadOperation, problem_responses
from worker.api.problems import FieldError, ProblemError
from worker.db.cursors import CursorError
from worker.events.event import Page, parse_cursor
from worker.events.feed import EventFeed


@get(
    "/v1/events",
    permission="events.read",
    operation_id="getEvents",
    tags=["events"],
    summary="What happened since",
    description=(
        "Events in the order of the feed, each exactly once for a reader who sends `next` of one answer as `after` of "
        "the next. An event of a transaction that commits late is never skipped. With `wait` the answer comes as soon "
        "as there is an event, or empty after that many seconds."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 422, 503),
)
async def events(
    feed: NamedDependency[EventFeed],
    after: Annotated[
        str | None, QueryParameter(description="`next` of the answer before; the oldest kept events when left out")
    ] = None,
    kind: Annotated[
        list[str] | None, QueryParameter(description="Only events of these kinds; may be given several times")
    ] = None,
    limit: Annotated[int, QueryParameter(description="At most so many events", ge=1, le=1_000)] = 100,
    wait: Annotated[float, QueryParameter(description="Seconds to wait for the first event", ge=0, le=25)] = 0,
) -> Page:
    """Return the next events.

    Raises:
        ProblemError: the cursor is not one of this feed's.
    """
    try:
        position = None if after is None else parse_cursor(after)
    except CursorError as error:
        errors = [FieldError("after", str(error))]
        raise ProblemError(problems.INVALID_PARAMETERS, "not valid: after", errors=errors) from None
    return await feed.read(position, kind, limit=limit, wait_s=wait)
