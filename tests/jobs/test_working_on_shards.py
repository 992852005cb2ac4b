"""Shards: leased, worked on and marked in one transaction, and what follows the commit."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.jobs.shards import PERIOD, plan
from worker.jobs.definition import Shard
from worker.jobs.execution import start_run, work_on_run

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
