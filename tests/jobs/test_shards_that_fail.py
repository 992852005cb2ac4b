"""Shards whose body fails, or whose database does: no effect, a rest, another try, and poison is given up."""

import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.shards import end_rests, plan
from worker import clock
from worker.jobs.definition import Retry, Shard
from worker.jobs.execution import work_on_run

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
    assert timedelta(seconds=8) <= run_after - before < timedelta(seconds=120)
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
