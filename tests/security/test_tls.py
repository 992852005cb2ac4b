"""TLS to PostgreSQL and Redis: every client of ours takes the right certificate, no other, and nothing without one."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import kombu
import psycopg
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.processes import wait_until
from tests.support.servers import postgres_binaries
from tests.support.settings import forget_settings
from tests.support.tls import Authority, TlsProxy
from worker.api.reading import create_cache, create_engine
from worker.attempts.inbox_connection import InboxConnection
from worker.db import transaction
from worker.db.engines import async_engine, libpq_url
from worker.embedded.postgres import PostgresServer
from worker.settings import Settings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "right")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "wrong")


def with_tls() -> Path | None:
    """Return the programs of a PostgreSQL built with TLS: those under test, else Debian's; None: there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders = [postgres_binaries(), *installed]
    built = (folder for folder in folders if (folder / "postgres").is_file() and _knows_tls(folder / "postgres"))
    return next(built, None)


@pytest.fixture(scope="module")
def tls_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL with ssl=on, without what makes a client ask for TLS."""
    binaries = with_tls()
    if binaries is None:
        pytest.skip("no PostgreSQL here is built with TLS")
    server = PostgresServer(tmp_path_factory.mktemp("postgres") / "home", binaries=binaries, tethered=True)
    server.start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
            assert row is not None
            data = Path(row[0])
            for source, name in ((authority.certificate, "server.crt"), (authority.key, "server.key")):
                (data / name).write_bytes(source.read_bytes())
                (data / name).chmod(0o600)
                os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: _takes_tls(server.url), what="TLS")
        yield server.url
    finally:
        server.stop(timeout_s=10)


def _knows_tls(program: Path) -> bool:
    return b"libssl.so" in program.read_bytes()


def _takes_tls(url: str) -> bool:
    try:
        psycopg.connect(f"{url}?sslmode=require").close()
    except psycopg.OperationalError:
        return False
    return True


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


IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
REFUSED = {
    "authority": "certificate verify failed",
    "host": "does not match|doesn't match|mismatch|not valid for",
    "no TLS": "SSL",
}
DRIVERS = ("postgresql", "postgresql+psycopg", "postgresql+asyncpg")


async def is_encrypted(engine: AsyncEngine) -> bool:
    try:
        async with engine.connect() as connection:
            return bool(await connection.scalar(text(IS_ENCRYPTED)))
    finally:
        await engine.dispose()


@pytest.mark.parametrize("driver", DRIVERS)
def test_server_with_tls_is_used_encrypted_by_each_driver(tls_server, authority, settings, driver):
    url = verified(tls_server, authority.root).replace("postgresql", driver, 1) + "&connect_timeout=60&keepalives=1"
    wanted = settings(database_url=url)
    assert asyncio.run(is_encrypted(create_engine(wanted)))
    assert asyncio.run(is_encrypted(async_engine()))
    with transaction() as connection:
        assert connection.execute(IS_ENCRYPTED).fetchone() == (True,)
    asyncio.run(open_nothing(url))


async def open_nothing(url: str) -> None:
    """The inbox's connection gets past TLS and finds no table."""
    with pytest.raises(psycopg.errors.UndefinedTable):
        await InboxConnection.open(url, timeout_s=60)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("fault", ["authority", "host", "no TLS"])
def test_each_driver_refuses_what_it_cannot_verify(
    tls_server, authority, stranger, database_url, settings, driver, fault
):
    url, root = {
        "authority": (tls_server, stranger.root),
        "host": (tls_server.replace("127.0.0.1", "localhost"), authority.root),
        "no TLS": (database_url, authority.root),
    }[fault]
    wanted = settings(database_url=verified(url, root).replace("postgresql", driver, 1))
    for engine in (create_engine(wanted), async_engine()):
        with pytest.raises((DBAPIError, OSError), match=REFUSED[fault]):
            asyncio.run(is_encrypted(engine))


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
