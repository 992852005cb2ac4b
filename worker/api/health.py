"""Whether the process lives, and whether it can do its work."""

import asyncio
from typing import Annotated, Final, Literal

import msgspec
import redis.asyncio
from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from worker.api.auth import OPEN
from worker.api.documentation import described, response
from worker.db.health import Health, health_check
from worker.logging import get_logger

_log = get_logger(__name__)

CHECK_TIMEOUT_S: Final = 2.0
"""A load balancer's patience."""

RedisState = Literal["ok", "down", "not configured"]


class Live(msgspec.Struct):
    """The process answers."""

    status: Literal["ok"] = "ok"


class DatabaseState(msgspec.Struct):
    """PostgreSQL as the API sees it."""

    reachable: bool
    takes_writes: bool
    revision: Annotated[str, described("of the schema")] | None
    expected_revision: Annotated[str, described("the one this code needs")]


class Readiness(msgspec.Struct):
    """What the process depends on. Redis is reported and not required: attempts are accepted without it."""

    status: Literal["ready", "not ready"]
    database: DatabaseState
    redis: RedisState


class Dependencies:
    """The servers that readiness looks at."""

    def __init__(self, engine: AsyncEngine, cache: redis.asyncio.Redis | None) -> None:
        self._engine = engine
        self._cache = cache

    async def readiness(self) -> Readiness:
        """Ask both servers at once; takes `CHECK_TIMEOUT_S` at most."""
        database, redis_state = await asyncio.gather(self._database(), self._redis())
        if database.problem is not None:
            _log.warning("not_ready", problem=database.problem)  # only here: it may hold addresses
        state = DatabaseState(
            reachable=database.latency_ms is not None,
            takes_writes=database.in_recovery is False,
            revision=database.revision,
            expected_revision=database.expected_revision,
        )
        return Readiness("ready" if database.ok else "not ready", state, redis_state)

    async def _database(self) -> Health:
        async with AsyncSession(self._engine) as session:
            return await health_check(session=session, timeout_s=CHECK_TIMEOUT_S)

    async def _redis(self) -> RedisState:
        if self._cache is None:
            return "not configured"
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self._cache.get("elp:health")
        except (RedisError, OSError):  # TimeoutError is an OSError
            return "down"
        return "ok"


@get(
    "/v1/health",
    operation_id="getHealth",
    tags=["health"],
    summary="Is the process alive?",
    description="For supervisors, which restart what does not answer. Says nothing about the servers behind.",
    security=[{}],
    opt={OPEN: True},
    sync_to_thread=False,
)
def health() -> Live:
    """Answer, whatever state the servers are in."""
    return Live()


@get(
    "/v1/health/ready",
    operation_id="getReadiness",
    tags=["health"],
    summary="Can it do its work?",
    description="For load balancers: 200 if the database answers, takes writes and has the schema of this code.",
    responses={503: response(Readiness, "Not ready: the same shape, with what is wrong")},
    security=[{}],
    opt={OPEN: True},
)
async def ready(dependencies: NamedDependency[Dependencies]) -> Response[Readiness]:
    """Answer 200 or 503 with the state of both servers."""
    readiness = await dependencies.readiness()
    if readiness.status == "ready":
        return Response(readiness)
    return Response(readiness, status_code=503, headers=[ResponseHeader(name="retry-after", value="1")])
