"""The fixtures keep tests apart."""

import os
from collections.abc import Callable

import psycopg
import pytest
import redis

from worker.db import transaction
from worker.db.engines import sync_engine
from worker.embedded.postgres import PostgresServer
from worker.settings import Settings, get_settings


def _rows(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM fixture_test").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("_", [1, 2])
def test_rows_of_one_test_are_gone_in_the_next(database: psycopg.Connection, _: int) -> None:
    database.execute("CREATE TABLE fixture_test (id int)")  # would fail the second time
    with database.transaction():
        database.execute("INSERT INTO fixture_test VALUES (1)")
    assert _rows(database) == 1


def test_connection_of_a_test_refuses_to_commit(database: psycopg.Connection) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="commit"):
        database.commit()


def test_code_under_test_finds_the_database_of_the_test(database_url: str) -> None:
    with transaction() as connection:
        name = connection.execute("SELECT current_database()").fetchone()
    assert name is not None
    assert database_url.endswith(f"/{name[0]}")
    assert sync_engine().url.database == name[0]


def test_redis_database_of_a_test_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "over")
    assert os.environ["ELP_REDIS_URL"] == redis_url


def test_settings_are_overridden_by_name(settings: Callable[..., Settings]) -> None:
    assert settings(drain_batch_size=7).drain_batch_size == 7
    assert get_settings().drain_batch_size == 7
    assert settings(drain_batch_size=None).drain_batch_size == 5_000


@pytest.mark.processes
def test_server_of_a_test_is_migrated_and_survives_a_kill(postgres_server: Callable[..., PostgresServer]) -> None:
    server = postgres_server()
    address = server.url
    server.kill()
    server.start()
    assert server.url == address
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
