"""TLS to PostgreSQL and Redis: every client of ours takes the right certificate, no other, and nothing without one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import kombu
import psycopg
import pytest
import redis
from sqlalchemy import text

from tests.support.settings import forget_settings
from tests.support.tls import Authority, TlsProxy
from worker.api.reading import create_cache, create_engine
from worker.attempts.inbox_connection import InboxConnection
from worker.db import transaction
from worker.db.engines import libpq_url
from worker.settings import Settings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "right")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "wrong")


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@pytest.fixture
def postgres(database_url: str, authority: Authority) -> Iterator[str]:
    """The address of PostgreSQL with TLS, without what makes a client ask for it."""
    with TlsProxy(port_of(database_url), authority.context, postgres=True) as proxy:
        yield database_url.replace(f":{port_of(database_url)}/", f":{proxy.port}/")


@pytest.fixture
def valkey(redis_url: str, authority: Authority) -> Iterator[str]:
    with TlsProxy(port_of(redis_url), authority.context) as proxy:
        yield redis_url.replace("redis://", "rediss://").replace(f":{port_of(redis_url)}/", f":{proxy.port}/")


def verified(url: str, root: Path) -> str:
    return f"{url}?sslmode=verify-full&sslrootcert={root}"


def checked(url: str, root: Path) -> str:
    return f"{url}?ssl_cert_reqs=required&ssl_ca_certs={root}"


async def ask_as_the_api(url: str) -> int:
    engine = create_engine(Settings(database_url=url))
    try:
        async with engine.connect() as connection:
            return int(await connection.scalar(text("SELECT 1")) or 0)
    finally:
        await engine.dispose()


async def open_inbox(url: str) -> None:
    connection = await InboxConnection.open(libpq_url(url), timeout_s=60)
    connection.close()


def test_every_client_of_postgresql_takes_the_right_certificate(postgres, authority, monkeypatch):
    url = verified(postgres, authority.root)
    monkeypatch.setenv("ELP_DATABASE_URL", url)
    forget_settings()
    with transaction() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert connection.pgconn.ssl_in_use
    assert asyncio.run(ask_as_the_api(url)) == 1
    asyncio.run(open_inbox(url))


def test_certificate_of_another_authority_or_for_another_host_is_refused(postgres, stranger, authority, database_url):
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(verified(postgres, stranger.root))
    with pytest.raises(psycopg.OperationalError, match="does not match"):
        psycopg.connect(verified(postgres.replace("127.0.0.1", "localhost"), authority.root))
    with pytest.raises(psycopg.OperationalError):  # the server itself speaks no TLS
        psycopg.connect(verified(database_url, authority.root))


def test_every_client_of_redis_takes_the_right_certificate(valkey, authority):
    url = checked(valkey, authority.root)
    assert Settings(redis_url=url).required_redis_url() == url
    with redis.Redis.from_url(url) as client:
        assert client.ping()
    with kombu.Connection(url) as broker:  # as Celery connects
        assert broker.ensure_connection(max_retries=1, timeout=60).connected

    async def ask() -> object:
        client = create_cache(Settings(redis_url=url))
        assert client is not None
        client.connection_pool.connection_kwargs.update(socket_timeout=60, socket_connect_timeout=60)
        try:
            return await client.get("nothing")
        finally:
            await client.aclose()

    assert asyncio.run(ask()) is None


def test_redis_with_another_certificate_or_without_tls_is_refused(valkey, stranger, authority, redis_url):
    for url in (
        checked(valkey, stranger.root),
        checked(valkey.replace("127.0.0.1", "localhost"), authority.root) + "&ssl_check_hostname=true",
        checked(redis_url.replace("redis://", "rediss://"), authority.root),
    ):
        with redis.Redis.from_url(url, socket_timeout=3, retry=None) as client, pytest.raises(redis.RedisError):
            client.ping()
