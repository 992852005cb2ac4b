"""Connections: one pool a process for each of the two ways of working, and transactions on the bare driver."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from worker.settings import get_settings

Connection = psycopg.Connection[tuple[Any, ...]]
"""A psycopg connection that returns plain tuples: what bulk SQL is written against."""


def driver_url(url: str, driver: str) -> URL:
    """Return `url` with `driver` (psycopg, asyncpg) named in it, whichever of the accepted schemes it had."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername=f"postgresql+{driver}")


def libpq_url(url: str) -> str:
    """Return `url` in the form that libpq, psycopg and the PostgreSQL tools read."""
    return (
        make_url(url.replace("postgres://", "postgresql://", 1))
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
    )


@lru_cache(maxsize=1)
def _sync_engine(url: str, process_id: int) -> Engine:
    del process_id  # part of the key: a forked child must not share its parent's sockets
    return create_engine(
        driver_url(url, "psycopg"),
        pool_size=get_settings().database_pool_size,
        pool_pre_ping=True,
        connect_args={"application_name": "elp-worker", "connect_timeout": 10},
    )


def sync_engine() -> Engine:
    """Return this process's synchronous engine (psycopg)."""
    return _sync_engine(get_settings().required_database_url(), os.getpid())


def forget_sync_engine() -> None:
    """Close this process's pooled connections, if it has any; the next call connects as the settings then say."""
    if _sync_engine.cache_info().currsize:
        sync_engine().dispose()
    _sync_engine.cache_clear()


@lru_cache(maxsize=1)
def async_engine() -> AsyncEngine:
    """Return this process's asynchronous engine: asyncpg if the URL names it, else psycopg."""
    settings = get_settings()
    url = settings.required_database_url()
    driver = "asyncpg" if url.startswith("postgresql+asyncpg://") else "psycopg"
    return create_async_engine(driver_url(url, driver), pool_size=settings.database_pool_size, pool_pre_ping=True)


def session_factory() -> sessionmaker[Session]:
    """Return a maker of synchronous ORM sessions."""
    return sessionmaker(sync_engine(), expire_on_commit=False)


async def get_db() -> AsyncIterator[AsyncSession]:
    """Yield an asynchronous session for one request; what it did is rolled back unless it was committed."""
    async with async_sessionmaker(async_engine(), expire_on_commit=False)() as session:
        yield session


@contextmanager
def transaction() -> Iterator[Connection]:
    """Yield a pooled psycopg connection in a transaction: committed at the end, rolled back on any error."""
    pooled = sync_engine().raw_connection()
    try:
        connection = pooled.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with connection.transaction():
            yield connection
    finally:
        pooled.close()
