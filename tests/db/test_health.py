import asyncio
import socket

from sqlalchemy import NullPool, event, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from worker.db import DatabaseUtils, async_engine, get_db
from worker.db.engines import driver_url
from worker.db.health import health_check, pool_status
from worker.db.schema import head_revision


async def check_url(url, driver, **arguments):
    engine = create_async_engine(driver_url(url, driver), poolclass=NullPool)
    async with AsyncSession(engine) as session:
        return await health_check(session=session, **arguments)


async def test_a_migrated_primary_is_ok(session):
    found = await health_check(session=session)
    assert (found.ok, found.problem, found.in_recovery) == (True, None, False)
    assert found.revision == found.expected_revision == head_revision()
    assert 0 < found.latency_ms < 5_000
    assert int(found.server_version.split(".")[0]) >= 15


async def test_a_database_without_the_schema_is_not_ok_and_says_what_to_run(maintenance_url, driver):
    found = await check_url(maintenance_url, driver)
    assert (found.ok, found.revision) == (False, None)
    assert (
        found.problem == f"the schema has revision None, this code needs {head_revision()}: run `alembic upgrade head`"
    )


async def test_an_older_schema_is_not_ok_and_a_newer_one_is(session):
    await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    older = await health_check(session=session)
    await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer = await health_check(session=session)
    assert (older.ok, older.revision) == (False, "0001")
    assert (newer.ok, newer.revision) == (True, "9999")


async def test_a_server_that_is_away_is_an_answer_not_an_error(driver):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = await check_url(f"postgresql://elp:secret@127.0.0.1:{unused.getsockname()[1]}/elp", driver)
    assert (found.ok, found.latency_ms) == (False, None)
    assert found.problem.startswith("the database does not answer: ")
    assert "secret" not in found.problem


async def test_a_missing_database_is_an_answer_not_an_error(maintenance_url, driver):
    found = await check_url(f"{maintenance_url.rpartition('/')[0]}/nowhere", driver)
    assert not found.ok
    assert 'database "nowhere" does not exist' in found.problem


async def test_a_server_that_is_silent_is_given_up(driver):
    async with await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        found = await check_url(f"postgresql://elp@127.0.0.1:{port}/elp", driver, timeout_s=0.3)
    assert found.problem == "the database does not answer: no answer in 0.3 s"


async def test_the_pool_counts_what_is_idle_in_use_and_beyond_its_size(database_url, driver):
    engine = create_async_engine(driver_url(database_url, driver), pool_size=2, max_overflow=2)
    one, two, three = [await engine.connect() for _ in range(3)]
    full = pool_status(engine)
    await three.close()
    await two.close()
    after = pool_status(engine)
    await one.close()
    await engine.dispose()
    assert (full.size, full.idle, full.in_use, full.overflow) == (2, 0, 3, 1)
    assert (after.size, after.idle, after.in_use) == (2, 2, 1)


async def test_a_pool_that_counts_nothing_says_only_its_kind(database_url, driver):
    engine = create_async_engine(driver_url(database_url, driver), poolclass=NullPool)
    found = pool_status(engine)
    assert (found.kind, found.size, found.in_use) == ("NullPool", None, None)


async def test_get_db_gives_a_session_that_rolls_back_what_was_not_committed(database_url, driver, settings):
    settings(database_url=str(driver_url(database_url, driver).render_as_string(hide_password=False)))
    insert = text("INSERT INTO users (email, full_name) VALUES (:email, 'S')")
    async for session in get_db():
        await session.execute(insert, {"email": "kept@example.org"})
        await session.commit()
        await session.execute(insert, {"email": "lost@example.org"})
    async for session in get_db():
        assert list(await session.scalars(text("SELECT email FROM users"))) == ["kept@example.org"]
        assert async_engine().dialect.driver == driver
    assert DatabaseUtils.pool_status().kind == "AsyncAdaptedQueuePool"
    await async_engine().dispose()


async def test_a_check_is_four_small_statements(session):
    statements = []
    event.listen(session.bind.sync_connection, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await DatabaseUtils.health_check(session=session)
    assert len([one for one in statements if not one.startswith("SAVEPOINT")]) == 4
