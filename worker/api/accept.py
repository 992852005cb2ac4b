"""`POST /v1/attempts`, straight on ASGI: read, check, wait for the group's commit, answer 202.

It stands before Litestar's router, which costs as much as everything here (measured: 17 µs, where a request that is
only parsed takes 32 µs); the same code serves the route that documents it.
"""

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from worker import clock, tracing
from worker.api import problems
from worker.api.attempt_bodies import AttemptError, Body, NotJsonError, TooManyAttemptsError, read_body
from worker.api.auth import Authenticator, authenticated
from worker.api.limits import RateLimits
from worker.api.metrics import RequestFigures
from worker.api.problems import ProblemError
from worker.api.request_ids import HEADER as REQUEST_ID
from worker.api.request_ids import request_id_of
from worker.attempts.inbox import ALL_NEW, Inbox, Verdict
from worker.attempts.inbox_rows import lanes_of
from worker.attempts.inbox_store import InboxUnavailableError
from worker.security.principal import BOOTSTRAP, Principal
from worker.settings import Settings

PATH: Final = "/v1/attempts"

Headers = Iterable[tuple[bytes, bytes]]

_CLOSE: Final = {"connection": "close"}
"""For answers to bodies that were not read to their end."""
_JSON: Final = (b"content-type", b"application/json")
_SECURITY: Final = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
"""What matters for answers that are no page: each header costs half a microsecond."""
_json: Final = msgspec.json.Encoder()


class Accepted(msgspec.Struct):
    """Which attempts are committed now, which were known already, and what is wrong with the others."""

    accepted: Sequence[UUID]
    duplicates: Sequence[UUID]
    errors: Sequence[AttemptError]


class ClientGoneError(ConnectionError):
    """The client hung up before it had sent its request."""


class AcceptAttempts:
    """Answers requests that bring attempts."""

    def __init__(
        self,
        inbox: Inbox,
        authenticator: Authenticator,
        rate_limits: RateLimits,
        settings: Settings,
        figures: RequestFigures,
    ) -> None:
        self._inbox = inbox
        self._authenticator = authenticator
        self._rate_limits = rate_limits
        self._figures = figures
        self._accepted = figures.tally("POST", PATH, 202)
        self._max_attempts = settings.attempts_max_batch
        self._max_body_bytes = settings.attempts_max_body_bytes
        self._max_answer_bytes = settings.attempts_max_answer_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as a bare ASGI application."""
        started = perf_counter()
        headers: Headers = scope["headers"]
        request_id = request_id_of(headers)
        tally = self._accepted
        try:
            extra: list[tuple[bytes, bytes]] = [_JSON, (REQUEST_ID, request_id)]
            body = await self.answer(scope, receive, extra)
        except ProblemError as problem:
            tally = self._figures.tally("POST", PATH, problem.kind.status)
            await _send_problem(send, problem, request_id)
        except ClientGoneError:
            return
        except BaseException:
            structlog.contextvars.bind_contextvars(request_id=request_id.decode(), path=PATH)
            tally = self._figures.tally("POST", PATH, 500)
            tally.add(perf_counter() - started)
            await _send_problem(send, problems.internal(request_id.decode()), request_id)
            raise  # into the server's log
        else:
            await _send(send, 202, body, extra)
        tally.add(perf_counter() - started)

    async def answer(self, scope: Scope, receive: Receive, extra: list[tuple[bytes, bytes]]) -> bytes:
        """Store a request's attempts and return the body of the answer 202.

        Args:
            scope: the request's.
            receive: gives its body.
            extra: the answer's headers; what is left of the sender's rate limit is added.

        Raises:
            ProblemError: why nothing was stored, or (503) why it is not known.
            ClientGoneError: there is nobody to answer to.
        """
        authorization, length, content_type, encoding = _headers_of(scope)
        sender = self._authenticator.known(authorization)
        owner = None
        if sender is not BOOTSTRAP:
            owner = await self._admit(sender, authorization, scope, extra)
        if content_type != b"application/json" or encoding:
            check_media_type(content_type, encoding)
        if length and int(length) > self._max_body_bytes:
            raise self._body_too_large()
        message: Any = await receive()
        body = message.get("body", b"")
        if message.get("more_body") or not body:
            body = await self._read(message, receive)
        read = self._parse(body, owner)
        try:
            verdict = await self._inbox.accept(read.attempts, len(body))
        except InboxUnavailableError as error:
            raise problems.unavailable(str(error), error.retry_after_s) from error
        if verdict is ALL_NEW:
            return _json.encode(Accepted([attempt.id for attempt in read.attempts], (), read.errors))
        return _mixed_answer(read, verdict)

    async def _admit(
        self, sender: Principal | None, authorization: bytes | None, scope: Scope, extra: list[tuple[bytes, bytes]]
    ) -> UUID | None:
        """Return whose attempts the sender may send; None: anybody's.

        Raises:
            ProblemError: nobody's, or too many.
        """
        if sender is None:
            client = scope.get("client")
            sender = await authenticated(
                self._authenticator, self._rate_limits, authorization, client[0] if client else ""
            )
        extra += await self._rate_limits.count(sender)
        reach = sender.reach("attempts.send")
        if reach is None:
            raise ProblemError(problems.FORBIDDEN, "it needs the permission attempts.send, which you don't have")
        return sender.user_id if reach == "own" else None

    def _parse(self, body: bytes, owner: UUID | None) -> Body:
        """Return what a body holds, at least one attempt that can be stored.

        Args:
            body: one attempt or a list of them.
            owner: the learner whose attempts alone may be in it; None: anybody's.

        Raises:
            ProblemError: there is none, or the body is too large.
        """
        if len(body) > self._max_body_bytes:
            raise self._body_too_large()
        try:
            read = read_body(
                body,
                received_at=clock.now(),
                max_attempts=self._max_attempts,
                max_answer_bytes=self._max_answer_bytes,
            )
        except NotJsonError as error:
            raise ProblemError(problems.NOT_JSON, f"send one attempt or a list of them as JSON: {error}") from None
        except TooManyAttemptsError as error:
            detail = f"{error.attempts:,} attempts in one request: send at most {self._max_attempts:,} at a time"
            raise ProblemError(problems.TOO_LARGE, detail) from None
        if owner is not None:
            read = _of_owner(read, owner)
        if not read.attempts:
            raise _nothing_acceptable(read.errors)
        if tracing.is_on():
            tracing.mark_lanes(lanes_of(read.attempts))
        return read

    async def _read(self, message: Any, receive: Receive) -> bytes:
        """Return the body that begins with this message, reading little further than its limit."""
        parts: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_body_bytes or not message.get("more_body"):
                return b"".join(parts)
            message = await receive()

    def _body_too_large(self) -> ProblemError:
        detail = f"the body is longer than {self._max_body_bytes:,} bytes: send fewer attempts at a time"
        return ProblemError(problems.TOO_LARGE, detail, headers=_CLOSE)


def _headers_of(scope: Scope) -> tuple[bytes | None, bytes, bytes, bytes]:
    """Return Authorization, Content-Length, Content-Type and Content-Encoding."""
    authorization: bytes | None = None
    length, content_type, encoding = b"", b"", b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
        elif name == b"content-length":
            length = value
        elif name == b"content-type":
            content_type = value
        elif name == b"content-encoding":
            encoding = value
    return authorization, length, content_type, encoding


def _mixed_answer(read: Body, verdict: Verdict) -> bytes:
    """Return the answer to a request of which not everything was new."""
    refused = [
        AttemptError(read.indexes[position], read.attempts[position].id, refusal.field, refusal.message)
        for position, refusal in verdict.refusals.items()
    ]
    errors = sorted([*read.errors, *refused], key=lambda error: error.index)
    duplicates = set(verdict.duplicates)
    accepted = [
        attempt.id
        for position, attempt in enumerate(read.attempts)
        if position not in duplicates and position not in verdict.refusals
    ]
    if not accepted and not duplicates:
        raise _nothing_acceptable(errors)
    return _json.encode(Accepted(accepted, [read.attempts[position].id for position in verdict.duplicates], errors))


def _of_owner(read: Body, owner: UUID) -> Body:
    """Return a body with errors for the attempts that are not the learner's own."""
    foreign = [
        AttemptError(index, attempt.id, "user_id", "must be your own")
        for index, attempt in zip(read.indexes, read.attempts, strict=True)
        if attempt.user_id != owner
    ]
    if not foreign:
        return read
    own = [
        (attempt, index) for attempt, index in zip(read.attempts, read.indexes, strict=True) if attempt.user_id == owner
    ]
    errors = sorted([*read.errors, *foreign], key=lambda error: error.index)
    return Body([attempt for attempt, _ in own], [index for _, index in own], errors)


def _nothing_acceptable(errors: Sequence[AttemptError]) -> ProblemError:
    fields = list(dict.fromkeys(error.field for error in errors if error.field))
    if fields:
        detail = f"not acceptable: {', '.join(fields[:20])} (see errors)"
    else:
        detail = "see errors" if errors else "the list is empty: send at least one attempt"
    return ProblemError(problems.NOTHING_ACCEPTABLE, detail, errors=errors)


def check_media_type(content_type: bytes, encoding: bytes) -> None:
    """Refuse what is declared as something else than JSON in UTF-8; no declaration at all counts as JSON.

    Raises:
        ProblemError: with the remedy.
    """
    kind, _, parameters = content_type.lower().partition(b";")
    charset = parameters.replace(b'"', b"").strip()
    if kind.strip() not in {b"application/json", b""} or charset not in {b"", b"charset=utf-8"}:
        detail = "send the header `Content-Type: application/json` and a body in UTF-8"
        raise ProblemError(problems.UNSUPPORTED_MEDIA_TYPE, detail, headers={"accept": "application/json", **_CLOSE})
    if encoding.strip().lower() not in {b"", b"identity"}:
        detail = "send the body uncompressed, without the header `Content-Encoding`"
        raise ProblemError(problems.UNSUPPORTED_MEDIA_TYPE, detail, headers={"accept-encoding": "identity", **_CLOSE})


async def _send_problem(send: Send, problem: ProblemError, request_id: bytes) -> None:
    body = problems.encode(problem, path=PATH, request_id=request_id.decode())
    headers = [(b"content-type", problems.MEDIA_TYPE.encode()), (REQUEST_ID, request_id)]
    headers += [(name.encode(), value.encode()) for name, value in problem.headers.items()]
    await _send(send, problem.kind.status, body, headers)


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers += _SECURITY
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
