"""The jobs through the engine."""

from datetime import UTC, datetime, timedelta

import pytest

import tasks
from tests.factories import make_lesson, make_question
from worker.jobs.dry_run import dry_run
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.search import store
from worker.search.refresh import refresh

MONDAY = datetime(2026, 11, 23, 18, 40, tzinfo=UTC)
SUNDAY = MONDAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def _jobs(redis_url):
    load_jobs(tasks.MODULES)


def run(connection, job, at=MONDAY, **parameters):
    """Run a job for a period and return its state, shards and items."""
    run_id = start_run(job, at, trigger="manual", parameters=parameters).run.run_id
    work_on_run(run_id)
    return connection.execute("SELECT state, shards_total, items FROM job_runs WHERE id = %s", [run_id]).fetchone()


def test_marks_that_no_refresher_took_are_worked_off_each_minute(committed):
    make_question(committed)
    committed.execute("UPDATE search_dirty SET marked_at = %s", [MONDAY - timedelta(seconds=5)])
    assert run(committed, "search.refresh") == ("succeeded", 0, 0)  # just marked: the refresher's
    assert run(committed, "search.refresh", MONDAY + timedelta(minutes=1)) == ("succeeded", 1, 1)
    assert run(committed, "search.refresh", MONDAY + timedelta(minutes=2)) == ("succeeded", 0, 0)


def test_a_new_definition_is_rolled_out_by_the_job_too(committed):
    make_question(committed)
    refresh(max_seconds=60)
    committed.execute("UPDATE search_state SET version = 0")
    committed.execute("UPDATE questions SET search_vector = NULL")
    assert run(committed, "search.refresh") == ("succeeded", 1, 1)
    assert {each.version for each in store.status(committed)} == {1}


def test_a_dry_run_of_the_refresh_writes_nothing(committed):
    make_question(committed)
    committed.execute("UPDATE search_dirty SET marked_at = %s", [MONDAY - timedelta(minutes=1)])
    report = dry_run("search.refresh", MONDAY, {})
    assert report.samples == [{"marks": 1}]
    assert store.marks(committed) == 1


def test_drift_is_reported_and_healed(committed):
    questions = [make_question(committed) for _ in range(4)]
    lesson = make_lesson(committed)
    refresh(max_seconds=60)
    assert run(committed, "search.check", SUNDAY)[2] == 0
    committed.execute("UPDATE questions SET search_vector = 'wrong' WHERE id = ANY(%s)", [questions[:2]])
    committed.execute("UPDATE lessons SET search_vector = NULL WHERE id = %s", [lesson])
    assert run(committed, "search.check", MONDAY, all=True) == ("succeeded", 2, 3)
    assert refresh(max_seconds=60).written == 3
    assert run(committed, "search.check", SUNDAY - timedelta(days=7)) == ("succeeded", 2, 0)


def test_a_vector_that_is_marked_or_of_an_older_definition_is_no_drift(committed):
    question = make_question(committed)
    refresh(max_seconds=60)
    committed.execute("UPDATE questions SET stem = 'New?' WHERE id = %s", [question])
    assert run(committed, "search.check", SUNDAY) == ("succeeded", 1, 0)
    committed.execute("DELETE FROM search_dirty")
    committed.execute("UPDATE search_state SET version = 0")
    assert run(committed, "search.check", SUNDAY - timedelta(days=7)) == ("succeeded", 0, 0)


def test_a_days_sample_is_a_part_and_other_days_take_other_parts(committed):
    for _ in range(60):
        make_question(committed)
    (bounds,) = store.id_ranges(committed, 10_000)
    looked_at = [store.check(committed, *bounds, share=0.5, salt=salt)[0] for salt in range(6)]
    assert all(0 < each < 60 for each in looked_at)
    assert store.check(committed, *bounds, share=1.0, salt=1)[0] == 60


def test_ranges_hold_every_row_once(committed):
    for _ in range(7):
        make_question(committed)
    ranges = store.id_ranges(committed, 3)
    seen = [store.check(committed, *each, share=1.0, salt=0)[0] for each in ranges]
    assert sorted(seen) == [1, 3, 3]


def test_words_are_counted_and_those_of_nothing_go(committed):
    make_question(committed, stem="A zygomorphic flower")
    make_question(committed, stem="Another zygomorphic plant", explanation="hidden")
    committed.execute("INSERT INTO search_words (word) VALUES ('nowhere')")
    assert run(committed, "search.count_words")[0] == "succeeded"
    words = dict(committed.execute("SELECT word, documents FROM search_words").fetchall())
    assert words["zygomorphic"] == 2
    assert not {"nowhere", "hidden"} & words.keys()
    assert run(committed, "search.count_words", MONDAY + timedelta(hours=3)) == ("succeeded", 0, 0)
