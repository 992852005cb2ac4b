from collections.abc import AsyncIterator

import pytest
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from worker.db.engines import driver_url


@pytest.fixture(params=["psycopg", "asyncpg"])
def driver(request) -> str:
    """Each of the two asynchronous drivers in turn."""
    return request.param


@pytest.fixture
async def session(_shared_database_url: str, driver: str) -> AsyncIterator[AsyncSession]:
    """A session on the shared migrated database; a commit is a savepoint, and all is rolled back after the test."""
    engine = create_async_engine(driver_url(_shared_database_url, driver), poolclass=NullPool)
    async with engine.connect() as connection, connection.begin() as outermost:
        async with AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        await outermost.rollback()
    await engine.dispose()


@pytest.fixture
async def committed(database_url: str, driver: str) -> AsyncIterator[AsyncSession]:
    """A session on a database of the test's own: it sees what other connections commit there."""
    engine = create_async_engine(driver_url(database_url, driver), poolclass=NullPool)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
    await engine.dispose()
