"""The attempts' routes as Litestar knows them: their documentation, and what became of an attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncEngine

from worker.api import accept, problems
from worker.api.accept import AcceptAttempts, Accepted
from worker.api.documentation import EXAMPLE_ATTEMPT, ReadOperation, described, problem_responses, response
from worker.api.permissions import is_hidden, principal_of
from worker.api.problems import ProblemError
from worker.attempts.inbox_rows import NewAttempt
from worker.db.queries import load_query
from worker.db.statements import as_text

AttemptState = Literal["received", "graded", "rejected"]


class AttemptStatus(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What became of an attempt; fields that don't apply to its state are left out."""

    id: UUID
    state: AttemptState
    user_id: UUID
    question_id: UUID | None
    attempted_at: datetime | None
    received_at: datetime
    lesson_id: UUID | None = None
    tryout_session_id: UUID | None = None
    graded_at: datetime | None = None
    is_correct: bool | None = None
    score: Annotated[float, described("credit from 0 to 1")] | None = None
    rejected_at: datetime | None = None
    reason: Annotated[str, described("a code such as unknown_question or malformed_answer")] | None = None
    detail: str | None = None


_EXAMPLE_ANSWER: Final = {
    "accepted": [EXAMPLE_ATTEMPT["id"]],
    "duplicates": [],
    "errors": [
        {
            "index": 1,
            "id": "019aaf0c-2c3d-7e4f-8a5b-6c7d8e9f0a1b",
            "field": "attempted_at",
            "message": "must be an instant with its offset (RFC 3339), such as 2026-11-23T08:15:30+07:00",
        }
    ],
}


@dataclass
class _AcceptOperation(Operation):
    """Describes the body, which the route reads for itself."""

    def __post_init__(self) -> None:
        attempt = msgspec.json.schema_components([NewAttempt])[1]["NewAttempt"]
        attempts = {"type": "array", "items": attempt, "minItems": 1}
        media_type = OpenAPIMediaType(
            schema={"oneOf": [attempt, attempts]},  # type: ignore[arg-type]  # a plain schema passes through
            examples={
                "one": Example(summary="One attempt", value=EXAMPLE_ATTEMPT),
                "list": Example(summary="A list of attempts", value=[EXAMPLE_ATTEMPT]),
            },
        )
        self.request_body = RequestBody(content={"application/json": media_type}, required=True)


@post(
    accept.PATH,
    status_code=202,
    operation_class=_AcceptOperation,
    permission="attempts.send",
    checks_owner=True,
    operation_id="acceptAttempts",
    tags=["attempts"],
    summary="Send attempts",
    description=(
        "Takes one attempt or a list of them. The answer comes after COMMIT: what it calls accepted survives any "
        "crash. The same id sent again is a duplicate and counts once, so whatever got no answer may be sent again. "
        "Items with errors don't stop the others; 422 means that nothing of the request could be accepted."
    ),
    responses={
        202: response(Accepted, "Committed, known already, or wrong, item by item", example=_EXAMPLE_ANSWER),
        **problem_responses(400, 401, 413, 415, 422, 503),
    },
)
async def accept_attempts(
    request: Request[Any, Any, Any], acceptor: NamedDependency[AcceptAttempts]
) -> Response[Accepted]:
    """Answer requests that reach the router by another spelling of the path; see `worker.api.accept`."""
    extra: list[tuple[bytes, bytes]] = []
    body: Any = await acceptor.answer(request.scope, request.receive, extra)
    headers = {name.decode(): value.decode() for name, value in extra}
    return Response(body, status_code=202, media_type="application/json", headers=headers)


@get(
    accept.PATH + "/{attempt_id:uuid}",
    permission="attempts.read",
    checks_owner=True,
    operation_id="getAttempt",
    tags=["attempts"],
    summary="What became of an attempt",
    description="Received (waiting to be graded), graded with its result, or rejected with the reason.",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def attempt_status(
    request: Request[Any, Any, Any], attempt_id: FromPath[UUID], engine: NamedDependency[AsyncEngine]
) -> AttemptStatus:
    """Tell what is known of an attempt; one statement of three index look-ups.

    Raises:
        ProblemError: it is unknown, or another learner's.
    """
    async with engine.connect() as connection:
        row = (await connection.execute(_STATUS, {"id": attempt_id})).one_or_none()
    if row is None or is_hidden(principal_of(request), "attempts.read", row.user_id):
        detail = "no attempt with this id was accepted here: send it (again)"
        raise ProblemError(problems.UNKNOWN_ATTEMPT, detail)
    return msgspec.convert({"id": attempt_id, **row._asdict()}, AttemptStatus)


_STATUS: Final = as_text(load_query("worker.attempts", "attempt_status"))
