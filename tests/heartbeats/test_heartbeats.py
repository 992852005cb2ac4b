"""Heartbeats: written over and over, gone with an orderly stop, kept through an outage of the database."""

from datetime import UTC, datetime, timedelta

from tests.support.processes import wait_until
from worker.heartbeats import bootstep, store
from worker.heartbeats.bootstep import HeartbeatThread
from worker.heartbeats.store import Heartbeat

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def heartbeat(now: datetime = NOW, worker: str = "one@here") -> Heartbeat:
    return Heartbeat(worker, 7, "0.1.0", ["default"], 2, True, None, NOW, now)


def test_newest_heartbeat_replaces_the_one_before(database):
    store.beat(database, heartbeat())
    store.beat(database, heartbeat(NOW + timedelta(seconds=10)))
    assert store.load_heartbeats(database) == [heartbeat(NOW + timedelta(seconds=10))]


def test_goodbye_removes_its_own_and_those_silent_for_a_day(database):
    for worker, age in (("one@here", 0), ("two@here", 3_600), ("three@here", 90_000)):
        store.beat(database, heartbeat(NOW - timedelta(seconds=age), worker))
    store.forget(database, "one@here", NOW)
    assert [each.worker for each in store.load_heartbeats(database)] == ["two@here"]


def test_worker_counts_as_lost_after_three_missed_beats():
    assert heartbeat().is_alive(NOW + timedelta(seconds=29))
    assert not heartbeat().is_alive(NOW + timedelta(seconds=30))


def test_thread_goes_on_when_the_database_comes_back(postgres_server, monkeypatch):
    monkeypatch.setattr(bootstep, "INTERVAL_S", 0.1)
    server = postgres_server()
    thread = HeartbeatThread(server.url, heartbeat)
    thread.start()

    def beats() -> int:
        import psycopg  # noqa: PLC0415

        with psycopg.connect(server.url) as connection:
            return len(store.load_heartbeats(connection))

    wait_until(lambda: beats() == 1)
    server.kill()
    server.start()
    with_one = beats()
    assert with_one in {0, 1}
    wait_until(lambda: beats() == 1)
    thread.stop()
    assert beats() == 0
