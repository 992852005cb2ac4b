"""An entry's way, step by step: claims, confirmations, failures, parking, reports, pruning; who knows which tasks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.factories import make_job_task, make_outbox_entry
from worker import clock
from worker.jobs.delivery import Delivery, Message, deliver
from worker.jobs.errors import NotParkedError
from worker.jobs.execution import start_run
from worker.jobs.known_tasks import InvalidTaskError, declare_task, known_tasks, tell_database
from worker.jobs.outbox import enqueue, prune
from worker.jobs.outbox_control import discard_parked, list_outbox, retry_parked
from worker.jobs.relay import Relay
from worker.jobs.task_publisher import Outgoing, Published

T0 = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Broker:
    """Takes messages in place of Redis, or refuses them from some number on."""

    def __init__(self) -> None:
        self.messages: list[Outgoing] = []
        self.takes: int | None = None
        self.unsendable: set[UUID] = set()

    def publish(self, batch: Sequence[Outgoing]) -> Published:
        published = Published()
        for position, entry in enumerate(batch):
            if self.takes is not None and published.sent >= self.takes:
                published.refused = [one.id for one in batch[position:]]
                break
            if entry.id in self.unsendable:
                published.unsendable[entry.id] = "it can't be sent"
            else:
                self.messages.append(entry)
                published.sent += 1
        return published


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def relay(broker: Broker) -> Relay:
    return Relay("unused", broker, confirm_within=MINUTE)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    """Set the clock: `at(T0)`."""
    return lambda instant: monkeypatch.setattr("worker.clock.now", lambda: instant)


def column(connection: psycopg.Connection, name: str) -> list[Any]:
    return [value for (value,) in connection.execute(f"SELECT {name} FROM job_outbox ORDER BY created_at, id")]


# --- the relay ---


@pytest.fixture
def known(database: psycopg.Connection) -> psycopg.Connection:
    make_job_task(database, name="test.known", queue="batch")
    return database


def test_due_entries_are_sent_to_their_queue_with_their_id(known, relay, broker, at):
    at(T0)
    first = enqueue(known, "test.known", {"n": 1}, now=T0)
    enqueue(known, "test.known", {"n": 2}, not_before=T0 + MINUTE, now=T0)
    assert relay.relay_batch(known) == 1
    assert broker.messages == [Outgoing(first, "test.known", {"n": 1}, 1, "batch")]
    assert relay.relay_batch(known) == 0


def test_unconfirmed_entry_is_sent_again_after_a_time_that_doubles(known, relay, broker, at):
    at(T0)
    enqueue(known, "test.known", {}, now=T0)
    instants = [T0 + minutes * MINUTE for minutes in (0, 1, 3, 7, 15, 30, 45)]
    for number, instant in enumerate(instants, start=1):
        at(instant - timedelta(seconds=1))
        assert relay.relay_batch(known) == 0
        at(instant)
        assert relay.relay_batch(known) == 1
        assert broker.messages[-1].relay == number


def test_entry_whose_task_nobody_knows_is_parked_and_the_others_go_on(database, relay, broker, at):
    at(T0)
    enqueue(database, "test.gone", {}, now=T0)  # nobody has told this database of any task
    make_job_task(database, name="test.known")
    enqueue(database, "test.known", {}, now=T0)
    assert relay.relay_batch(database) == 2
    assert [entry.task for entry in broker.messages] == ["test.known"]
    errors = database.execute("SELECT task, error FROM job_outbox").fetchall()
    assert dict(errors) == {"test.gone": "there is no task test.gone", "test.known": None}
    assert (relay.relayed, relay.parked) == (1, 1)


def test_entry_that_cannot_be_sent_is_parked_with_the_reason(known, relay, broker, at):
    at(T0)
    bad = enqueue(known, "test.known", {}, now=T0)
    enqueue(known, "test.known", {}, now=T0)
    broker.unsendable = {bad}
    relay.relay_batch(known)
    assert sorted(column(known, "parked_at IS NOT NULL")) == [False, True]


def test_what_the_broker_refuses_waits_under_its_key_and_one_message_asks_again(known, relay, broker, at):
    at(T0)
    for n in range(4):
        enqueue(known, "test.known", {"n": n}, dedupe_key=f"k{n}", now=T0)
    broker.takes = 1
    relay.relay_batch(known)
    assert len(broker.messages) == 1
    assert sorted(column(known, "relays")) == [0, 0, 0, 1]
    assert sorted(column(known, "relayed_at IS NULL")) == [False, True, True, True]
    at(T0 + timedelta(seconds=1))
    broker.takes = None
    assert relay.relay_batch(known) == 1
    assert relay.relay_batch(known) == 2


# --- the task's side ---


@pytest.fixture
def committed(database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE effects (n int)")
        yield connection


def add(n: int, delivery: Delivery | None = None) -> None:
    assert delivery is not None
    delivery.connection.execute("INSERT INTO effects (n) VALUES (%s)", (n,))
    if n < 0:
        raise ValueError("negative")


TASK = declare_task("test.add", add, queue="default", from_app=False, max_starts=2)


def effects(connection: psycopg.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM effects")]


def test_message_delivered_many_times_has_its_effect_once(committed):
    entry = make_outbox_entry(committed, task="test.add", relays=1)
    for repeated in (False, True, True):
        deliver(TASK, Message(entry, 1, is_repeated=repeated), add, {"n": 1})
    assert effects(committed) == [1]
    assert column(committed, "starts") == [1]


def test_entry_done_by_a_message_that_seemed_lost_leaves_its_key_to_the_next(committed):
    entry = make_outbox_entry(committed, task="test.add", dedupe_key="k", relays=0, relayed_at=None)  # handed back
    deliver(TASK, Message(entry, 1, is_repeated=False), add, {"n": 1})
    assert enqueue(committed, "test.add", {"n": 2}, dedupe_key="k", now=clock.now()) is not None


def test_message_that_comes_while_another_worker_has_the_entry_does_nothing(committed, database_url):
    entry = make_outbox_entry(committed, task="test.add", relays=2)
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM job_outbox FOR UPDATE")
        deliver(TASK, Message(entry, 2, is_repeated=True), add, {"n": 1})
        deliver(TASK, Message(entry, 1, is_repeated=False), add, {"n": 1})
    assert effects(committed) == []
    deliver(TASK, Message(entry, 1, is_repeated=False), add, {"n": 1})
    assert effects(committed) == [1]


def test_failure_rolls_back_rests_and_is_parked_after_the_last_start(committed, at):
    at(T0)
    entry = make_outbox_entry(committed, task="test.add", relays=1)
    with pytest.raises(ValueError, match="negative"):
        deliver(TASK, Message(entry, 1, is_repeated=False), add, {"n": -1})
    assert column(committed, "(starts, error, due_at, parked_at)::text")[0].startswith(
        '(1,"ValueError: negative","2026'
    )
    assert column(committed, "due_at") == [T0 + timedelta(seconds=10)]
    committed.execute("UPDATE job_outbox SET relays = 3")
    deliver(TASK, Message(entry, 2, is_repeated=True), add, {"n": -1})  # an older copy does not cut the rest short
    assert column(committed, "starts") == [1]
    with pytest.raises(ValueError, match="negative"):
        deliver(TASK, Message(entry, 3, is_repeated=True), add, {"n": -1})
    assert column(committed, "(starts, parked_at)") == [(2, T0)] or column(committed, "parked_at") == [T0]
    assert effects(committed) == []


def test_entry_whose_workers_are_lost_is_parked_before_the_next_start(committed):
    entry = make_outbox_entry(committed, task="test.add", relays=4, starts=2)
    deliver(TASK, Message(entry, 4, is_repeated=True), add, {"n": 1})
    assert effects(committed) == []
    assert "worker was lost" in column(committed, "error")[0]


# --- jobs started by events ---


def test_events_of_one_instant_start_a_run_each_and_once(declare, ledger, database_url):
    declare("test.count", lambda _: 1)
    wanted = [{"n": 1}, {"n": 2}, {"n": 3}]
    first = [start_run("test.count", T0, trigger="event", parameters=each).run.run_id for each in wanted]
    again = [start_run("test.count", T0, trigger="event", parameters=each) for each in reversed(wanted)]
    assert [one.run.run_id for one in reversed(again)] == first
    assert not any(one.is_new for one in again)
    assert len(set(first)) == 3


# --- known tasks ---


def test_parameters_of_a_task_are_those_of_its_function():
    def body(user_id: str, reason: str = "", delivery: Delivery | None = None) -> None:
        """Do nothing."""

    def any_body(**payload: Any) -> None:
        """Do nothing."""

    task = declare_task("test.body", body, queue="default", from_app=True, max_starts=5)
    assert (task.requires, task.accepts, task.takes_delivery) == (("user_id",), ("user_id", "reason"), True)
    assert declare_task("test.any", any_body, queue="default", from_app=True, max_starts=5).accepts is None
    with pytest.raises(InvalidTaskError, match="no queue 'defualt'"):
        declare_task("test.body", body, queue="defualt", from_app=True, max_starts=5)  # type: ignore[arg-type]


def test_database_is_told_of_what_changed_and_forgets_only_when_asked(database):
    assert tell_database(database, known_tasks(), []) > 0
    assert tell_database(database, known_tasks(), []) == 0
    make_job_task(database, name="test.of_newer_code")
    assert tell_database(database, known_tasks(), []) == 0
    assert tell_database(database, known_tasks(), [], forget_others=True) == 1


# --- reports and what operators may do ---


def test_entries_are_listed_by_what_becomes_of_them(database):
    at = T0 - MINUTE
    later = {"due_at": T0 + MINUTE, "created_at": at}
    make_outbox_entry(database, due_at=at, created_at=at)
    make_outbox_entry(database, relayed_at=at, relays=1, **later)
    make_outbox_entry(database, **later)
    make_outbox_entry(database, parked_at=at, error="why", task="test.parked")
    make_outbox_entry(database, done_at=at)
    found = list_outbox(database, T0, limit=10)
    assert sorted(entry.state for entry in found) == ["deferred", "parked", "sent", "waiting"]
    assert [(entry.task, entry.error) for entry in list_outbox(database, T0, limit=10, parked_only=True)] == [
        ("test.parked", "why")
    ]


def test_parked_entry_is_retried_from_the_start_or_discarded(database):
    entry = make_outbox_entry(database, parked_at=T0, error="x", starts=5)
    assert retry_parked(database, [entry], T0) == [entry]
    assert column(database, "starts") == [0]
    for wrong in (entry, uuid4()):
        with pytest.raises(NotParkedError):
            discard_parked(database, [wrong])
        with pytest.raises(NotParkedError):
            retry_parked(database, [wrong], T0)
    database.execute("UPDATE job_outbox SET parked_at = %s, error = 'x' WHERE id = %s", [T0, entry])
    assert discard_parked(database, [entry]) == [entry]
    assert column(database, "id") == []


def test_parked_entry_stays_parked_while_another_of_its_key_waits(database):
    entry = make_outbox_entry(database, parked_at=T0, error="x", dedupe_key="k")
    make_outbox_entry(database, dedupe_key="k")
    assert retry_parked(database, [entry], T0) == []


def test_pruning_deletes_what_was_done_before_and_nothing_else(database):
    for values in ({"done_at": T0 - MINUTE}, {"done_at": T0}, {"parked_at": T0 - MINUTE, "error": "x"}, {}):
        make_outbox_entry(database, **values)
    assert prune(database, T0) == 1
    assert len(column(database, "id")) == 3
