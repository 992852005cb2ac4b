"""Reads a learner's due queue for the app: from Redis, and from PostgreSQL where Redis lacks it or is down."""

import asyncio
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

import msgspec
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.logging import get_logger
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR, DEFAULT_ZONE, DueQueue, cache_key

_log = get_logger(__name__)

CACHE_TIMEOUT_S: Final = 0.25
"""A cache that takes longer than PostgreSQL would is none."""
_CACHE_PAUSE_S: Final = 1.0
"""How long Redis is left alone after it failed, so that an outage costs one reader a second its time-out, not all."""


class DueQueueReader:
    """Reads due queues; shared by all requests of a process."""

    def __init__(self, engine: AsyncEngine, cache: redis.asyncio.Redis | None) -> None:
        self._engine = engine
        self._cache = cache
        self._cache_resumes_at = 0.0

    async def load_due_queue(self, user_id: UUID, on: date | None, now: datetime) -> DueQueue | None:
        """Return a learner's queue; None: the learner is unknown, or no queue was built for that day.

        Cost: one read of Redis; without a date, and where Redis does not have it, one index look-up in PostgreSQL each.

        Args:
            user_id: the learner.
            on: the learner's local day; None: that of `now`, by the learner's zone and day start.
            now: the present instant.

        Raises:
            sqlalchemy.exc.DBAPIError, OSError: PostgreSQL was needed and did not answer.
        """
        if on is None:
            on = await self._local_day(user_id, now)
        if on is None:
            return None
        return await self._cached(user_id, on) or await self._stored(user_id, on)

    async def _local_day(self, user_id: UUID, now: datetime) -> date | None:
        statement = as_text(load_query("worker.srs", "due_queue_day"))
        async with self._engine.connect() as connection:
            values = {"user_id": user_id, "day_start_hour": DEFAULT_DAY_START_HOUR}
            row = (await connection.execute(statement, values)).one_or_none()
        if row is None:
            return None
        try:
            return clock.local_day(now, row.timezone, row.day_start_hour)
        except (ZoneInfoNotFoundError, ValueError):  # as the builder of the queues takes it
            return clock.local_day(now, DEFAULT_ZONE, row.day_start_hour)

    async def _cached(self, user_id: UUID, on: date) -> DueQueue | None:
        loop = asyncio.get_running_loop()
        if self._cache is None or loop.time() < self._cache_resumes_at:
            return None
        try:
            async with asyncio.timeout(CACHE_TIMEOUT_S):
                queue = await self._cache.get(cache_key(user_id, on))
            return None if queue is None else msgspec.json.decode(queue, type=DueQueue)
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            self._cache_resumes_at = loop.time() + _CACHE_PAUSE_S
            _log.warning("due_queue_cache_failed", error=str(error) or type(error).__name__)
        except msgspec.DecodeError as error:
            _log.warning("due_queue_cache_unreadable", user_id=str(user_id), local_date=str(on), error=str(error))
        return None

    async def _stored(self, user_id: UUID, on: date) -> DueQueue | None:
        statement = as_text(load_query("worker.srs", "due_queue_of"))
        async with self._engine.connect() as connection:
            row = (await connection.execute(statement, {"user_id": user_id, "local_date": on})).one_or_none()
        return None if row is None else msgspec.convert(row._asdict(), DueQueue)
