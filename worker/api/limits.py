"""Rate limits, counted in Redis by the library `limits` over a sliding window.

While Redis is away requests pass, since refusing attempts would cost learners their work; logins don't, since guessing
passwords would be free (`for_login`).
"""

import hashlib
import time
from typing import Any, Final

import limits
import redis.asyncio
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from worker.api.problems import TOO_MANY_REQUESTS, ProblemError, unavailable
from worker.logging import get_logger
from worker.security.principal import BOOTSTRAP, Principal
from worker.settings import Settings

Headers = list[tuple[bytes, bytes]]

POLICY: Final = "ratelimit-policy"
LIMIT: Final = "ratelimit"
"""The fields of the IETF's draft "RateLimit header fields for HTTP"."""
TIMEOUT_S: Final = 2.0
"""A busy Redis is not one that is away: a session or a count has no other source, as cached queues have."""
_PREFIX: Final = "elp:limits"
_PAUSE_S: Final = 1.0
"""While Redis is away, one request in this time asks it again; the others don't wait."""

_log = get_logger(__name__)


class Limit:
    """One limit and what it is called."""

    def __init__(self, name: str, text: str) -> None:
        """Read a limit as the settings write it."""
        self.name = name
        self.item = None if text == "none" else limits.parse(text)
        self.policy = "" if self.item is None else f'"{name}";q={self.item.amount};w={self.item.get_expiry()}'


class RateLimits:
    """Counts requests; without Redis it counts nothing."""

    def __init__(self, settings: Settings) -> None:
        """Take the limits of the settings; connects when first used."""
        self._learner = Limit("learner", settings.rate_limit_learner)
        self._token = Limit("token", settings.rate_limit_token)
        self._address = Limit("address", settings.rate_limit_address)
        self._login_account = Limit("login-account", settings.login_limit_account)
        self._login_address = Limit("login-address", settings.login_limit_address)
        self._limiter: SlidingWindowCounterRateLimiter | None = None
        self._pool: redis.asyncio.ConnectionPool | None = None
        self._away_until = 0.0
        if settings.redis_url is not None:
            self._pool = redis.asyncio.ConnectionPool.from_url(
                settings.redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
            )
            options: dict[str, Any] = {"connection_pool": self._pool}
            storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=_PREFIX, **options)
            self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.aclose()

    async def count(self, principal: Principal) -> Headers:
        """Count a request of somebody known; return the headers that tell what is left to them.

        Raises:
            ProblemError: 429.
        """
        if principal is BOOTSTRAP:
            return []
        if principal.user_id is not None:
            return await self._count(self._learner, str(principal.user_id))
        return await self._count(self._token, principal.actor)

    async def count_nobody(self, address: str) -> None:
        """Count a request that named nobody.

        Raises:
            ProblemError: 429.
        """
        await self._count(self._address, address)

    async def for_login(self, email: str, address: str) -> None:
        """Count a login before anything is looked up, so that nothing can be learnt from being throttled.

        Raises:
            ProblemError: 429; 503 while nothing can be counted.
        """
        if self._limiter is None:
            raise unavailable("logging in needs Redis, which is not configured")
        try:
            await self._hit(self._login_address, address)
            await self._hit(self._login_account, _account(email))
        except (RedisError, OSError):
            raise unavailable("logging in is not possible now: try again", 5) from None

    async def logged_in(self, email: str) -> None:
        """Forget the logins counted for an account, after one that succeeded."""
        item = self._login_account.item
        if self._limiter is not None and item is not None:
            try:
                await self._limiter.clear(item, self._login_account.name, _account(email))
            except (RedisError, OSError) as error:
                _log.warning("login_limit_not_cleared", error=type(error).__name__)

    async def _count(self, limit: Limit, who: str) -> Headers:
        if self._limiter is None or limit.item is None or time.monotonic() < self._away_until:
            return []
        try:
            return await self._hit(limit, who)
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + _PAUSE_S
            _log.warning("rate_limits_not_counted", error=type(error).__name__)
            return []

    async def _hit(self, limit: Limit, who: str) -> Headers:
        assert self._limiter is not None
        if limit.item is None:
            return []
        passes = await self._limiter.hit(limit.item, limit.name, who)
        window = await self._limiter.get_window_stats(limit.item, limit.name, who)
        wait_s = max(1, round(window.reset_time - time.time()))
        left = f'"{limit.name}";r={max(0, window.remaining)};t={wait_s}'
        if not passes:
            headers = {"retry-after": str(wait_s), POLICY: limit.policy, LIMIT: left}
            raise ProblemError(TOO_MANY_REQUESTS, f"try again in {wait_s} s", headers=headers)
        return [(POLICY.encode(), limit.policy.encode()), (LIMIT.encode(), left.encode())]


def _account(email: str) -> str:
    """Return what stands for an e-mail address in Redis, where it must not be readable."""
    return hashlib.sha256(email.lower().encode()).hexdigest()[:32]
