"""Logging in and out, one's sessions, one's password."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Operation
from litestar.params import FromPath
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api.auth import OPEN, Authenticator
from worker.api.bodies import documented, invalid, read_body
from worker.api.documentation import ReadOperation, described, problem_responses, response
from worker.api.limits import RateLimits
from worker.api.permissions import other_than, principal_of
from worker.api.problems import (
    FORBIDDEN,
    NOT_FOUND,
    WRONG_CREDENTIALS,
    FieldError,
    ProblemError,
    unavailable,
)
from worker.audit import AuditEntry, record_async
from worker.logging import get_logger
from worker.models.users import Role
from worker.security.accounts import Accounts
from worker.security.passwords import UnfitPasswordError
from worker.security.sessions import Session, Sessions

TAGS: Final = ["sessions"]
_PASSWORD_MAX: Final = 1_024
"""Characters that are looked at; bcrypt's own 72 bytes are refused with the reason."""

_log = get_logger(__name__)

Password = Annotated[str, msgspec.Meta(max_length=_PASSWORD_MAX)]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to log in."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    password: Password


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session just begun."""

    token: Annotated[str, described("for the header `Authorization: Bearer …`; shown this once")]
    session_id: str
    user_id: UUID
    role: Role
    expires_at: Annotated[datetime, described("its end, however much it is used")]


class OwnSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session of an account."""

    id: str
    created_at: datetime
    expires_at: datetime
    agent: Annotated[str, described("what the client called itself when it logged in")]
    is_this: Annotated[bool, described("whether this request came with it")]


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True):
    """A new password, by who knows the present one."""

    present: Password
    replacement: Annotated[Password, described("8 characters or more, 72 bytes or fewer")]


class Revoked(msgspec.Struct, frozen=True):
    """How many sessions ended."""

    sessions: int


@dataclass
class _LoginOperation(Operation):
    """Describes the body, which the route reads for itself."""

    def __post_init__(self) -> None:
        self.request_body = documented(Login, {"A learner": {"email": "siti@example.org", "password": "…"}})


@dataclass
class _PasswordOperation(Operation):
    """Describes the body, which the route reads for itself."""

    def __post_init__(self) -> None:
        self.request_body = documented(PasswordChange, {"Change": {"present": "…", "replacement": "…"}})


@asynccontextmanager
async def _redis() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError):
        raise unavailable("sessions can't be reached now: try again") from None


@post(
    "/v1/sessions",
    status_code=201,
    operation_class=_LoginOperation,
    operation_id="login",
    tags=TAGS,
    summary="Log in",
    description=(
        "Begins a session. It ends when it was not used for some days, at its `expires_at`, or when it is revoked. The "
        "answer to a wrong password and to an unknown address is the same, and takes as long; both are throttled."
    ),
    responses={
        201: response(LoggedIn, "The session"),
        **problem_responses(400, 401, 413, 415, 422, 429, 503),
    },
    security=[{}],
    opt={OPEN: True},
)
async def login(
    request: Request[Any, Any, Any],
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions | None],
    rate_limits: NamedDependency[RateLimits],
) -> LoggedIn:
    """Begin a session.

    Raises:
        ProblemError: 401 whatever is wrong; 429; 503 without Redis.
    """
    asked = await read_body(request, Login)
    if "\0" in asked.email or not _is_storable(asked.email):
        raise invalid([FieldError("email", "holds a character that can't be part of an address")])
    await rate_limits.for_login(asked.email, request.client.host if request.client else "")
    if sessions is None:
        raise unavailable("logging in needs Redis, which is not configured")
    try:
        account = await accounts.check(asked.email, asked.password)
    except UnfitPasswordError as error:
        raise invalid([FieldError("password", error.reason)]) from None
    if account is None:
        _log.info("login_refused")
        raise _wrong()
    async with _redis():
        begun = await sessions.begin(account.user_id, account.role, clock.now(), request.headers.get("user-agent", ""))
    await rate_limits.logged_in(asked.email)
    _log.info("logged_in", user_id=str(account.user_id), session=begun.session.id)
    return LoggedIn(
        token=begun.token,
        session_id=begun.session.id,
        user_id=account.user_id,
        role=account.role,
        expires_at=begun.session.expires_at,
    )


@delete(
    "/v1/sessions",
    status_code=204,
    permission="sessions.manage",
    checks_owner=True,
    operation_id="logout",
    tags=TAGS,
    summary="Log out",
    description="Ends the session that the request comes with.",
    operation_class=ReadOperation,
    responses=problem_responses(401, 503),
)
async def logout(
    request: Request[Any, Any, Any],
    sessions: NamedDependency[Sessions | None],
    authenticator: NamedDependency[Authenticator],
) -> None:
    """End this session.

    Raises:
        ProblemError: 403, the request came with an API token.
    """
    principal = principal_of(request)
    if principal.session_id is None or principal.user_id is None or sessions is None:
        raise ProblemError(FORBIDDEN, "this request came with an API token, which is no session")
    async with _redis():
        await sessions.revoke(principal.user_id, principal.session_id)
    authenticator.forget()


@get(
    "/v1/users/{user_id:uuid}/sessions",
    permission="sessions.manage",
    operation_id="listSessions",
    tags=TAGS,
    summary="An account's sessions",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def list_sessions(
    request: Request[Any, Any, Any], user_id: FromPath[UUID], sessions: NamedDependency[Sessions | None]
) -> list[OwnSession]:
    """Return an account's sessions, the newest first."""
    if sessions is None:
        return []
    async with _redis():
        found: Sequence[Session] = await sessions.list(user_id, clock.now())
    this = principal_of(request).session_id
    return [
        OwnSession(
            id=each.id,
            created_at=each.created_at,
            expires_at=each.expires_at,
            agent=each.agent,
            is_this=each.id == this,
        )
        for each in found
    ]


@delete(
    "/v1/users/{user_id:uuid}/sessions",
    status_code=200,
    permission="sessions.manage",
    operation_id="revokeSessions",
    tags=TAGS,
    summary="End all of an account's sessions",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def revoke_sessions(
    request: Request[Any, Any, Any],
    user_id: FromPath[UUID],
    engine: NamedDependency[AsyncEngine],
    sessions: NamedDependency[Sessions | None],
    authenticator: NamedDependency[Authenticator],
) -> Revoked:
    """End all sessions; other API processes let them pass for seconds still."""
    revoked = await _revoke(sessions, authenticator, user_id)
    await _note(request, engine, user_id, revoked)
    return revoked


@delete(
    "/v1/users/{user_id:uuid}/sessions/{session_id:str}",
    status_code=200,
    permission="sessions.manage",
    operation_id="revokeSession",
    tags=TAGS,
    summary="End one of an account's sessions",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def revoke_session(
    request: Request[Any, Any, Any],
    user_id: FromPath[UUID],
    session_id: FromPath[str],
    engine: NamedDependency[AsyncEngine],
    sessions: NamedDependency[Sessions | None],
    authenticator: NamedDependency[Authenticator],
) -> Revoked:
    """End a session.

    Raises:
        ProblemError: 404, the account has no such session.
    """
    revoked = await _revoke(sessions, authenticator, user_id, session_id)
    if not revoked.sessions:
        raise ProblemError(NOT_FOUND, "the account has no session of this id any more")
    await _note(request, engine, user_id, revoked)
    return revoked


@put(
    "/v1/users/{user_id:uuid}/password",
    status_code=200,
    permission="account.write",
    operation_class=_PasswordOperation,
    operation_id="changePassword",
    tags=TAGS,
    summary="Change an account's password",
    description="Needs the present one, and ends all sessions.",
    responses={
        200: response(Revoked, "How many sessions ended"),
        **problem_responses(400, 401, 413, 415, 422, 429, 503),
    },
)
async def change_password(
    request: Request[Any, Any, Any],
    user_id: FromPath[UUID],
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions | None],
    rate_limits: NamedDependency[RateLimits],
    authenticator: NamedDependency[Authenticator],
) -> Revoked:
    """Change a password.

    Raises:
        ProblemError: 401, the present one is another; 422, the new one can't be taken.
    """
    asked = await read_body(request, PasswordChange)
    await rate_limits.for_login(str(user_id), request.client.host if request.client else "")
    try:
        if not await accounts.change_password(user_id, asked.present, asked.replacement):
            raise _wrong()
    except UnfitPasswordError as error:
        raise invalid([FieldError("replacement", error.reason)]) from None
    return await _revoke(sessions, authenticator, user_id)


async def _revoke(
    sessions: Sessions | None, authenticator: Authenticator, user_id: UUID, session_id: str | None = None
) -> Revoked:
    if sessions is None:
        return Revoked(0)
    async with _redis():
        ended = await sessions.revoke(user_id, session_id)
    authenticator.forget()
    return Revoked(ended)


async def _note(request: Request[Any, Any, Any], engine: AsyncEngine, user_id: UUID, revoked: Revoked) -> None:
    """Record that somebody else ended sessions; after the fact, for they end also while PostgreSQL is away.

    Then the log alone tells of it: they have ended, and an error would have it tried again, with nothing left to end.
    """
    actor = other_than(request, user_id)
    if not revoked.sessions or actor is None:
        return
    entry = AuditEntry(actor, "sessions.revoked", "user", str(user_id), {}, {"sessions": revoked.sessions})
    try:
        async with engine.begin() as connection:
            await record_async(connection, [entry], clock.now())
    except (SQLAlchemyError, OSError) as error:
        _log.error(
            "sessions_revoked_unrecorded",
            actor=actor,
            user_id=str(user_id),
            sessions=revoked.sessions,
            reason=type(error).__name__,
        )


def _wrong() -> ProblemError:
    headers = {"www-authenticate": 'Bearer realm="elp"'}
    return ProblemError(WRONG_CREDENTIALS, "the e-mail address or the password is wrong", headers=headers)


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


SESSION_ROUTES: Final[Sequence[Any]] = [
    login,
    logout,
    list_sessions,
    revoke_sessions,
    revoke_session,
    change_password,
]
