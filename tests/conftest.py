"""Servers and databases for tests.

The process that controls the run starts one PostgreSQL and one Valkey and migrates a template database once; each
xdist worker learns their addresses and works in clones of the template, so no two tests share rows.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
import redis

from tests.support import seeded
from tests.support.processes import Program
from tests.support.servers import (
    POSTGRES_SETTINGS,
    RunServers,
    clone_template,
    drop_database,
    postgres_binaries,
    with_database,
)
from tests.support.settings import forget_settings
from worker.db.schema import migrate
from worker.embedded import postgres, valkey
from worker.embedded.postgres import PostgresServer
from worker.embedded.valkey import ValkeyServer
from worker.settings import Settings, get_settings

# A busy machine is not a failure: how long an example takes is no property of the code under test.
hypothesis.settings.register_profile("elp", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("elp")

_RUN = pytest.StashKey[RunServers]()
_DATABASE_NUMBERS = count(1)


def pytest_configure(config: pytest.Config) -> None:
    # What a developer's shell or .env file sets must not decide how tests end.
    for name in [name for name in os.environ if name.startswith("ELP_") and not name.startswith("ELP_TEST_")]:
        del os.environ[name]
    Settings.model_config["env_file"] = None
    os.environ["COLUMNS"] = "200"  # tables of the command line are as wide on every machine
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job of a shell: children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    seeded.watch_this_process()
    if not hasattr(config, "workerinput"):
        config.stash[_RUN] = RunServers()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    run = node.config.stash[_RUN]
    node.workerinput["elp_postgres_url"] = run.postgres_url
    node.workerinput["elp_redis_url"] = run.redis_url


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(_RUN, None):
        run.stop()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Fail a test during which a log said what no log may say; what its processes printed is searched when they end."""
    try:
        yield
    finally:  # also of a test whose fixtures fail: the next one has said nothing of it
        leaks = seeded.take()
    if leaks:
        pytest.fail("logs hold secrets or persons:\n" + "\n".join(map(str, leaks)), pytrace=False)


def pytest_report_header() -> str:
    binaries = postgres_binaries()
    return f"servers: PostgreSQL {postgres.version(binaries)} ({binaries}), Valkey {valkey.version()}"


@pytest.fixture(scope="session")
def maintenance_url(request: pytest.FixtureRequest) -> str:
    """The address of the shared PostgreSQL's database `postgres`, for tests about databases themselves."""
    workerinput = getattr(request.config, "workerinput", None)
    return workerinput["elp_postgres_url"] if workerinput else request.config.stash[_RUN].postgres_url


@pytest.fixture(scope="session")
def postgres_bin() -> Path:
    """The folder of the programs (pg_dump, pg_basebackup …) of the PostgreSQL under test."""
    return postgres_binaries()


@pytest.fixture(scope="session")
def _shared_database_url(maintenance_url: str, worker_name: str) -> Iterator[str]:
    name = f"elp_{worker_name}_shared"
    yield clone_template(maintenance_url, name)
    drop_database(maintenance_url, name)


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """The name of this xdist worker (gw0 …), or `main` without xdist."""
    workerinput = getattr(request.config, "workerinput", None)
    return str(workerinput["workerid"]) if workerinput else "main"


@pytest.fixture
def database(_shared_database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to a migrated database, in a transaction that is rolled back after the test.

    `connection.transaction()` in the code under test makes savepoints inside it; `commit()` is refused.
    """
    with psycopg.connect(_shared_database_url) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def database_url(maintenance_url: str, worker_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a fresh migrated database for this test alone; also this process's ELP_DATABASE_URL."""
    name = f"elp_{worker_name}_{next(_DATABASE_NUMBERS)}"
    url = clone_template(maintenance_url, name)
    monkeypatch.setenv("ELP_DATABASE_URL", url)
    forget_settings()
    yield url
    monkeypatch.delenv("ELP_DATABASE_URL", raising=False)
    forget_settings()
    drop_database(maintenance_url, name)


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, worker_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty Valkey database that only this test uses; also this process's ELP_REDIS_URL.

    FLUSHALL would empty those of the other workers: such a test takes a server of its own (`valkey_server`).
    """
    workerinput = getattr(request.config, "workerinput", None)
    base = workerinput["elp_redis_url"] if workerinput else request.config.stash[_RUN].redis_url
    number = 1 + (int(worker_name.removeprefix("gw")) if worker_name.startswith("gw") else 0)
    url = with_database(base, str(number))
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    monkeypatch.setenv("ELP_REDIS_URL", url)
    forget_settings()
    yield url
    monkeypatch.delenv("ELP_REDIS_URL", raising=False)
    forget_settings()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Settings]]:
    """Set settings by their names for this test: `settings(drain_batch_size=10)`; None unsets. Returns all of them."""

    def override(**values: object) -> Settings:
        for name, value in values.items():
            if value is None:
                monkeypatch.delenv(f"ELP_{name.upper()}", raising=False)
            else:
                monkeypatch.setenv(f"ELP_{name.upper()}", str(value))
        seeded.seed(seeded.secrets_of(os.environ))
        forget_settings()
        return get_settings()

    yield override
    monkeypatch.undo()
    forget_settings()


@pytest.fixture
def postgres_server(tmp_path: Path) -> Iterator[Callable[..., PostgresServer]]:
    """Start PostgreSQL servers of the test's own, to be killed and restarted: `postgres_server(migrated=True)`."""
    servers: list[PostgresServer] = []

    def start(*, migrated: bool = True, **parameters: str) -> PostgresServer:
        home = tmp_path / f"postgres{len(servers)}"
        wanted = {**POSTGRES_SETTINGS, "shared_buffers": "64MB", **parameters}
        server = PostgresServer(home, binaries=postgres_binaries(), settings=wanted, tethered=True)
        servers.append(server)
        server.start()
        if migrated:
            migrate(server.url)
        return server

    yield start
    for server in servers:
        server.stop(timeout_s=10)


@pytest.fixture
def valkey_server(tmp_path: Path) -> Iterator[Callable[..., ValkeyServer]]:
    """Start Valkey servers of the test's own, to be killed, flushed and restarted: `valkey_server()`."""
    servers: list[ValkeyServer] = []

    def start(**parameters: str) -> ValkeyServer:
        server = ValkeyServer(tmp_path / f"valkey{len(servers)}", settings=parameters, tethered=True)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop(timeout_s=10)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Prepare programs under test: `program("python", "-m", "worker.api", ELP_API_PORT="8001").start(ready=…)`."""
    programs: list[Program] = []

    def prepare(*command: str, **environment: str) -> Program:
        programs.append(Program(command, tmp_path / f"program{len(programs)}.log", environment))
        return programs[-1]

    yield prepare
    for started in programs:
        started.kill()
