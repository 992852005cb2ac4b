"""What the API reads with: the asynchronous engine and the cache, both of this process alone."""

from typing import Final

import redis.asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from worker.db.engines import asyncpg_creator, driver_url
from worker.settings import Settings
from worker.srs.due_queue_reader import CACHE_TIMEOUT_S

_CONNECT_TIMEOUT_S: Final = 5
_APPLICATION: Final = "elp-api"


def create_engine(settings: Settings, **server_settings: str) -> AsyncEngine:
    """Return an engine with the API's time-outs; asyncpg reads if the URL names it, else psycopg.

    Args:
        settings: where, and how long a statement may take.
        server_settings: parameters of its sessions, by name, over those.
    """
    url = settings.required_database_url()
    values = {"statement_timeout": str(settings.database_statement_timeout_ms), **server_settings}
    pool = {"pool_size": settings.database_pool_size, "pool_timeout": _CONNECT_TIMEOUT_S, "pool_pre_ping": True}
    if url.startswith("postgresql+asyncpg://"):
        values["application_name"] = _APPLICATION
        opening = asyncpg_creator(url, timeout=_CONNECT_TIMEOUT_S, server_settings=values)
        return create_async_engine(driver_url(url, "asyncpg"), async_creator=opening, **pool)
    arguments = {
        "application_name": _APPLICATION,
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "options": " ".join(f"-c {name}={value}" for name, value in values.items()),
    }
    return create_async_engine(driver_url(url, "psycopg"), connect_args=arguments, **pool)


def create_search_engine(settings: Settings) -> AsyncEngine:
    """Return an engine for searches alone: however many are slow, they hold up nothing else."""
    return create_engine(settings, statement_timeout=str(settings.search_timeout_ms))


def create_cache(settings: Settings, timeout_s: float = CACHE_TIMEOUT_S) -> redis.asyncio.Redis | None:
    """Return a client of Redis that gives up soon; None: no Redis is configured."""
    if settings.redis_url is None:
        return None
    return redis.asyncio.Redis.from_url(settings.redis_url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
