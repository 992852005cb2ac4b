"""The jobs through the engine: planned, worked on, repeated."""

from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest

import tasks
from tasks.tryouts import score
from tests.factories_tryouts import RIGHT, WRONG, make_form, make_sitting
from worker import clock
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.tryouts.irt import Items, probabilities
from worker.tryouts.score import score_waiting

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _jobs(redis_url):
    load_jobs(tasks.MODULES)


def run(connection, job, at=AT, **parameters):
    """Run a job for a period and return its state, shards and items."""
    run_id = start_run(job, at, trigger="manual", parameters=parameters).run.run_id
    work_on_run(run_id)
    return connection.execute("SELECT state, shards_total, items FROM job_runs WHERE id = %s", [run_id]).fetchone()


def test_job_scores_what_no_nudge_scored_and_nothing_twice(committed):
    set_id, ids = make_form(committed)
    for _ in range(5):
        make_sitting(committed, set_id, [(ids[0], RIGHT)])
    assert run(committed, "tryouts.score") == ("succeeded", 1, 5)
    assert run(committed, "tryouts.score", AT + timedelta(minutes=1)) == ("succeeded", 0, 0)


def test_nudged_task_scores_all_that_waits(committed):
    set_id, ids = make_form(committed)
    make_sitting(committed, set_id, [(ids[0], RIGHT)])
    score()
    assert committed.execute("SELECT count(*) FROM app_events WHERE kind = 'tryout.scored'").fetchone() == (1,)


def test_overdue_sittings_are_closed_after_the_grace_and_not_before(committed, settings):
    settings(tryout_grace_seconds=30)
    set_id, _ = make_form(committed)
    for deadline in (AT - timedelta(seconds=31), AT - timedelta(seconds=29)):
        make_sitting(
            committed, set_id, state="in_progress", submitted_at=None, deadline_at=deadline, at=AT - timedelta(hours=2)
        )
    assert run(committed, "tryouts.expire") == ("succeeded", 1, 1)
    assert run(committed, "tryouts.expire", AT + timedelta(minutes=1)) == ("succeeded", 1, 1)
    assert run(committed, "tryouts.expire", AT + timedelta(minutes=2)) == ("succeeded", 0, 0)


def test_corrected_key_is_scored_again_shard_by_shard(committed, monkeypatch):
    monkeypatch.setattr("tasks.tryouts.RESCORED_TOGETHER", 2)
    set_id, ids = make_form(committed)
    for number in range(5):
        make_sitting(committed, set_id, [(ids[0], WRONG if number < 3 else RIGHT)])
    score_waiting()
    committed.execute("""UPDATE questions SET answer_key = '{"correct": "a"}' WHERE id = %s""", [ids[0]])
    parameters = {"question_set_id": str(set_id), "reason": "key of question 1"}
    assert run(committed, "tryouts.rescore", **parameters) == ("succeeded", 3, 5)
    changes = committed.execute("SELECT DISTINCT reason, run_id IS NOT NULL FROM tryout_score_changes").fetchall()
    assert changes == [("key of question 1", True)]
    assert run(committed, "tryouts.rescore", AT + timedelta(hours=1), **parameters) == ("succeeded", 3, 0)


def test_rescoring_of_no_set_fails_at_planning_with_the_remedy(committed):
    assert run(committed, "tryouts.rescore")[0] == "failed"
    (error,) = committed.execute("SELECT error FROM job_runs").fetchone()
    assert "question_set_id" in error


@pytest.fixture
def sat(committed):
    """Two forms with eight questions in common, sat by 400 examinees each; the last question's key is wrong."""
    random = np.random.default_rng(5)
    _, ids = make_form(committed, 16)
    slopes, places = random.uniform(0.8, 1.8, 16), random.normal(0, 0.8, 16)
    items = Items(slopes, -slopes * places)
    forms = [range(12), [*range(4, 16)]]
    for form in forms:
        set_id, _ = make_form(committed, 0)
        with committed.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO questionset_questions (question_set_id, question_id, position) VALUES (%s, %s, %s)",
                [(set_id, ids[number], position) for position, number in enumerate(form)],
            )
        right = random.random((400, 16)) < probabilities(items, random.normal(0, 1, 400))
        right[:, 15] = ~right[:, 15]
        with committed.transaction():
            for row in right:
                make_sitting(committed, set_id, [(ids[number], RIGHT if row[number] else WRONG) for number in form])
    score_waiting()
    return ids, items


def test_calibration_puts_all_forms_on_one_scale_and_flags_the_bad_question(committed, sat):
    ids, items = sat
    state, _, calibrated = run(committed, "tryouts.calibrate")
    assert (state, calibrated) == ("succeeded", 16)
    found = {
        question_id: (slope, place)
        for question_id, slope, place in committed.execute(
            "SELECT id, item_discrimination, item_difficulty FROM questions WHERE item_difficulty IS NOT NULL"
        )
    }
    assert set(found) == set(ids[:15])
    difficulties = [found[question_id][1] for question_id in ids[:15]]
    assert np.corrcoef(difficulties, items.difficulty[:15])[0, 1] > 0.95
    flags = committed.execute("SELECT flags FROM tryout_item_calibrations WHERE question_id = %s", [ids[15]]).fetchone()
    assert flags[0][0] == "negative_discrimination"
    missing = committed.execute("SELECT count(*) FROM tryout_sessions WHERE ability IS NULL").fetchone()
    assert missing == (0,)
    (shown,) = committed.execute("SELECT result -> 'level' FROM tryout_sessions LIMIT 1").fetchone()
    assert set(shown) == {"estimate", "low", "high"}
    # The next night stands on the scale of the first one.
    run(committed, "tryouts.calibrate", AT + timedelta(days=1))
    scales = committed.execute("SELECT scale, count(*) FROM tryout_item_calibrations GROUP BY 1 ORDER BY 1").fetchall()
    assert scales == [("linked", 16), ("reference", 16)]
    again = committed.execute("SELECT item_difficulty FROM questions WHERE id = %s", [ids[0]]).fetchone()
    assert again[0] == pytest.approx(found[ids[0]][1], abs=0.01)


def test_calibration_of_nothing_does_nothing(committed):
    assert run(committed, "tryouts.calibrate") == ("succeeded", 1, 0)


def test_signals_are_looked_for_set_by_set(committed):
    set_id, ids = make_form(committed, 10)
    make_sitting(committed, set_id, [(each, RIGHT) for each in ids], time_spent_ms=300)
    score_waiting()
    period = clock.now() + timedelta(minutes=1)
    assert run(committed, "tryouts.find_signals", period) == ("succeeded", 2, 1)


def test_each_submission_wakes_scorers_through_the_outbox(committed, database_url):
    # The statement of the API, as the app's own code could send it.
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT enqueue_job('tryouts.score_waiting', '{}', 'tryouts.score_waiting:a')")
    assert committed.execute("SELECT task, payload FROM job_outbox").fetchall() == [("tryouts.score_waiting", {})]
