"""Pooled connections: what ended while nobody used it is replaced unnoticed, and living ones cost no round trip."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.support.processes import wait_until
from worker.db import engines, transaction


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def session() -> int:
    with transaction() as connection:
        return connection.info.backend_pid


def is_alive(elsewhere: psycopg.Connection, pid: int) -> bool:
    return elsewhere.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).rowcount == 1


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch, database_url: str) -> list[object]:
    """One for each time the server was asked whether it is there."""
    found: list[object] = []
    ping = engines.sync_engine().dialect.do_ping
    monkeypatch.setattr(engines.sync_engine().dialect, "do_ping", lambda asked: [found.append(asked), ping(asked)])
    return found


def test_connection_in_use_is_used_again_without_asking(pings: list[object]) -> None:
    assert len({session() for _ in range(10)}) == 1
    assert pings == []


def test_connection_that_idled_for_long_is_asked(pings: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    first = session()
    monkeypatch.setattr(engines, "_TRUSTED_S", 0.0)
    assert session() == first
    assert len(pings) == 1


@pytest.mark.parametrize("trusted_s", [0.0, 1e9])
def test_connection_that_was_cut_is_replaced(
    elsewhere: psycopg.Connection, pings: list[object], trusted_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_TRUSTED_S", trusted_s)
    first = session()
    elsewhere.execute("SELECT pg_terminate_backend(%s)", (first,))
    wait_until(lambda: not is_alive(elsewhere, first))
    assert session() != first
    assert len(pings) == 1


def test_all_connections_of_a_restarted_server_are_replaced(
    postgres_server: Callable[..., object], settings: Callable[..., object]
) -> None:
    server = postgres_server(migrated=False)
    settings(database_url=server.url)
    with transaction() as one, transaction() as other:
        assert one is not other
    server.restart()
    with transaction() as one, transaction() as other:
        assert [each.execute("SELECT 1").fetchone() for each in (one, other)] == [(1,), (1,)]
