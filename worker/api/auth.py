"""Who sends a request: the settings' token, an API token or a session, found once and remembered for seconds."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api.limits import RateLimits
from worker.api.problems import UNAUTHORIZED, ProblemError, unavailable
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.errors import ConfigurationError
from worker.logging import get_logger
from worker.security.principal import BOOTSTRAP, Principal, of_role, of_token
from worker.security.sessions import Sessions
from worker.security.token_store import PACKAGE
from worker.security.tokens import digest, kind_of
from worker.settings import Settings

OPEN: Final = "open"
"""Routes and routers with this in their `opt` need no token."""

REMEMBERED_MAX: Final = 10_000
"""Tokens that a process remembers; the one looked up longest ago goes first."""
STALE_S: Final = 900
"""How long a session found before still counts while Redis is away."""
_FLUSH_S: Final = 30.0
_SCHEME: Final = b"bearer "

_log = get_logger(__name__)


class Remembered:
    """What was found for an Authorization header."""

    __slots__ = ("found_at", "principal", "token_id", "used")

    def __init__(self, principal: Principal, token_id: UUID | None) -> None:
        self.principal = principal
        self.token_id = token_id
        self.found_at = monotonic()
        self.used = True


class Authenticator:
    """Tells who sends a request by its Authorization header."""

    def __init__(self, settings: Settings, engine: AsyncEngine, sessions: Sessions | None) -> None:
        """Take the token from the settings.

        Raises:
            ConfigurationError: there is none.
        """
        token = settings.api_token.get_secret_value() if settings.api_token else ""
        if not token.strip():
            raise ConfigurationError(
                "ELP_API_TOKEN is not set: choose a long random token; the API has no open default"
            )
        self._token = token.encode()
        self._usual = b"Bearer " + self._token
        self._engine = engine
        self._sessions = sessions
        self._fresh_s = settings.auth_cache_s
        self._remembered: OrderedDict[bytes, Remembered] = OrderedDict()

    def known(self, authorization: bytes | None) -> Principal | None:
        """Return who sends this header, if that needs no look-up: a fraction of a microsecond."""
        if authorization is None:
            return None
        if hmac.compare_digest(authorization, self._usual):
            return BOOTSTRAP
        remembered = self._remembered.get(authorization)
        if remembered is None or monotonic() - remembered.found_at >= self._fresh_s:
            return None
        remembered.used = True
        return remembered.principal

    async def authenticate(self, authorization: bytes | None) -> Principal:
        """Return who sends this header.

        Raises:
            ProblemError: 401, the header is missing or names nobody; 503, that can't be told now.
        """
        principal = self.known(authorization)
        if principal is not None:
            return principal
        if authorization is None:
            raise _refused('Bearer realm="elp"', "send the header `Authorization: Bearer <token>`")
        scheme, token = authorization[: len(_SCHEME)].lower(), authorization[len(_SCHEME) :].strip()
        if scheme != _SCHEME:
            raise _wrong()
        if hmac.compare_digest(token, self._token):
            return BOOTSTRAP
        text = token.decode("latin-1")
        kind = kind_of(text)  # what nobody can have costs no look-up
        if kind is None:
            raise _wrong()
        found = await (self._of_api_token(text) if kind == "elp" else self._of_session(authorization, text))
        if found is None:
            self._remembered.pop(authorization, None)
            raise _wrong()
        self._remembered[authorization] = found
        self._remembered.move_to_end(authorization)
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return found.principal

    def forget(self) -> None:
        """Look everything up anew: something was revoked by this process."""
        self._remembered.clear()

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Record in batches when API tokens were last used, while the block runs and once at its end."""

        async def record_for_ever() -> None:
            while True:
                await asyncio.sleep(_FLUSH_S)
                await self.record_uses()

        recorder = asyncio.create_task(record_for_ever(), name="token uses")
        try:
            yield
        finally:
            recorder.cancel()
            with suppress(asyncio.CancelledError):
                await recorder
            await self.record_uses()

    async def record_uses(self) -> None:
        """Write when the API tokens used since the last time were used; the database being away only delays it."""
        used = [each for each in self._remembered.values() if each.used and each.token_id is not None]
        if not used:
            return
        try:
            async with self._engine.begin() as connection:
                await connection.execute(_USED, {"ids": [each.token_id for each in used], "now": clock.now()})
        except (SQLAlchemyError, OSError) as error:
            _log.warning("token_uses_not_recorded", error=type(error).__name__)
            return
        for each in used:
            each.used = False

    async def _of_api_token(self, text: str) -> Remembered | None:
        values = {"digest": digest(text), "now": clock.now()}
        try:
            async with self._engine.connect() as connection:
                row = (await connection.execute(_BY_HASH, values)).one_or_none()
        except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
            _log.warning("token_not_looked_up", error=type(error).__name__)
            raise unavailable("the database does not answer: try again") from None
        if row is None:
            return None
        return Remembered(of_token(row.id, row.scopes, row.user_id, row.role), row.id)

    async def _of_session(self, authorization: bytes, text: str) -> Remembered | None:
        if self._sessions is None:
            return None
        try:
            session = await self._sessions.use(text, clock.now())
        except (RedisError, OSError):
            earlier = self._remembered.get(authorization)
            if earlier is not None and monotonic() - earlier.found_at < STALE_S:
                return earlier
            raise unavailable("sessions can't be looked up now: try again, you are still logged in") from None
        if session is None:
            return None
        return Remembered(of_role(session.role, session.user_id, session_id=session.id), None)


async def authenticated(
    authenticator: Authenticator, rate_limits: RateLimits, authorization: bytes | None, address: str
) -> Principal:
    """Return who sends a header; who names nobody is counted by their address.

    Raises:
        ProblemError: 401, 429 or 503.
    """
    try:
        return await authenticator.authenticate(authorization)
    except ProblemError as problem:
        if problem.kind is UNAUTHORIZED:
            await rate_limits.count_nobody(address)
        raise


def _refused(challenge: str, detail: str) -> ProblemError:
    return ProblemError(UNAUTHORIZED, detail, headers={"www-authenticate": challenge})


def _wrong() -> ProblemError:
    detail = "the token is none of the API's, or it expired or was revoked: log in again"
    return _refused('Bearer realm="elp", error="invalid_token"', detail)


_BY_HASH: Final = as_text(load_query(PACKAGE, "token_by_hash"))
_USED: Final = as_text(load_query(PACKAGE, "tokens_used"))
