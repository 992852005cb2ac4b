"""Enqueuing in the caller's transaction: in Python, by the SQL function and by a plain INSERT."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.factories import make_job_task
from tests.support.processes import wait_until
from worker.jobs.outbox import Entry, enqueue, enqueue_many, enqueue_values

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def rows(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT id, task, payload, due_at FROM job_outbox ORDER BY id").fetchall()


def know(connection: psycopg.Connection) -> None:
    """Tell the database of one task, which needs `user_id` and may have `reason`."""
    make_job_task(connection, name="test.greet", requires=["user_id"], accepts=["user_id", "reason"])
    make_job_task(connection, name="jobs.start", requires=["job"], accepts=["job", "parameters"])
    make_job_task(connection, kind="job", name="test.exact", accepts=["n"])
    make_job_task(connection, kind="job", name="test.count", queue="batch")


def test_entry_is_due_at_once_and_its_id_is_returned(database):
    entry_id = enqueue(database, "test.greet", {"user_id": "u1"}, now=NOW)
    assert rows(database) == [(entry_id, "test.greet", {"user_id": "u1"}, NOW)]


def test_deferred_entry_is_due_at_its_time(database):
    later = NOW + timedelta(hours=3)
    enqueue(database, "test.greet", {}, not_before=later, now=NOW)
    assert rows(database)[0][3] == later


def test_producer_that_rolls_back_leaves_nothing(database):
    with database.transaction(force_rollback=True):
        enqueue(database, "test.greet", {}, now=NOW)
    assert rows(database) == []


def test_function_and_plain_insert_make_the_same_entry(database):
    know(database)
    (made,) = database.execute("SELECT enqueue_job('test.greet', '{\"user_id\": \"u1\"}')").fetchone()
    database.execute("""INSERT INTO job_outbox (task, payload) VALUES ('test.greet', '{"user_id": "u1"}')""")
    first, second = database.execute(
        "SELECT id, task, payload, due_at, not_before, dedupe_key FROM job_outbox ORDER BY id = %s DESC", [made]
    ).fetchall()
    assert first[0] == made
    assert first[1:] == second[1:]


@pytest.mark.parametrize(
    ("task", "payload", "constraint", "message", "hint"),
    [
        ("test.great", {"user_id": "u"}, "known_task", "there is no task 'test.great'", "test.greet"),
        ("test.greet", ["u"], "payload", "payload must be a JSON object, not array", "by name"),
        (
            "test.greet",
            {"user_id": "x" * 20_000},
            "payload_size",
            "payload is 20015 bytes long, more than 16384",
            "ids",
        ),
        ("test.greet", {"user": "u"}, "parameters", "task test.greet has no parameter 'user'", "user_id, reason"),
        ("test.greet", {}, "parameters", "task test.greet needs the parameter 'user_id'", "user_id, reason"),
        (
            "jobs.start",
            {"job": "test.exact", "parameters": {"m": 1}},
            "parameters",
            "job test.exact has no parameter 'm'",
            "its parameters: n",
        ),
        ("jobs.start", {"job": "test.cuont"}, "parameters", "there is no job 'test.cuont'", "elp jobs list"),
    ],
)
@pytest.mark.parametrize("way", ["function", "insert"])
def test_entry_that_could_never_run_is_refused_with_its_remedy(
    database, way: str, task: str, payload: Any, constraint: str, message: str, hint: str
):
    know(database)
    statement = {
        "function": "SELECT enqueue_job(%s, %s)",
        "insert": "INSERT INTO job_outbox (task, payload) VALUES (%s, %s)",
    }[way]
    with pytest.raises(psycopg.errors.CheckViolation) as refused, database.transaction():
        database.execute(statement, (task, Jsonb(payload)))
    diagnosis = refused.value.diag
    assert diagnosis.message_primary == message
    assert hint in diagnosis.message_hint
    assert diagnosis.constraint_name == f"ck_job_outbox_{constraint}"


def test_known_job_may_be_started(database):
    know(database)
    assert enqueue(database, "jobs.start", {"job": "test.count", "parameters": {"n": 1}}, now=NOW)


def test_second_entry_of_a_waiting_key_is_not_added_and_brings_the_first_forward(database):
    first = enqueue(database, "test.greet", {"n": 1}, dedupe_key="k", not_before=NOW + timedelta(hours=2), now=NOW)
    assert enqueue(database, "test.greet", {"n": 2}, dedupe_key="k", now=NOW) is None
    assert database.execute("SELECT enqueue_job('test.greet', '{}', 'k')").fetchone() == (None,)
    assert rows(database) == [(first, "test.greet", {"n": 1}, NOW)]


def test_key_is_free_again_once_its_entry_was_relayed_or_parked(database):
    enqueue(database, "test.greet", {}, dedupe_key="k", now=NOW)
    database.execute("UPDATE job_outbox SET relayed_at = %s", [NOW])
    assert enqueue(database, "test.greet", {}, dedupe_key="k", now=NOW)
    database.execute("UPDATE job_outbox SET parked_at = %s, error = 'x' WHERE relayed_at IS NULL", [NOW])
    assert enqueue(database, "test.greet", {}, dedupe_key="k", now=NOW)


def test_waiting_entry_of_a_key_does_not_run_before_the_producer_that_shared_it_commits(database_url):
    """Else that producer's changes could be missed by the only run there will be."""
    with psycopg.connect(database_url) as producer, psycopg.connect(database_url, autocommit=True) as other:
        enqueue(other, "test.greet", {}, dedupe_key="k", now=NOW)
        enqueue(producer, "test.greet", {}, dedupe_key="k", now=NOW)
        free = "SELECT id FROM job_outbox FOR UPDATE SKIP LOCKED"
        assert other.execute(free).fetchall() == []
        producer.commit()
        assert len(other.execute(free).fetchall()) == 1


def test_of_many_producers_of_one_key_at_once_one_entry_waits(database_url):
    made: list[UUID | None] = []

    def produce() -> None:
        with psycopg.connect(database_url) as connection:
            for _ in range(20):
                made.append(enqueue(connection, "test.greet", {}, dedupe_key="k", now=NOW))
                made.extend(
                    row[0] for row in connection.execute("SELECT enqueue_job('test.greet', '{}', 'k')").fetchall()
                )
                connection.commit()

    threads = [threading.Thread(target=produce) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM job_outbox").fetchone() == (1,)
    assert len(made) == 240
    assert len([one for one in made if one]) == 1


def test_entry_sent_twice_under_its_sender_s_id_is_one(database):
    entry = Entry(task="test.greet", payload={}, id=uuid4())
    assert enqueue_many(database, [entry, entry], now=NOW) == [entry.id, None]
    assert enqueue_many(database, [entry], now=NOW) == [None]
    assert len(rows(database)) == 1


def test_commit_wakes_the_relay_once_whatever_was_written(database_url):
    with psycopg.connect(database_url) as producer, psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN elp_job_outbox")
        enqueue_many(producer, [Entry(task="test.greet", payload={})] * 3, now=NOW)
        producer.execute("SELECT enqueue_job('test.greet')")
        assert list(listener.notifies(timeout=0.2)) == []
        producer.commit()
        heard: list[Any] = []
        wait_until(lambda: heard.extend(listener.notifies(timeout=0.2)) or heard)
        assert len(heard) == 1


KEYS = st.one_of(st.none(), st.sampled_from("abc"))
TIMES = st.one_of(st.none(), st.integers(0, 5).map(lambda hours: NOW + timedelta(hours=hours)))


@given(st.lists(st.tuples(KEYS, TIMES), max_size=12))
def test_list_of_entries_is_like_one_after_the_other(given_entries: list[tuple[str | None, datetime | None]]):
    entries = [
        Entry(task="test.greet", payload={"n": n}, dedupe_key=key, not_before=time, id=UUID(int=n + 1))
        for n, (key, time) in enumerate(given_entries)
    ]
    expected: dict[object, tuple[int, datetime]] = {}
    for n, entry in enumerate(entries):
        key = n if entry.dedupe_key is None else entry.dedupe_key
        due = entry.not_before or NOW
        first = expected.get(key)
        expected[key] = (n, due) if first is None else (first[0], min(first[1], due))
    values = enqueue_values(entries, NOW)
    kept = [
        (one.int - 1, not_before or NOW) for one, not_before in zip(values["ids"], values["not_before"], strict=True)
    ]
    assert sorted(kept) == sorted(expected.values())
