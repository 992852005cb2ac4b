"""What the README promises, under faults, with real processes. Each test ends with the same balance of the books."""

import threading

import httpx
import psycopg
import pytest
import redis

from tests.reliability.clients import TOKEN, Client
from tests.reliability.conftest import System, pause
from tests.support.processes import wait_until

pytestmark = pytest.mark.processes


def is_draining(system: System) -> bool:
    """Tell whether a drainer is in the middle of a transaction right now."""
    with system.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
        ).fetchone()
    return bool(row and row[0])


def test_killed_worker_in_mid_batch_loses_and_repeats_nothing(system):
    system.fill_inbox(12_000)
    for _ in range(2):
        system.start_worker()
        wait_until(lambda: is_draining(system), 90, "a batch in work")
        system.worker.kill()
    assert system.waiting() > 0
    system.start_worker()
    system.assert_books_balance()


def test_killed_api_under_load_keeps_every_202(system):
    system.start()
    with system.load():
        for _ in range(3):
            system.sent_more(100)
            system.api.kill()
            system.start_api()
    assert system.sent.interruptions > 0
    system.assert_books_balance()


def test_flushed_redis_under_load_loses_nothing(system):
    system.start()
    with system.load(), redis.Redis.from_url(system.valkey.url) as client:
        for _ in range(5):
            system.sent_more(100)
            client.flushall()
    assert system.sent.interruptions == 0
    system.assert_books_balance()


def test_requests_are_accepted_while_redis_is_down_and_graded_when_it_is_back(system):
    system.start()
    with system.load():
        system.sent_more(50)
        system.valkey.kill()
        system.sent_more(300)
        system.valkey.start()
    assert system.sent.interruptions == 0
    system.assert_books_balance(timeout_s=90)


@pytest.mark.parametrize("way", ["restart", "kill"])
def test_restarted_postgresql_under_load_loses_nothing(system, way):
    system.start()
    with system.load():
        for _ in range(2):
            system.sent_more(100)
            if way == "restart":
                system.postgres.restart()
            else:
                system.postgres.kill()
                pause(0.5)
                system.postgres.start()
    assert system.sent.interruptions > 0
    system.assert_books_balance()


def test_cut_connections_under_load_lose_nothing(system):
    system.start()
    with system.load():
        for _ in range(10):
            system.sent_more(30)
            with system.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
    system.assert_books_balance()


def test_the_same_attempts_sent_ten_times_at_once_count_once(system):
    system.start()
    [client] = system.clients()[:1]
    attempts = [client.make_attempt() for _ in range(200)]
    senders = [threading.Thread(target=send_once, args=(client, system, attempts)) for _ in range(10)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    system.assert_books_balance()
    assert system.graded() == len(attempts)


def send_once(client: Client, system: System, attempts: list[dict[str, object]]) -> None:
    with httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as http:
        client.send(http, attempts)


def test_attempts_sent_again_after_they_were_graded_count_once(system):
    system.start()
    [client] = system.clients()[:1]
    attempts = [client.make_attempt() for _ in range(100)]
    for _ in range(3):
        send_once(client, system, attempts)
        system.assert_books_balance()
    assert system.graded() == len(attempts)


def test_a_terminated_worker_hands_back_what_it_has_not_finished(system):
    system.fill_inbox(8_000)
    system.start_worker()
    wait_until(lambda: is_draining(system), 90, "a batch in work")
    system.worker.stop(timeout_s=90)
    with psycopg.connect(system.postgres.url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
    system.start_worker()
    system.assert_books_balance()
