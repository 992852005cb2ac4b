"""Connections: one pool a process for each of the two ways of working, and transactions on the bare driver."""

import importlib
import os
import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from worker.settings import get_settings

Connection = psycopg.Connection[tuple[Any, ...]]
"""A psycopg connection that returns plain tuples: what bulk SQL is written against."""

_OF_LIBPQ_ALONE: Final = (
    *("connect_timeout", "tcp_user_timeout"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
)
"""Parameters of an address that asyncpg would pass on to the server. Without them it still connects as safely."""
_TRUSTED_S: Final = 5.0
"""Seconds for which a connection that was in use is taken to live if its socket says nothing."""


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


def asyncpg_creator(url: str, **arguments: Any) -> Callable[[], Awaitable[Any]]:
    """Return what opens asyncpg's connections to `url`, for an engine's `async_creator`.

    SQLAlchemy would hand it the URL's parameters as arguments of that name, which asyncpg takes no `sslmode` or
    `sslrootcert` among: it understands them, as libpq does, in an address alone.

    Args:
        url: the database, in any of the accepted forms.
        arguments: more for `asyncpg.connect`.
    """
    asyncpg = importlib.import_module("asyncpg")  # an extra
    dsn = make_url(libpq_url(url)).difference_update_query(_OF_LIBPQ_ALONE).render_as_string(hide_password=False)

    async def connect() -> Any:
        return await asyncpg.connect(dsn, **arguments)

    return connect


_newest: Final[dict[int, Engine]] = {}
"""The engine made last, by the process that made it: to be closed without asking what the settings say by then."""


@lru_cache(maxsize=1)
def _sync_engine(url: str, process_id: int) -> Engine:
    """Return an engine; the process is a part of the key since a forked child must not share its parent's sockets."""
    engine = _newest[process_id] = create_engine(
        driver_url(url, "psycopg"),
        pool_size=get_settings().database_pool_size,
        connect_args={"application_name": "elp-worker", "connect_timeout": 10},
    )
    _check_when_needed(engine)
    return engine


def _check_when_needed(engine: Engine) -> None:
    """Have pooled connections that ended meanwhile replaced, as `pool_pre_ping` does, but mostly without a round trip.

    A server that ends a session says so: an idle connection's socket then has something to read. Only a machine that
    vanished says nothing; so a connection that idled for long is asked.
    """

    def used(_: psycopg.Connection[Any] | None, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    def check(connection: psycopg.Connection[Any], record: Any, _: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or (time.monotonic() - used_at < _TRUSTED_S and not _has_something_to_say(connection)):
            return
        try:
            engine.dialect.do_ping(connection)  # type: ignore[arg-type]  # SQLAlchemy's protocol of drivers
        except psycopg.Error as error:
            raise InvalidatePoolError("the server ended the connection") from error

    event.listen(engine, "checkin", used)
    event.listen(engine, "checkout", check)


def _has_something_to_say(connection: psycopg.Connection[Any]) -> bool:
    if connection.closed:
        return True
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


def sync_engine() -> Engine:
    """Return this process's synchronous engine (psycopg)."""
    return _sync_engine(get_settings().required_database_url(), os.getpid())


def forget_sync_engine() -> None:
    """Close this process's pooled connections, if it has any; the next call connects as the settings then say."""
    engine = _newest.pop(os.getpid(), None)
    if engine is not None:
        engine.dispose()
    _sync_engine.cache_clear()


@lru_cache(maxsize=1)
def async_engine() -> AsyncEngine:
    """Return this process's asynchronous engine: asyncpg if the URL names it, else psycopg."""
    settings = get_settings()
    url = settings.required_database_url()
    pool = {"pool_size": settings.database_pool_size, "pool_pre_ping": True}
    if url.startswith("postgresql+asyncpg://"):
        return create_async_engine(driver_url(url, "asyncpg"), async_creator=asyncpg_creator(url), **pool)
    return create_async_engine(driver_url(url, "psycopg"), **pool)


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
