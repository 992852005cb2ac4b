"""Keeps built queues in Redis for the app. What is missing there the reader takes from PostgreSQL."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID

import redis

from worker.logging import get_logger
from worker.settings import get_settings
from worker.srs.due_queue import cache_key
from worker.srs.store import BuiltQueue

_log = get_logger(__name__)
_CHUNK: Final = 500
"""Queues sent to Redis in one go: a few hundred kB."""
_TIMEOUT_S: Final = 5


@lru_cache(maxsize=1)
def _client(url: str) -> redis.Redis:
    # Safe across fork: redis-py gives each process its own sockets.
    return redis.Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)


def cache_queues(queues: Sequence[BuiltQueue]) -> int:
    """Put queues into Redis, each under its key with the settings' expiry, and return how many it took.

    While Redis is down or full they are left out, which is logged with their number, not raised: the queues stand in
    PostgreSQL, where readers find them.
    """
    settings = get_settings()
    client = _client(settings.required_redis_url())
    expires_s = settings.due_queue_cache_hours * 3600
    cached = 0
    try:
        for start in range(0, len(queues), _CHUNK):
            chunk = queues[start : start + _CHUNK]
            with client.pipeline(transaction=False) as pipeline:
                for user_id, local_date, queue_json in chunk:
                    pipeline.set(cache_key(user_id, local_date), queue_json, ex=expires_s)
                pipeline.execute()
            cached += len(chunk)
    except redis.RedisError as error:
        _log.warning("due_queues_not_cached", queues=len(queues) - cached, error=str(error))
    return cached


def forget_queues(queues: Sequence[tuple[UUID, date]]) -> None:
    """Take queues (learner, local day) out of Redis; while Redis is down that is logged, not raised."""
    if not queues:
        return
    try:
        _client(get_settings().required_redis_url()).delete(*(cache_key(*each) for each in queues))
    except redis.RedisError as error:
        _log.warning("due_queues_not_forgotten", queues=len(queues), error=str(error))
