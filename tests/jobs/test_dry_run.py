"""Dry runs: the same code, its counts and a sample, and nothing left behind."""

from datetime import UTC, datetime

import pytest

import tasks
from tests.factories import make_attempt, make_card, make_question, make_question_set, make_run, make_user
from worker.db import transaction
from worker.jobs.definition import SAMPLES, Planning, Shard
from worker.jobs.dry_run import dry_run
from worker.jobs.errors import NoScheduleError, UnknownJobError, UnknownParameterError
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def effects(ledger):
    ledger.query("CREATE TABLE effects (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    return ledger


def note(shard: Shard) -> int:
    shard.connection.execute("INSERT INTO effects VALUES (%s)", (shard.bounds["n"],))
    shard.show({"n": shard.bounds["n"]})
    return 10


def test_dry_run_counts_and_shows_what_a_run_would_do_and_leaves_nothing(declare, effects) -> None:
    called = []

    def body(shard: Shard) -> int:
        shard.after_commit(lambda: called.append(shard.number))
        return note(shard)

    declare("test.count", body, shards=3)
    report = dry_run("test.count", PERIOD)
    assert (report.job, report.period, report.shards, report.items, report.failed) == ("test.count", PERIOD, 3, 30, 0)
    assert report.samples == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert called == []
    assert effects.query("SELECT (SELECT count(*) FROM effects), (SELECT count(*) FROM job_runs)") == [(0, 0)]


def test_dry_run_takes_neither_the_period_nor_its_shards(declare, effects) -> None:
    declare("test.count", note, shards=3)
    dry_run("test.count", PERIOD)
    started = start_run("test.count", PERIOD)
    assert started.is_new
    assert work_on_run(started.run.run_id).done == 3


def test_body_and_planner_are_told_parameters_and_body_that_it_is_dry(declare, effects) -> None:
    seen = []

    def planner(planning: Planning) -> list[dict[str, int]]:
        seen.append(planning.parameters)
        return [{"n": 7}]

    def body(shard: Shard) -> int:
        seen.append((shard.is_dry_run, shard.parameters, shard.period, shard.bounds))
        return 1

    declare("test.count", body, planner=planner, parameters={"level": "a CEFR level"})
    dry_run("test.count", PERIOD, {"level": "A1"})
    assert seen == [{"level": "A1"}, (True, {"level": "A1"}, PERIOD, {"n": 7})]


def test_samples_end_at_twenty_and_a_real_run_keeps_none(declare, effects) -> None:
    shown = []

    def body(shard: Shard) -> int:
        for n in range(15):
            shard.show(n)
        shown.append(shard.samples)
        return 1

    declare("test.count", body, shards=3)
    assert len(dry_run("test.count", PERIOD).samples) == SAMPLES
    shown.clear()
    work_on_run(start_run("test.count", PERIOD).run.run_id)
    assert shown == [[], [], []]


def test_shard_that_would_fail_is_counted_with_its_error_and_the_others_go_on(declare, effects) -> None:
    declare("test.count", lambda shard: 1 / 0 if shard.bounds["n"] == 1 else note(shard), shards=3)
    report = dry_run("test.count", PERIOD)
    assert (report.items, report.failed) == (20, 1)
    assert report.errors == ["shard 1: ZeroDivisionError: division by zero"]


def test_what_only_a_commit_would_refuse_is_found_too(declare, effects) -> None:
    def twice(shard: Shard) -> int:
        return note(shard) + note(shard)

    declare("test.count", twice, shards=1)
    report = dry_run("test.count", PERIOD)
    assert report.failed == 1
    assert "UniqueViolation" in report.errors[0]


def test_planner_that_would_fail_is_reported(declare, effects) -> None:
    declare("test.count", planner=lambda _: 1 / 0)
    report = dry_run("test.count", PERIOD)
    assert (report.shards, report.failed) == (0, 1)
    assert report.errors == ["planning failed: ZeroDivisionError: division by zero"]


def test_mistakes_are_errors(declare, effects) -> None:
    declare("test.count", parameters={"level": "a CEFR level"})
    with pytest.raises(UnknownJobError):
        dry_run("test.cuont", PERIOD)
    with pytest.raises(NoScheduleError):
        dry_run("test.count")
    with pytest.raises(UnknownParameterError, match=r"takes no parameter 'levle'; it takes: level"):
        dry_run("test.count", PERIOD, {"levle": "A1"})


def test_every_declared_job_can_be_tried_dry_and_writes_nothing(ledger) -> None:
    with transaction() as connection:
        for _ in range(3):
            user = make_user(connection, scheduler="sm2")
            question = make_question(connection)
            make_card(connection, user_id=user, item_id=question, next_review_date="2020-01-01")
            make_attempt(connection, user_id=user, question_id=question)
        make_run(connection, state="succeeded", finished_at=datetime(2020, 1, 1, tzinfo=UTC))
        question_set = make_question_set(connection)
    tables = [
        name
        for (name,) in ledger.query(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    ]

    def written() -> list[list[tuple]]:
        return [ledger.query(f"SELECT count(*), max(xmin::text::bigint) FROM {name}") for name in tables]

    needed = {
        "achievements.backfill": {"code": "first-lesson"},
        "tryouts.rescore": {"question_set_id": str(question_set)},
    }
    names = [job.name for job in load_jobs(tasks.MODULES) if "test" not in job.name]
    before = written()
    reports = {name: dry_run(name, PERIOD, needed.get(name)) for name in names}
    assert written() == before
    assert {name: report.errors for name, report in reports.items() if report.failed} == {}
    assert reports["srs.build_due_queues"].items == 3
    assert len(reports["srs.build_due_queues"].samples) == 3
    assert reports["srs.migrate_state"].samples[0]["learners"] == 3
    assert reports["jobs.prune"].items == 1
