"""Cancelling and trying again: what becomes of shards, of their work, and of runs that were never planned."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest

from worker import clock
from worker.db import transaction
from worker.jobs import control
from worker.jobs import ledger as rows
from worker.jobs.definition import Planning, Shard
from worker.jobs.errors import UnknownRunError, UnknownShardError, WrongStateError
from worker.jobs.execution import start_run, work_on_run

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NO_RUN = UUID(int=1)


def plan(name: str = "test.count") -> UUID:
    return start_run(name, PERIOD).run.run_id


def cancel(run_id: UUID) -> int:
    with transaction() as connection:
        return control.cancel_run(connection, run_id, clock.now())


def retry(run_id: UUID) -> int:
    with transaction() as connection:
        return control.retry_run(connection, run_id, clock.now())


def retry_shard(run_id: UUID, number: int) -> None:
    with transaction() as connection:
        control.retry_shard(connection, run_id, number, clock.now())


@pytest.fixture
def noted(ledger):
    ledger.query("CREATE TABLE effects (n int)")
    return lambda: Counter(n for (n,) in ledger.query("SELECT n FROM effects"))


def note(shard: Shard) -> int:
    shard.connection.execute("INSERT INTO effects VALUES (%s)", (shard.bounds["n"],))
    return 1


# --- cancelling ---


def test_cancelled_run_keeps_what_was_done_and_does_no_more(declare, ledger, noted) -> None:
    declare("test.count", note, shards=3)
    run_id = plan()
    work_on_run(run_id, budget_s=0)
    assert cancel(run_id) == 2
    assert work_on_run(run_id).done == 0
    run = ledger.run(run_id)
    assert (run["state"], run["shards_done"], run["items"]) == ("cancelled", 1, 1)
    assert ledger.shards(run_id, "state") == [("done",), ("cancelled",), ("cancelled",)]
    assert noted() == Counter([0])


def test_shard_at_work_when_its_run_is_cancelled_rolls_back(declare, ledger, noted) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(shard: Shard) -> int:
        items = note(shard)
        entered.set()
        leave.wait(20)
        return items

    declare("test.count", wait, shards=2)
    run_id = plan()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(work_on_run, run_id)
        assert entered.wait(10)
        assert cancel(run_id) == 2
        leave.set()
        assert (work.result().done, work.result().failed) == (0, 1)
    assert noted() == Counter()
    assert ledger.run(run_id)["state"] == "cancelled"
    assert ledger.shards(run_id, "state") == [("cancelled",), ("cancelled",)]


def test_cancelling_among_twenty_claims_ends_with_no_open_shard_and_no_deadlock(declare, ledger, noted) -> None:
    declare("test.count", note, shards=200)
    run_id = plan()
    with ThreadPoolExecutor(9) as pool:
        works = [pool.submit(work_on_run, run_id, n * 20) for n in range(8)]
        stopped = pool.submit(cancel, run_id).result()
        done = sum(work.result().done for work in works)
    assert done + stopped == 200
    assert sum(noted().values()) == done
    assert ledger.run(run_id)["state"] == "cancelled"
    assert ledger.run(run_id)["shards_done"] == done


def test_finished_run_cannot_be_cancelled(declare, ledger) -> None:
    declare("test.count")
    run_id = plan()
    work_on_run(run_id)
    with pytest.raises(WrongStateError, match=r"is succeeded: it cannot be cancelled"):
        cancel(run_id)
    assert ledger.run(run_id)["state"] == "succeeded"


# --- trying again ---


def test_retried_run_does_the_shards_that_failed_and_no_others(declare, ledger, noted) -> None:
    poisoned = [True]

    def body(shard: Shard) -> int:
        if poisoned and shard.bounds["n"] == 1:
            raise ValueError("poison")
        return note(shard)

    declare("test.count", body, shards=3, max_starts=1)
    run_id = plan()
    work_on_run(run_id)
    assert ledger.run(run_id)["state"] == "failed"
    poisoned.clear()
    assert retry(run_id) == 1
    assert work_on_run(run_id).done == 1
    run = ledger.run(run_id)
    assert (run["state"], run["shards_done"], run["shards_failed"], run["error"]) == ("succeeded", 3, 0, None)
    assert noted() == Counter(range(3))


def test_retried_shard_gets_all_its_starts_again(declare, ledger) -> None:
    declare("test.count", lambda _: 1 / 0, shards=2, max_starts=1)
    run_id = plan()
    work_on_run(run_id)
    retry_shard(run_id, 1)
    assert ledger.shards(run_id, "state", "starts") == [("failed", 1), ("pending", 0)]
    assert ledger.run(run_id)["state"] == "planned"


def test_resting_shard_can_be_tried_at_once(declare, ledger) -> None:
    failures = [ValueError("once")]

    def body(shard: Shard) -> int:
        if failures:
            raise failures.pop()
        return 1

    declare("test.count", body, shards=1)
    run_id = plan()
    work_on_run(run_id)
    retry_shard(run_id, 0)
    assert work_on_run(run_id).done == 1


def test_cancelled_run_of_which_one_shard_was_tried_again_ends_cancelled(declare, ledger, noted) -> None:
    declare("test.count", note, shards=3)
    run_id = plan()
    cancel(run_id)
    retry_shard(run_id, 2)
    work_on_run(run_id)
    assert ledger.run(run_id)["state"] == "cancelled"
    assert noted() == Counter([2])
    assert retry(run_id) == 2
    work_on_run(run_id)
    assert ledger.run(run_id)["state"] == "succeeded"
    assert noted() == Counter(range(3))


def test_run_whose_planning_failed_is_planned_anew_with_its_parameters(declare, ledger) -> None:
    failures, seen = [ValueError("no learners")], []

    def planner(planning: Planning) -> list[dict[str, int]]:
        if failures:
            raise failures.pop()
        seen.append(planning.parameters)
        return [{"n": 0}, {"n": 1}]

    declare("test.count", planner=planner)
    run_id = start_run("test.count", PERIOD, trigger="manual", parameters={"level": "A1"}).run.run_id
    assert ledger.run(run_id)["state"] == "failed"
    assert retry(run_id) == 2
    assert work_on_run(run_id).done == 2
    assert seen == [{"level": "A1"}]
    assert ledger.run(run_id)["state"] == "succeeded"


def test_skipped_period_can_be_run_after_all(declare, ledger) -> None:
    declare("test.count", shards=2)
    with transaction() as connection:
        rows.skip_periods(connection, "test.count", [(PERIOD, "catch_up", "too late")], clock.now())
    run_id = plan()
    assert ledger.run(run_id)["state"] == "skipped"
    assert retry(run_id) == 2
    work_on_run(run_id)
    assert (ledger.run(run_id)["state"], ledger.run(run_id)["error"]) == ("succeeded", None)


def test_what_cannot_be_tried_again_is_refused_with_the_state_it_is_in(declare, database_url) -> None:
    declare("test.count", shards=1)
    run_id = plan()
    with pytest.raises(WrongStateError, match="is planned: it cannot be tried again"):
        retry(run_id)
    work_on_run(run_id)
    with pytest.raises(WrongStateError, match="is succeeded"):
        retry(run_id)
    with pytest.raises(WrongStateError, match=r"shard 0 .* is done: it cannot be tried again"):
        retry_shard(run_id, 0)
    with pytest.raises(UnknownShardError, match="has no shard 7"):
        retry_shard(run_id, 7)


@pytest.mark.parametrize("wish", [cancel, retry, lambda run_id: retry_shard(run_id, 0)])
def test_unknown_run_is_an_error(database_url, wish) -> None:
    with pytest.raises(UnknownRunError):
        wish(NO_RUN)


def test_two_retries_at_once_give_the_shards_back_once(declare, ledger) -> None:
    declare("test.count", lambda _: 1 / 0, shards=20, max_starts=1)
    run_id = plan()
    work_on_run(run_id)

    def one(_: int) -> int:
        try:
            return retry(run_id)
        except WrongStateError:
            return 0

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [0, 0, 0, 20]
