"""The pulse: what it nudges for, when, how often, and who leads."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.factories import make_inbox_attempt, make_job_control, make_run, make_shard
from tests.support.processes import wait_until
from worker import clock
from worker.ids import lane_of
from worker.jobs import duties, leader
from worker.jobs.definition import Job
from worker.jobs.duties import Reminders
from worker.jobs.pulse import Pulse
from worker.jobs.registry import Registry, registry

NOW = datetime(2026, 11, 24, 3, 0, 10, tzinfo=UTC)
PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class Sent:
    """Takes messages in place of Redis, or refuses them."""

    def __init__(self) -> None:
        self.messages: list[tuple[Any, ...]] = []
        self.refuses = False

    def _take(self, *message: Any) -> bool:
        if not self.refuses:
            self.messages.append(message)
        return not self.refuses

    def start(self, job: str) -> bool:
        return self._take("start", job)

    def shard(self, job: Job, run_id: UUID, number: int) -> bool:
        return self._take("shard", job.name, run_id, number)

    def lane(self, lane: int) -> bool:
        return self._take("lane", lane)


@pytest.fixture
def sent() -> Sent:
    return Sent()


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


# --- lanes ---


@pytest.fixture
def lanes(database: psycopg.Connection, sent: Sent) -> Callable[..., list[int]]:
    reminders = Reminders()

    def nudged(after_s: float = 0) -> list[int]:
        sent.messages.clear()
        duties.renudge_lanes(database, NOW + seconds(after_s), sent, reminders)
        return [lane for _, lane in sent.messages]

    return nudged


def waiting_attempt(database: psycopg.Connection, user: int, waited_s: float) -> None:
    make_inbox_attempt(database, user_id=UUID(int=user), received_at=NOW - seconds(waited_s))


def test_lane_whose_attempts_wait_is_nudged(database: psycopg.Connection, lanes) -> None:
    for user in (3, 3, 19, 5):  # 19 lives in lane 3 too
        waiting_attempt(database, user, 2)
    assert lane_of(UUID(int=19)) == 3
    assert lanes() == [3, 5]


def test_attempt_that_has_just_come_is_left_to_the_usual_nudge(database: psycopg.Connection, lanes) -> None:
    waiting_attempt(database, 3, 1.9)
    assert lanes() == []


def test_same_lane_is_nudged_again_only_after_five_seconds(database: psycopg.Connection, lanes) -> None:
    waiting_attempt(database, 3, 2)
    assert [lanes(after_s) for after_s in (0, 1, 4.9, 5, 6)] == [[3], [], [], [3], []]


def test_lane_that_someone_drains_is_left_alone(database: psycopg.Connection, database_url: str, lanes) -> None:
    with psycopg.connect(database_url) as connection:
        waiting_attempt(connection, 3, 60)
        waiting_attempt(connection, 4, 60)
        connection.commit()
        sent, reminders = Sent(), Reminders()
        with psycopg.connect(database_url) as drainer:
            drainer.execute("SELECT pg_advisory_xact_lock(%s, 3)", (duties.LANE_LOCK_CLASS,))
            duties.renudge_lanes(connection, NOW, sent, reminders)
            assert sent.messages == [("lane", 4)]
        duties.renudge_lanes(connection, NOW, sent, reminders)
        assert sent.messages == [("lane", 4), ("lane", 3)]


# --- shards ---


@pytest.fixture
def runs(database: psycopg.Connection, sent: Sent, declare) -> Callable[..., list[tuple[Any, ...]]]:
    declare("test.count")
    reminders = Reminders()

    def nudged(after_s: float = 0) -> list[tuple[Any, ...]]:
        sent.messages.clear()
        duties.renudge_shards(database, NOW + seconds(after_s), sent, reminders, registry)
        return [message[1:] for message in sent.messages]

    return nudged


def planned_run(database: psycopg.Connection, waited_s: float, **values: Any) -> UUID:
    return make_run(database, **{"job": "test.count", "planned_at": NOW - seconds(waited_s)} | values)


def test_run_whose_shards_wait_is_nudged_from_its_first_such_shard(database: psycopg.Connection, runs) -> None:
    run_id = planned_run(database, 2)
    make_shard(database, run_id=run_id, number=0, state="done")
    make_shard(database, run_id=run_id, number=1)
    make_shard(database, run_id=run_id, number=2)
    assert runs() == [("test.count", run_id, 1)]


def test_run_that_was_just_planned_is_left_to_the_usual_nudge(database: psycopg.Connection, runs) -> None:
    make_shard(database, run_id=planned_run(database, 1.9))
    assert runs() == []


def test_resting_shard_is_nudged_for_when_its_rest_is_over(database: psycopg.Connection, runs) -> None:
    make_shard(database, run_id=planned_run(database, 60), run_after=NOW + seconds(10))
    assert [len(runs(after_s)) for after_s in (0, 10, 12)] == [0, 0, 1]


def test_shard_whose_lease_ran_out_is_nudged_for_and_one_under_lease_is_not(database: psycopg.Connection, runs) -> None:
    lost, held = planned_run(database, 60), planned_run(database, 60)
    make_shard(database, run_id=lost, state="running", lease_expires_at=NOW)
    make_shard(database, run_id=held, state="running", lease_expires_at=NOW + seconds(1))
    assert runs() == [("test.count", lost, 0)]


def test_same_run_is_nudged_again_only_after_five_seconds(database: psycopg.Connection, runs) -> None:
    make_shard(database, run_id=planned_run(database, 60))
    assert [len(runs(after_s)) for after_s in (0, 1, 4.9, 5)] == [1, 0, 0, 1]


def test_cancelled_run_is_left_alone(database: psycopg.Connection, runs) -> None:
    make_shard(database, run_id=planned_run(database, 60, state="cancelled"))
    assert runs() == []


def test_run_of_a_job_this_worker_does_not_know_is_left_to_newer_code(database: psycopg.Connection, runs) -> None:
    make_shard(database, run_id=planned_run(database, 60, job="test.of_tomorrow"))
    assert runs() == []


def test_run_without_open_shards_is_ended(database: psycopg.Connection) -> None:
    ended, open_ = planned_run(database, 60), planned_run(database, 60)
    make_shard(database, run_id=ended, state="done", items=4)
    make_shard(database, run_id=open_, state="pending")
    duties.finish_runs(database, NOW)
    states = dict(database.execute("SELECT id, state FROM job_runs").fetchall())
    assert states == {ended: "succeeded", open_: "running"}


# --- periods ---


@pytest.fixture
def periods(database: psycopg.Connection, sent: Sent, declare) -> Iterator[Callable[..., list[str]]]:
    declare("test.quarterly", schedule="*/15 * * * *")
    declare("test.nightly", schedule="0 3 * * *", timezone="Asia/Jakarta")
    declare("test.by_hand")
    known = Registry()
    for name in ("test.quarterly", "test.nightly", "test.by_hand"):
        known.add(registry.get(name))
    reminders = Reminders()

    def asked_for(at: datetime = NOW) -> list[str]:
        sent.messages.clear()
        duties.start_missing_periods(database, at, sent, reminders, known)
        return [job for _, job in sent.messages]

    return asked_for


NIGHTLY = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def test_jobs_whose_latest_period_is_not_decided_are_asked_for(periods) -> None:
    assert periods() == ["test.nightly", "test.quarterly"]


def test_job_whose_latest_period_is_decided_is_not(database: psycopg.Connection, periods) -> None:
    make_job_control(database, job="test.quarterly", covered_until=PERIOD)
    make_job_control(database, job="test.nightly", covered_until=NIGHTLY - timedelta(days=1))
    assert periods() == ["test.nightly"]


def test_paused_job_is_not_asked_for(database: psycopg.Connection, periods) -> None:
    make_job_control(database, job="test.quarterly", paused_at=NOW)
    assert periods() == ["test.nightly"]


def test_job_whose_mark_lies_in_the_future_is_asked_for_since_a_clock_was_wrong(
    database: psycopg.Connection, periods
) -> None:
    make_job_control(database, job="test.quarterly", covered_until=PERIOD + timedelta(days=300))
    assert "test.quarterly" in periods()


def test_beat_has_the_first_word_on_a_new_period(database: psycopg.Connection, periods) -> None:
    make_job_control(database, job="test.nightly", covered_until=NIGHTLY)
    make_job_control(database, job="test.quarterly", covered_until=PERIOD - timedelta(minutes=15))
    assert periods(PERIOD + seconds(4.9)) == []
    assert periods(PERIOD + seconds(5)) == ["test.quarterly"]


def test_same_period_is_asked_for_again_only_after_thirty_seconds(periods) -> None:
    assert [len(periods(NOW + seconds(n))) for n in (0, 1, 29, 30)] == [2, 0, 0, 2]


# --- Redis down ---


def test_nudge_that_redis_refuses_is_tried_again_by_the_next_tick(database: psycopg.Connection, lanes, sent) -> None:
    waiting_attempt(database, 3, 60)
    sent.refuses = True
    assert lanes() == []
    sent.refuses = False
    assert lanes(1) == [3]


def test_first_refusal_ends_the_tick_so_that_it_does_not_wait_for_each(
    database: psycopg.Connection, sent: Sent
) -> None:
    for user in range(16):
        waiting_attempt(database, user, 60)
    asked = []
    sent.lane = lambda lane: asked.append(lane) or False  # type: ignore[method-assign]
    assert not duties.renudge_lanes(database, NOW, sent, Reminders())
    assert asked == [0]


def test_refused_tick_is_counted(database_url: str, sent: Sent) -> None:
    with psycopg.connect(database_url) as connection:
        make_inbox_attempt(connection, received_at=clock.now() - seconds(60))
    sent.refuses = True
    pulse = Pulse(database_url, sent, Registry())
    pulse.beat()
    pulse.beat()
    assert (pulse.ticks, pulse.publish_errors) == (2, 2)
    pulse.close()


# --- who leads ---


def test_one_of_two_leads_and_the_other_takes_over_when_it_ends(database_url: str, sent: Sent) -> None:
    first, second = (Pulse(database_url, sent, Registry()) for _ in range(2))
    assert [first.beat(), second.beat(), first.beat(), second.beat()] == [True, False, True, False]
    assert second.ticks == 0
    first.close()
    wait_until(second.beat)
    second.close()


def test_leader_whose_connection_is_cut_gives_up_the_lead_and_comes_back(database_url: str, sent: Sent) -> None:
    pulse = Pulse(database_url, sent, Registry())
    pulse.start()
    try:
        wait_until(lambda: pulse.ticks >= 1)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'elp-pulse'"
            )
        wait_until(lambda: pulse.database_errors == 1)
        before = pulse.ticks
        wait_until(lambda: pulse.ticks > before and pulse.is_leader)
    finally:
        pulse.stop()
    assert not pulse.is_leader


@pytest.mark.processes
def test_pulse_outlives_a_restart_of_postgresql(postgres_server, sent: Sent) -> None:
    server = postgres_server()
    pulse = Pulse(server.url, sent, Registry())
    pulse.start()
    try:
        wait_until(lambda: pulse.ticks >= 1)
        server.stop()
        wait_until(lambda: pulse.database_errors >= 2)
        before = pulse.ticks
        server.start()
        wait_until(lambda: pulse.ticks > before)
    finally:
        pulse.stop()


def test_leader_that_fell_silent_is_replaced_within_ten_seconds_and_comes_back_as_a_candidate(
    database_url: str, sent: Sent
) -> None:
    frozen, other = (Pulse(database_url, sent, Registry()) for _ in range(2))
    assert frozen.beat()
    fell_silent_at = time.monotonic()
    wait_until(other.beat)
    assert time.monotonic() - fell_silent_at > 5
    assert leader._SILENT_AFTER + 2 * timedelta(seconds=leader.TICK_S) < timedelta(seconds=10)
    with pytest.raises(psycopg.OperationalError):
        frozen.beat()
    assert not frozen.beat()
    for pulse in (frozen, other):
        pulse.close()


# --- what a tick costs ---


def test_tick_costs_what_is_open_whatever_the_ledger_holds(database: psycopg.Connection, sent: Sent, declare) -> None:
    declare("test.count", schedule="*/15 * * * *", concurrency=3)
    database.execute(
        "INSERT INTO job_runs (job, period, state, shards_total, shards_done, planned_at, started_at, finished_at)"
        " SELECT 'test.count', %s - n * interval '15 min', 'succeeded', 1, 1, %s, %s, %s"
        " FROM generate_series(1, 20000) AS n",
        (PERIOD, NOW, NOW, NOW),
    )
    database.execute("INSERT INTO job_shards (run_id, number, state) SELECT id, 0, 'done' FROM job_runs")
    open_run = planned_run(database, 60, period=PERIOD)
    make_shard(database, run_id=open_run)
    database.execute("ANALYZE job_runs, job_shards")
    database.execute("SET LOCAL track_io_timing = off")
    before = pages_read(database)
    known = Registry()
    known.add(registry.get("test.count"))
    duties.finish_runs(database, NOW)
    duties.start_missing_periods(database, NOW, sent, Reminders(), known)
    duties.renudge_shards(database, NOW, sent, Reminders(), known)
    assert sent.messages == [("start", "test.count"), ("shard", "test.count", open_run, 0)]
    assert pages_read(database) - before < 300  # the tables have some 700


def pages_read(database: psycopg.Connection) -> int:
    """Pages of the ledger's tables and indexes that this session has read or found in memory."""
    statement = """
        SELECT sum(pg_stat_get_xact_blocks_fetched(oid)) FROM pg_class
        WHERE oid IN ('job_runs'::regclass, 'job_shards'::regclass)
           OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ('job_runs'::regclass, 'job_shards'::regclass))
    """
    row = database.execute(statement).fetchone()
    assert row is not None
    return int(row[0])
