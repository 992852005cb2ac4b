"""Errors as clients see them: RFC 9457 problem details, never anything internal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from worker.errors import ElpError
from worker.logging import get_logger

_log = get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:elp:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: what a program may rely on."""

    status: int
    slug: str
    title: str


UNAUTHORIZED: Final = Kind(401, "unauthorized", "A valid bearer token is required")
WRONG_CREDENTIALS: Final = Kind(401, "wrong-credentials", "E-mail and password don't belong together")
FORBIDDEN: Final = Kind(403, "forbidden", "You may not do this")
TOO_MANY_REQUESTS: Final = Kind(429, "too-many-requests", "Too many requests")
NOT_JSON: Final = Kind(400, "not-json", "The body is not JSON")
TOO_LARGE: Final = Kind(413, "too-large", "The request is too large")
UNSUPPORTED_MEDIA_TYPE: Final = Kind(415, "unsupported-media-type", "The body must be plain JSON")
NOTHING_ACCEPTABLE: Final = Kind(422, "nothing-acceptable", "No attempt of this request can be accepted")
NO_ACCEPTABLE_EVENT: Final = Kind(422, "no-acceptable-event", "No event of this request can be accepted")
INVALID_PARAMETERS: Final = Kind(422, "invalid-parameters", "A parameter is not valid")
UNKNOWN_ATTEMPT: Final = Kind(404, "unknown-attempt", "No such attempt")
UNKNOWN_LEARNER: Final = Kind(404, "unknown-learner", "No such learner")
UNKNOWN_CARD: Final = Kind(404, "unknown-card", "No such card")
UNKNOWN_DUE_QUEUE: Final = Kind(404, "unknown-due-queue", "No due queue was built for this learner and day")
UNKNOWN_JOB: Final = Kind(404, "unknown-job", "No such job")
UNKNOWN_RUN: Final = Kind(404, "unknown-run", "No such run or shard")
WRONG_STATE: Final = Kind(409, "wrong-state", "It is not in a state in which this can be done")
NOT_FOUND: Final = Kind(404, "not-found", "Not found")
UNAVAILABLE: Final = Kind(503, "unavailable", "The service can't do this now")
INTERNAL: Final = Kind(500, "internal", "Something went wrong on our side")


class ProblemError(ElpError):
    """A request that can't be answered as asked, with all that its client is told.

    Attributes:
        kind: what a program may rely on.
        detail: what happened and the remedy, for people.
        headers: to be sent along.
        errors: what is wrong where, for kinds that list it.
    """

    def __init__(
        self, kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, errors: Sequence[Any] = ()
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors


class UnknownRouteError(ProblemError):
    """There is nothing at this address."""

    def __init__(self) -> None:
        super().__init__(NOT_FOUND, "there is nothing at this address: see /docs for what there is")


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one parameter of a request."""

    field: str
    message: str


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details; `type` identifies the kind, `request_id` finds the request in the logs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: Sequence[Any] = ()


def unavailable(detail: str, retry_after_s: int = 1) -> ProblemError:
    """Return the problem of something that works again later."""
    return ProblemError(UNAVAILABLE, detail, headers={"retry-after": str(retry_after_s)})


def encode(problem: ProblemError, *, path: str, request_id: str) -> bytes:
    """Return a problem's body."""
    kind = problem.kind
    details = ProblemDetails(
        type=TYPE_PREFIX + kind.slug,
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        instance=path,
        request_id=request_id,
        errors=problem.errors,
    )
    return msgspec.json.encode(details)


def from_http_exception(error: HTTPException) -> ProblemError:
    """Return what Litestar found wrong (no such route, method not allowed, parameter not valid …) as a problem."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if isinstance(error, ValidationException):
        extra = error.extra if isinstance(error.extra, list) else []
        errors = [
            FieldError(str(item.get("key", "")), str(item.get("message", "")))
            for item in extra
            if isinstance(item, dict)
        ]
        names = ", ".join(item.field for item in errors if item.field) or "a parameter"
        return ProblemError(INVALID_PARAMETERS, f"not valid: {names}", headers=headers, errors=errors)
    status = HTTPStatus(error.status_code)
    kind = Kind(status.value, status.phrase.lower().replace(" ", "-"), status.phrase)
    return ProblemError(kind, _DETAILS.get(status.value, status.description or status.phrase), headers=headers)


_DETAILS: Final = {
    400: "the body is not JSON: send a JSON object in UTF-8",
    413: "the body is longer than this address takes",
    404: "there is nothing at this address: see /docs for what there is",
    405: "this address knows other methods: see the header Allow",
}


def _respond(request: Request[Any, Any, Any], problem: ProblemError) -> Response[bytes]:
    return Response(
        encode(problem, path=request.scope["path"], request_id=request.state.request_id),
        status_code=problem.kind.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def handle_problem(request: Request[Any, Any, Any], error: ProblemError) -> Response[bytes]:
    """Answer with a problem that was raised on purpose."""
    return _respond(request, error)


def handle_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer with a problem that Litestar found."""
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return handle_unexpected(request, error)
    return _respond(request, from_http_exception(error))


def handle_database_away(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer with 503: the database did not do what was asked, now."""
    _log.warning("database_away", path=request.scope["path"], error=f"{type(error).__name__}: {error}".splitlines()[0])
    return _respond(request, unavailable("the database does not answer: try again"))


def handle_not_json(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer with 400: the body is no UTF-8, or nested deeper than anybody needs."""
    del error
    return _respond(request, ProblemError(NOT_JSON, _DETAILS[400]))


def handle_unfit_value(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer with 422: a value that PostgreSQL can't take, such as the character U+0000 in a text."""
    _log.info("value_refused", path=request.scope["path"], error=type(error).__name__)
    return _respond(request, ProblemError(INVALID_PARAMETERS, "a value holds what can't be stored or compared"))


def handle_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer with 500 and keep what happened for the log."""
    _log.error("request_failed", path=request.scope["path"], method=request.method, exc_info=error)
    return _respond(request, internal(request.state.request_id))


def internal(request_id: str) -> ProblemError:
    """Return the problem of an error that is ours."""
    return ProblemError(INTERNAL, f"try again later; if it stays, report request {request_id}")
