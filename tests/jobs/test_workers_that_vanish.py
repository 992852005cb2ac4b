"""Shards of workers that vanish: taken over, each effect once."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.jobs.shards import expire_leases, plan, take
from worker import clock
from worker.db import transaction
from worker.jobs import ledger as rows
from worker.jobs.definition import Shard
from worker.jobs.execution import work_on_run


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
