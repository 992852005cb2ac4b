"""One server at a time in a folder, through starts, crashes, take-overs and stops."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.servers import POSTGRES_SETTINGS, postgres_binaries
from worker.embedded import PostgresServer, ServerError, ValkeyServer
from worker.embedded.ports import free_port
from worker.embedded.postgres import version
from worker.embedded.process import ProcessMark, try_lock
from worker.errors import ConfigurationError

pytestmark = pytest.mark.processes


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "server"
    for server in (PostgresServer(tmp_path / "server"), ValkeyServer(tmp_path / "server")):
        server.kill()


@pytest.fixture
def postgres(home: Path) -> Callable[[], PostgresServer]:
    return lambda: PostgresServer(home, binaries=postgres_binaries(), settings=POSTGRES_SETTINGS, tethered=True)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def test_postgresql_starts_with_what_the_product_relies_on(postgres: Callable[[], PostgresServer]) -> None:
    with postgres() as server:
        url = server.url
        assert ask(url, "SELECT current_database()") == "elp"
        assert str(ask(url, "SHOW server_version")).startswith(version(server.binaries))
        assert [
            ask(url, f"SHOW {name}") for name in ("server_encoding", "timezone", "data_checksums", "wal_level")
        ] == [
            "UTF8",
            "UTC",
            "on",
            "replica",
        ]
        assert ask(url, "SELECT lower('ÀÉÎ')") == "àéî"
        assert ask(url, "SHOW shared_preload_libraries") == "pg_stat_statements"
        assert ask(url, "SHOW fsync") == "off"
        assert (server.home.stat().st_mode & 0o777, (server.home / "password").stat().st_mode & 0o777) == (0o700, 0o600)
    assert not server.is_running()


def test_postgresql_keeps_its_data_durably_unless_told_otherwise(home: Path) -> None:
    with PostgresServer(home, binaries=postgres_binaries()) as server:
        settings = ("fsync", "synchronous_commit", "full_page_writes")
        assert [ask(server.url, f"SHOW {name}") for name in settings] == ["on", "on", "on"]


@pytest.mark.parametrize("wrong", ["", "guessed"])
def test_postgresql_lets_nobody_in_without_the_password(postgres: Callable[[], PostgresServer], wrong: str) -> None:
    with postgres() as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(server.password, wrong))


def test_valkey_starts_with_what_the_product_relies_on(home: Path) -> None:
    with ValkeyServer(home, settings={"appendonly": "yes"}, tethered=True) as server:
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        stranger = redis.Redis(port=server.port)
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
        stranger.close()
        assert (home / "valkey.conf").stat().st_mode & 0o777 == 0o600
    assert not server.is_running()


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_servers_of_root_do_not_run_as_root(home: Path) -> None:
    with ValkeyServer(home, tethered=True) as server:
        assert server.pid is not None
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "\nUid:\t0\t" not in status
        assert "\nGid:\t0\t" not in status
        assert "\nGroups:\t \n" in status


def test_restart_keeps_address_and_data(postgres: Callable[[], PostgresServer]) -> None:
    with postgres() as server:
        address = server.url
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept (one int)")
            connection.execute("INSERT INTO kept VALUES (1)")
        server.restart()
        assert server.url == address
        assert ask(address, "SELECT one FROM kept") == 1


def test_killed_postgresql_comes_back_with_what_was_committed(postgres: Callable[[], PostgresServer]) -> None:
    with postgres() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (one int)")
            connection.commit()
            connection.execute("INSERT INTO kept VALUES (1)")
            connection.commit()
            server.kill()
        assert not server.is_running()
        server.start()
        assert ask(server.url, "SELECT one FROM kept") == 1


def test_postmaster_killed_alone_is_followed_by_a_clean_start(postgres: Callable[[], PostgresServer]) -> None:
    with postgres() as server:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)  # its backends notice and end within moments
        server.start()
        assert ask(server.url, "SELECT 1") == 1


def test_left_over_server_is_taken_over(postgres: Callable[[], PostgresServer]) -> None:
    left = postgres()
    left.start()
    found = postgres()
    found.start()
    assert (found.pid, found.url) == (left.pid, left.url)
    found.stop()
    assert not left.is_running()


def test_stale_pid_file_that_names_a_living_process_neither_stops_the_start_nor_hurts_it(
    postgres: Callable[[], PostgresServer],
) -> None:
    server = postgres()
    server.start()
    pid_file = server.data / "postmaster.pid"
    content = pid_file.read_text()
    server.kill()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as foreigner:
        pid_file.write_text(content.replace(content.split()[0], str(foreigner.pid), 1))
        shutil.chown(pid_file, server.data.owner(), server.data.group())
        with server:
            assert ask(server.url, "SELECT 1") == 1
        assert foreigner.poll() is None
        foreigner.kill()


def test_left_over_server_that_does_not_answer_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.embedded.server._ANSWER_SECONDS", 1.0)
    left = ValkeyServer(home, tethered=True)
    left.start()
    assert left.pid is not None
    frozen = ProcessMark.of(left.pid)
    os.kill(left.pid, signal.SIGSTOP)
    with ValkeyServer(home, tethered=True) as server:
        assert frozen is not None
        assert server.pid != frozen.pid
        assert not frozen.is_alive()


def test_folder_in_use_by_an_unknown_process_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.embedded.server._LOCK_SECONDS", 0.2)
    home.mkdir()
    lock = try_lock(home / "lock")
    assert lock is not None
    with pytest.raises(ServerError, match="in use by a process that is not this folder's Valkey"):
        ValkeyServer(home).start()
    os.close(lock)


def test_port_that_is_taken_is_reported_with_the_servers_own_words(home: Path) -> None:
    refused = pytest.raises(ServerError, match=r"(?is)did not start.*already in use")
    with socket.create_server(("127.0.0.1", free_port())) as listener, refused:
        ValkeyServer(home, port=listener.getsockname()[1], tethered=True).start()


def test_chosen_port_that_somebody_takes_first_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        ports = iter([listener.getsockname()[1], free_port()])
        monkeypatch.setattr("worker.embedded.server.free_port", lambda: next(ports))
        with ValkeyServer(home, tethered=True) as server:
            assert server.answers()


def test_cluster_of_another_version_is_refused_by_name(postgres: Callable[[], PostgresServer]) -> None:
    server = postgres()
    with server:
        pass
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigurationError, match="was made by PostgreSQL 9, the programs are"):
        server.start()


def test_half_made_cluster_is_made_anew(postgres: Callable[[], PostgresServer]) -> None:
    server = postgres()
    (server.home / "data.unfinished" / "base").mkdir(parents=True)
    with server:
        assert ask(server.url, "SELECT 1") == 1


def test_folder_without_postgresql_programs_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not hold PostgreSQL's programs"):
        PostgresServer(home, binaries=tmp_path).start()
