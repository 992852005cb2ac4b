"""Shards: leased, worked on and marked in one transaction, each effect once whatever happens to the workers."""

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from hypothesis import given
from hypothesis import strategies as st

from worker import clock
from worker.db import transaction
from worker.jobs import ledger as rows
from worker.jobs.definition import Retry, Shard
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import registry

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def effects(ledger):
    """A table for the shards' effects, and how often each came about."""
    ledger.query("CREATE TABLE effects (n int)")

    def note(shard: Shard) -> int:
        shard.connection.execute("INSERT INTO effects VALUES (%s)", (shard.bounds["n"],))
        return 10

    def counted() -> Counter[int]:
        return Counter(n for (n,) in ledger.query("SELECT n FROM effects"))

    note.counted = counted
    return note


def plan(name: str = "test.count") -> UUID:
    return start_run(name, PERIOD).run.run_id


def take(run_id: UUID, number: int = 0) -> rows.Claim:
    """Claim a shard as another worker would, and go silent."""
    with transaction() as connection:
        run = rows.load_run(connection, run_id)
        claim = rows.claim_shard(connection, run, registry.get(run.job), number, now=clock.now())
    assert claim is not None
    return claim


def expire_leases(ledger) -> None:
    ledger.query("UPDATE job_shards SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")


def end_rests(ledger) -> None:
    ledger.query("UPDATE job_shards SET run_after = NULL")


# --- in good order ---


def test_each_shard_is_done_once_and_the_run_succeeds_with_its_counts(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=5)
    run_id = plan()
    work = work_on_run(run_id)
    assert (work.done, work.failed, work.next_number) == (5, 0, None)
    run = ledger.run(run_id)
    assert (run["state"], run["shards_done"], run["shards_failed"], run["items"]) == ("succeeded", 5, 0, 50)
    assert effects.counted() == Counter(range(5))
    assert set(ledger.shards(run_id, "state", "starts", "items", "lease_expires_at")) == {("done", 1, 10, None)}


def test_work_begins_at_the_number_given_and_goes_around(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=4)
    work_on_run(plan(), 2)
    assert [n for (n,) in ledger.query("SELECT n FROM effects")] == [2, 3, 0, 1]


def test_task_whose_time_is_up_says_where_to_go_on(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=3)
    run_id = plan()
    assert work_on_run(run_id, budget_s=0).next_number == 1
    assert ledger.run(run_id)["state"] == "running"
    assert work_on_run(run_id, 1, budget_s=0).next_number == 2
    assert work_on_run(run_id, 2, budget_s=0).next_number is None
    assert ledger.run(run_id)["state"] == "succeeded"


def test_message_for_a_finished_run_does_nothing(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=2)
    run_id = plan()
    work_on_run(run_id)
    assert work_on_run(run_id, 1).done == 0
    assert effects.counted() == Counter(range(2))


def test_twenty_messages_at_once_do_each_shard_once(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=30)
    run_id = plan()
    with ThreadPoolExecutor(8) as pool:
        works = list(pool.map(lambda n: work_on_run(run_id, n % 30), range(20)))
    assert sum(work.done for work in works) == 30
    assert effects.counted() == Counter(range(30))
    assert ledger.run(run_id)["state"] == "succeeded"


def test_body_sees_period_parameters_and_its_bounds(declare, ledger) -> None:
    seen = []
    declare("test.count", lambda shard: seen.append((shard.period, shard.parameters, shard.bounds)) or 0, shards=1)
    run = start_run("test.count", PERIOD, parameters={"level": "A1"}).run
    work_on_run(run.run_id)
    assert seen == [(PERIOD, {"level": "A1"}, {"n": 0})]


def test_run_that_was_cancelled_is_not_worked_on(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=2)
    run_id = plan()
    ledger.query("UPDATE job_runs SET state = 'cancelled'")
    assert work_on_run(run_id).done == 0
    assert effects.counted() == Counter()


# --- when a body fails ---


def test_failed_shard_leaves_no_effect_and_its_error_in_the_ledger(declare, ledger, effects) -> None:
    def fail(shard: Shard) -> int:
        effects(shard)
        raise ValueError("a card without a question")

    declare("test.count", fail, shards=1)
    run_id = plan()
    before = clock.now()
    assert work_on_run(run_id).failed == 1
    ((state, starts, error, run_after),) = ledger.shards(run_id, "state", "starts", "error", "run_after")
    assert (state, starts, error) == ("pending", 1, "ValueError: a card without a question")
    assert timedelta(seconds=8) <= run_after - before < timedelta(seconds=15)
    assert effects.counted() == Counter()


def test_shard_that_rests_is_left_alone_until_its_time(declare, ledger) -> None:
    declare("test.count", lambda _: 1 / 0, shards=1)
    run_id = plan()
    assert [work_on_run(run_id).failed for _ in range(2)] == [1, 0]
    end_rests(ledger)
    assert work_on_run(run_id).failed == 1


def test_poison_shard_is_failed_after_five_starts_while_the_others_finish(declare, ledger, effects) -> None:
    def fail_on_two(shard: Shard) -> int:
        if shard.bounds["n"] == 2:
            raise ValueError("poison")
        return effects(shard)

    declare("test.count", fail_on_two, shards=4)
    run_id = plan()
    for _ in range(7):
        work_on_run(run_id)
        end_rests(ledger)
    assert ledger.shards(run_id, "state", "starts") == [("done", 1), ("done", 1), ("failed", 5), ("done", 1)]
    assert effects.counted() == Counter([0, 1, 3])
    run = ledger.run(run_id)
    assert (run["state"], run["shards_done"], run["shards_failed"]) == ("failed", 3, 1)
    assert run["error"] == "shard 2: ValueError: poison"


def test_shard_that_fails_and_then_succeeds_counts_as_done(declare, ledger) -> None:
    failures = [ValueError("once")]

    def fail_once(shard: Shard) -> int:
        if failures:
            raise failures.pop()
        return 1

    declare("test.count", fail_once, shards=1)
    run_id = plan()
    work_on_run(run_id)
    end_rests(ledger)
    work_on_run(run_id)
    assert ledger.shards(run_id, "state", "starts", "error") == [("done", 2, None)]
    assert ledger.run(run_id)["state"] == "succeeded"


def test_memory_error_is_a_failure_like_any_other(declare, ledger) -> None:
    def exhaust(shard: Shard) -> int:
        raise MemoryError

    declare("test.count", exhaust, shards=2)
    run_id = plan()
    assert work_on_run(run_id).failed == 2
    assert {error for (error,) in ledger.shards(run_id, "error")} == {"MemoryError: "}


def test_statement_that_outlives_the_time_limit_is_ended_by_the_server(declare, ledger) -> None:
    def dawdle(shard: Shard) -> int:
        shard.connection.execute("SELECT pg_sleep(200)")
        return 1

    declare("test.count", dawdle, shards=1, time_limit_s=1)
    run_id = plan()
    before = time.monotonic()
    work_on_run(run_id)
    assert time.monotonic() - before < 150
    ((error,),) = ledger.shards(run_id, "error")
    assert "statement timeout" in error


def test_soft_time_limit_that_strikes_during_a_statement_is_a_failure_and_the_next_shard_goes_on(
    declare, ledger, effects
) -> None:
    def strike(*_: object) -> None:
        raise SoftTimeLimitExceeded

    def dawdle_at_first(shard: Shard) -> int:
        if shard.bounds["n"] == 0:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            shard.connection.execute("SELECT pg_sleep(200)")
        return effects(shard)

    declare("test.count", dawdle_at_first, shards=2)
    run_id = plan()
    before, previous = time.monotonic(), signal.signal(signal.SIGALRM, strike)
    try:
        work = work_on_run(run_id)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert (work.done, work.failed) == (1, 1)
    assert time.monotonic() - before < 150
    assert ledger.shards(run_id, "state", "error") == [
        ("pending", "SoftTimeLimitExceeded: SoftTimeLimitExceeded()"),
        ("done", None),
    ]
    assert effects.counted() == Counter([1])


@given(
    first=st.timedeltas(timedelta(milliseconds=1), timedelta(days=1)),
    factor=st.integers(1, 10_000),
    jitter=st.floats(0, 1),
    starts=st.integers(1, 1_000),
    seed=st.integers(),
)
def test_rest_doubles_up_to_its_limit_and_chance_only_shortens_it_by_its_share(
    first: timedelta, factor: int, jitter: float, starts: int, seed: int
) -> None:
    retry = Retry(first=first, longest=first * factor, jitter=jitter)
    full = first * min(2 ** (starts - 1), factor)
    rest = retry.rest(starts, Random(seed))
    assert full * (1 - jitter) - timedelta(microseconds=1) <= rest <= full
    assert rest == retry.rest(starts, Random(seed))


def test_rests_double_from_ten_seconds_to_ten_minutes_unless_the_job_says_otherwise() -> None:
    retry = Retry(jitter=0)
    seconds = [retry.rest(starts, Random(1)).total_seconds() for starts in (1, 2, 3, 4, 7, 8, 1_000)]
    assert seconds == [10, 20, 40, 80, 600, 600, 600]


def test_shards_that_fail_together_come_back_one_after_the_other(declare, ledger) -> None:
    declare("test.count", lambda _: 1 / 0, shards=20)
    run_id = plan()
    work_on_run(run_id)
    rests = {round((after - at).total_seconds(), 1) for at, after in ledger.shards(run_id, "started_at", "run_after")}
    assert len(rests) > 5


# --- when a worker vanishes ---


def test_shard_of_a_silent_worker_is_taken_over_once_its_lease_runs_out(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=2)
    run_id = plan()
    take(run_id)
    assert work_on_run(run_id).done == 1
    assert ledger.run(run_id)["state"] == "running"
    expire_leases(ledger)
    assert work_on_run(run_id).done == 1
    assert effects.counted() == Counter(range(2))
    assert ledger.run(run_id)["state"] == "succeeded"
    assert ledger.shards(run_id, "starts") == [(2,), (1,)]


def test_worker_whose_lease_was_taken_over_does_not_commit(declare, ledger, effects) -> None:
    called = []

    def lose_the_lease_at_first(shard: Shard) -> int:
        items = effects(shard)
        shard.after_commit(lambda: called.append(shard.number))
        if ledger.shards(shard.run_id, "starts") == [(1,)]:
            expire_leases(ledger)
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(work_on_run, shard.run_id).result().done == 1
        return items

    declare("test.count", lose_the_lease_at_first, shards=1)
    run_id = plan()
    work = work_on_run(run_id)
    assert (work.done, work.failed) == (0, 1)
    assert effects.counted() == Counter([0])
    assert called == [0]
    assert ledger.shards(run_id, "state", "starts", "error") == [("done", 2, None)]
    assert ledger.run(run_id)["items"] == 10


def test_late_failure_of_a_worker_that_lost_its_lease_changes_nothing(declare, ledger) -> None:
    declare("test.count", shards=1)
    run_id = plan()
    lost = take(run_id)
    expire_leases(ledger)
    kept = take(run_id)
    with transaction() as connection:
        assert not rows.mark_failed_start(connection, lost, error="late", now=clock.now(), run_after=None)
        assert not rows.extend_lease(connection, lost, clock.now() + timedelta(hours=1))
        assert not rows.release(connection, lost)
        assert (rows.was_taken_over(connection, lost), rows.was_taken_over(connection, kept)) == (True, False)
        rows.mark_done(connection, kept, items=1, now=clock.now())
        assert not rows.was_taken_over(connection, kept)
    assert ledger.shards(run_id, "state", "leased_by", "error") == [("done", kept.leased_by, None)]


def test_shard_that_kills_its_workers_is_failed_without_a_sixth_start(declare, ledger, effects) -> None:
    declare("test.count", effects, shards=2)
    run_id = plan()
    for _ in range(5):
        take(run_id)
        expire_leases(ledger)
    work_on_run(run_id)
    states = ledger.shards(run_id, "state", "error")
    assert states == [("failed", "its worker was lost 5 times"), ("done", None)]
    assert effects.counted() == Counter([1])
    assert ledger.run(run_id)["state"] == "failed"


@pytest.mark.parametrize("interruption", [SystemExit, KeyboardInterrupt])
def test_interrupted_shard_is_handed_back_at_once_and_not_counted(declare, ledger, effects, interruption) -> None:
    interruptions = [interruption()]

    def stop_once(shard: Shard) -> int:
        items = effects(shard)
        if interruptions:
            raise interruptions.pop()
        return items

    declare("test.count", stop_once, shards=1)
    run_id = plan()
    with pytest.raises(interruption):
        work_on_run(run_id)
    assert ledger.shards(run_id, "state", "starts", "lease_expires_at") == [("pending", 0, None)]
    assert work_on_run(run_id).done == 1
    assert effects.counted() == Counter([0])


def test_lease_of_a_long_shard_is_kept_alive(declare, ledger, effects) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(shard: Shard) -> int:
        entered.set()
        leave.wait(120)
        return effects(shard)

    declare("test.count", wait, shards=1, lease_s=3)
    run_id = plan()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(work_on_run, run_id)
        assert entered.wait(90)
        time.sleep(4.5)
        assert work_on_run(run_id).done == 0  # nobody else gets it
        leave.set()
        assert work.result().done == 1
    assert ledger.shards(run_id, "starts") == [(1,)]


def test_run_whose_last_worker_vanished_before_it_said_so_is_ended_by_the_next_message(declare, ledger) -> None:
    declare("test.count", shards=1)
    run_id = plan()
    claim = take(run_id)
    with transaction() as connection:
        rows.mark_done(connection, claim, items=7, now=clock.now())
    work_on_run(run_id)
    assert (ledger.run(run_id)["state"], ledger.run(run_id)["items"]) == ("succeeded", 7)


# --- after the commit ---


def test_callbacks_run_after_the_commit_and_see_its_effects(declare, ledger, effects) -> None:
    seen = []

    def body(shard: Shard) -> int:
        shard.after_commit(lambda: seen.append(dict(effects.counted())))
        assert effects.counted() == Counter()
        return effects(shard)

    declare("test.count", body, shards=1)
    work_on_run(plan())
    assert seen == [{0: 1}]


def test_callbacks_of_a_failed_shard_are_dropped(declare, database_url) -> None:
    called = []

    def body(shard: Shard) -> int:
        shard.after_commit(lambda: called.append(1))
        raise ValueError

    declare("test.count", body, shards=1)
    work_on_run(plan())
    assert called == []


def test_callback_that_fails_neither_stops_the_others_nor_undoes_the_shard(declare, ledger) -> None:
    called = []

    def body(shard: Shard) -> int:
        shard.after_commit(lambda: 1 / 0)
        shard.after_commit(lambda: called.append(shard.number))
        return 1

    declare("test.count", body, shards=2)
    run_id = plan()
    assert work_on_run(run_id).done == 2
    assert called == [0, 1]
    assert ledger.run(run_id)["state"] == "succeeded"


# --- when PostgreSQL fails ---


def test_shard_whose_connection_is_cut_is_tried_again(declare, ledger, effects) -> None:
    cuts = [True]

    def cut_once(shard: Shard) -> int:
        items = effects(shard)
        if cuts and cuts.pop():
            ledger.query("SELECT pg_terminate_backend(%s)", shard.connection.info.backend_pid)
        return items

    declare("test.count", cut_once, shards=1)
    run_id = plan()
    work_on_run(run_id)
    ((state, error),) = ledger.shards(run_id, "state", "error")
    assert state == "pending"
    assert "AdminShutdown" in error or "OperationalError" in error
    end_rests(ledger)
    assert work_on_run(run_id).done == 1
    assert effects.counted() == Counter([0])


def test_aborted_transaction_of_a_body_is_its_failure(declare, ledger) -> None:
    def swallow(shard: Shard) -> int:
        with suppress(psycopg.Error):
            shard.connection.execute("SELECT 1 / 0")
        return 1

    declare("test.count", swallow, shards=1)
    run_id = plan()
    assert work_on_run(run_id).failed == 1
    assert "InFailedSqlTransaction" in ledger.shards(run_id, "error")[0][0]
