"""Limits on what runs at once, and the same thing done by several at once."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from freezegun import freeze_time

from worker import clock
from worker.db import transaction
from worker.jobs import ledger as rows
from worker.jobs.definition import Shard
from worker.jobs.duties import Reminders, renudge_shards
from worker.jobs.execution import start_due, start_run, work_on_run
from worker.jobs.registry import Registry, registry

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class AtWork:
    """A body that takes a moment, and how many were in it at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.done: Counter[int] = Counter()
        self.lock = threading.Lock()

    def __call__(self, shard: Shard) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.done[shard.bounds["n"]] += 1
        time.sleep(0.02)
        with self.lock:
            self.now -= 1
        return 1


def take(run_id: UUID) -> rows.Claim | None:
    with transaction() as connection:
        run = rows.load_run(connection, run_id)
        return rows.claim_shard(connection, run, registry.get(run.job), 0, now=clock.now())


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_shards_of_a_job_are_at_work_than_its_limit_over_all_its_runs(declare, database_url, limit) -> None:
    at_work = AtWork()
    declare("test.count", at_work, shards=12, concurrency=limit)
    runs = [start_run("test.count", PERIOD.replace(minute=minute)).run.run_id for minute in (0, 15)]
    with ThreadPoolExecutor(8) as pool:
        works = list(pool.map(lambda n: work_on_run(runs[n % 2]), range(8)))
    for run_id in runs:  # whoever came while the limit was reached has gone
        work_on_run(run_id)
    assert at_work.most == limit
    assert at_work.done == Counter(dict.fromkeys(range(12), 2))
    assert all(work.failed == 0 for work in works)


def test_limit_of_one_job_does_not_hold_up_another(declare, database_url) -> None:
    declare("test.limited", shards=2, concurrency=1)
    declare("test.other", shards=2)
    assert take(start_run("test.limited", PERIOD).run.run_id) is not None
    assert work_on_run(start_run("test.limited", PERIOD + timedelta(hours=1)).run.run_id).done == 0
    assert work_on_run(start_run("test.other", PERIOD).run.run_id).done == 2


def test_shard_whose_lease_ran_out_no_longer_counts(declare, ledger) -> None:
    declare("test.count", shards=2, concurrency=1)
    run_id = start_run("test.count", PERIOD).run.run_id
    assert take(run_id) is not None
    assert take(run_id) is None
    ledger.query("UPDATE job_shards SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")
    assert take(run_id) is not None


def test_pulse_does_not_nudge_for_what_the_limit_would_refuse(declare, database_url) -> None:
    known, sent = Registry(), []
    known.add(declare("test.count", shards=3, concurrency=1))

    class Sent:
        def shard(self, job, run_id, number) -> bool:
            sent.append(number)
            return True

    with freeze_time(PERIOD):
        run_id = start_run("test.count", PERIOD).run.run_id

    def look() -> list[int]:
        sent.clear()
        with transaction() as connection:
            renudge_shards(connection, clock.now(), Sent(), Reminders(), known)
        return list(sent)

    assert look() == [0]
    claim = take(run_id)
    assert claim is not None
    assert look() == []
    with transaction() as connection:
        rows.mark_done(connection, claim, items=1, now=clock.now())
    assert look() == [1]


def test_two_beats_and_two_pulses_at_once_start_each_period_once(declare, ledger) -> None:
    declare("test.count", schedule="* * * * *", catch_up="all", shards=2)
    ledger.query(
        "INSERT INTO job_controls (job, covered_until) VALUES ('test.count', %s)", clock.now() - timedelta(minutes=30)
    )
    with ThreadPoolExecutor(4) as pool:
        started = [each for due in pool.map(lambda _: start_due("test.count"), range(4)) for each in due.started]
    runs = ledger.query("SELECT count(*), count(DISTINCT period), sum(shards_total) FROM job_runs")
    assert runs in ([(30, 30, 60)], [(31, 31, 62)])
    assert sum(each.is_new for each in started) == runs[0][0]
    assert ledger.query("SELECT count(*) FROM job_shards") == [(runs[0][2],)]
