"""Scoring in the database: scores, cohort and events in one transaction, whoever scores and how often."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.factories import make_user
from tests.factories_tryouts import BLANK, RIGHT, WRONG, make_form, make_sitting
from worker import db
from worker.tryouts import store
from worker.tryouts.score import ScoreReport, rescore, score_batch, score_waiting

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
FIRST, LAST = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"


def score_all(connection, now=NOW):
    report = ScoreReport()
    while score_batch(connection, report, 100, now):
        pass
    return report


def session(connection, session_id, *columns):
    cursor = connection.execute(f"SELECT {', '.join(columns)} FROM tryout_sessions WHERE id = %s", [session_id])
    return cursor.fetchone()


def events(connection):
    return connection.execute("SELECT user_id, payload FROM app_events ORDER BY id").fetchall()


def cohort(connection, set_id):
    rows = connection.execute(
        "SELECT raw_score, sittings FROM tryout_cohort_scores WHERE question_set_id = %s AND sittings > 0", [set_id]
    )
    return {int(score): sittings for score, sittings in rows}


def test_submitted_sitting_gets_its_score_its_breakdown_and_one_event(database):
    set_id, ids = make_form(database, skills=("grammar", "reading"), scheme={"pass": {"total": 50}})
    learner = make_user(database)
    session_id = make_sitting(database, set_id, zip(ids, [RIGHT, RIGHT, WRONG], strict=False), user_id=learner)
    assert score_all(database).scored == 1
    assert session(database, session_id, "state", "raw_score", "max_score", "is_passed", "scored_at") == (
        "scored", Decimal(2), Decimal(4), True, NOW,
    )  # fmt: skip
    (result,) = session(database, session_id, "result")
    assert {skill: part["points"] for skill, part in result["skills"].items()} == {
        "grammar": "1.0000",
        "reading": "1.0000",
    }
    ((user_id, payload),) = events(database)
    assert (user_id, payload["tryout_session_id"], payload["raw_score"]) == (learner, str(session_id), "2.0000")


def test_expired_sitting_without_any_answer_is_scored_with_what_blanks_are_worth(database):
    set_id, _ = make_form(database, scheme={"kind": "deduction", "blank": "-0.5"})
    session_id = make_sitting(database, set_id, state="expired", submitted_at=None)
    score_all(database)
    assert session(database, session_id, "state", "raw_score") == ("scored", Decimal(-2))


def test_sitting_of_a_set_that_lost_its_questions_is_scored_without_a_maximum(database):
    set_id, ids = make_form(database)
    session_id = make_sitting(database, set_id, [(ids[0], RIGHT)])
    database.execute("DELETE FROM questionset_questions WHERE question_set_id = %s", [set_id])
    score_all(database)
    assert session(database, session_id, "state", "raw_score", "max_score") == ("scored", Decimal(0), None)
    answers = database.execute("SELECT count(*) FROM tryout_answers WHERE tryout_session_id = %s", [session_id])
    assert answers.fetchone() == (1,)


def test_set_whose_scheme_is_broken_waits_and_does_not_hold_up_others(database):
    broken, ids = make_form(database, scheme={"kind": "mystery"})
    waiting = make_sitting(database, broken, [(ids[0], RIGHT)])
    good, ids = make_form(database)
    scored = make_sitting(database, good, [(ids[0], RIGHT)])
    report = score_all(database)
    assert list(report.broken_sets) == [broken]
    assert session(database, waiting, "state") == ("submitted",)
    assert session(database, scored, "state") == ("scored",)
    database.execute("UPDATE question_sets SET scheme = '{}' WHERE id = %s", [broken])
    assert score_all(database).scored == 1


def test_percentile_is_the_share_of_the_cohort_at_or_below(database, form):
    set_id, ids = form
    low = make_sitting(database, set_id, [])
    middle = [make_sitting(database, set_id, [(ids[0], RIGHT)]) for _ in range(2)]
    high = make_sitting(database, set_id, [(each, RIGHT) for each in ids])
    score_all(database)
    assert [session(database, each, "percentile")[0] for each in (low, *middle, high)] == [25, 75, 75, 100]
    assert cohort(database, set_id) == {0: 1, 1: 2, 4: 1}


def test_perfect_sitting_marks_its_learner_for_achievements(database, form):
    set_id, ids = form
    learner = make_user(database)
    make_sitting(database, set_id, [(each, RIGHT) for each in ids], user_id=learner)
    make_sitting(database, set_id, [(ids[0], RIGHT)])
    score_all(database)
    assert database.execute("SELECT user_id FROM achievement_marks").fetchall() == [(learner,)]


def test_second_delivery_finds_nothing_to_do(database, form):
    make_sitting(database, form[0], [(form[1][0], RIGHT)])
    score_all(database)
    assert score_all(database).scored == 0
    assert len(events(database)) == 1


def test_corrected_key_changes_who_is_concerned_and_keeps_the_earlier_score(database, form):
    set_id, ids = form
    gains = make_sitting(database, set_id, [(ids[0], WRONG), (ids[1], RIGHT)])
    loses = make_sitting(database, set_id, [(ids[0], RIGHT)])
    stays = make_sitting(database, set_id, [(ids[0], BLANK), (ids[1], RIGHT)])
    score_all(database)
    database.execute("""UPDATE questions SET answer_key = '{"correct": "a"}' WHERE id = %s""", [ids[0]])
    later = NOW + timedelta(hours=1)
    seen, changed = rescore(database, set_id, FIRST, LAST, run_id=None, reason="key of 1", now=later)
    assert seen == 3
    assert {each["session_id"]: (each["from"], each["to"]) for each in changed} == {
        str(gains): ("1.0000", "2.0000"),
        str(loses): ("1.0000", "0.0000"),
    }
    history = database.execute(
        "SELECT tryout_session_id, earlier_raw_score, raw_score, reason, earlier_scored_at FROM tryout_score_changes"
    ).fetchall()
    assert sorted(history, key=lambda each: each[2]) == [
        (loses, 1, 0, "key of 1", NOW),
        (gains, 1, 2, "key of 1", NOW),
    ]
    assert session(database, stays, "raw_score", "scored_at") == (1, NOW)
    assert cohort(database, set_id) == {0: 1, 1: 1, 2: 1}
    rescored = [payload["tryout_session_id"] for _, payload in events(database) if payload["is_rescored"]]
    assert sorted(rescored) == sorted([str(gains), str(loses)])
    assert rescore(database, set_id, FIRST, LAST, run_id=None, reason="again", now=later) == (3, [])


def test_abilities_come_from_calibrated_questions_and_grow_with_right_answers(database):
    set_id, ids = make_form(database, 8)
    database.execute("UPDATE questions SET item_discrimination = 1.2, item_difficulty = 0 WHERE id = ANY(%s)", [ids])
    sittings = [make_sitting(database, set_id, [(each, RIGHT) for each in ids[:right]]) for right in (0, 4, 8)]
    score_all(database)
    rows = [session(database, each, "ability", "ability_error", "estimated_level", "result") for each in sittings]
    assert [round(row[0]) for row in rows] == [-2, 0, 2]
    assert all(0.3 < error < 0.9 for _, error, _, _ in rows)
    assert [level for _, _, level, _ in rows] == ["A1", "B1", "B2"] or rows[1][2] == "A2"
    level = rows[1][3]["level"]
    assert level["low"] < level["high"]


def test_scorers_at_the_same_time_score_each_sitting_once(committed):
    set_id, ids = make_form(committed)
    for number in range(60):
        make_sitting(committed, set_id, [(ids[number % 4], RIGHT)])
    totals = []
    start = threading.Barrier(3)

    def work():
        start.wait()
        totals.append(score_waiting(batch_size=7).scored)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    score_waiting()
    assert len(events(committed)) == 60
    assert cohort(committed, set_id) == {1: 60}


def test_crash_before_commit_leaves_everything_to_the_next_scorer(committed):
    set_id, ids = make_form(committed)
    session_id = make_sitting(committed, set_id, [(ids[0], RIGHT)])

    with pytest.raises(ZeroDivisionError), db.transaction() as connection:
        1 / score_batch(connection, ScoreReport(), 10, NOW) - 1 / 0
    assert session(committed, session_id, "state", "raw_score") == ("submitted", None)
    assert (events(committed), cohort(committed, set_id)) == ([], {})
    assert score_waiting().scored == 1
    assert (len(events(committed)), cohort(committed, set_id)) == (1, {1: 1})


def test_overdue_sittings_are_closed_and_others_are_not(database, form):
    overdue = make_sitting(
        database,
        form[0],
        state="in_progress",
        submitted_at=None,
        deadline_at=NOW - timedelta(minutes=1),
        at=NOW - timedelta(hours=2),
    )
    running = make_sitting(database, form[0], state="in_progress", submitted_at=None, deadline_at=NOW, at=NOW)
    assert store.expire(database, closed_before=NOW - timedelta(seconds=30), limit=10) == 1
    assert session(database, overdue, "state") == ("expired",)
    assert session(database, running, "state") == ("in_progress",)


def test_expiry_leaves_a_sitting_that_is_being_submitted_to_its_submission(committed, database_url):
    set_id, _ = make_form(committed)
    session_id = make_sitting(committed, set_id, state="in_progress", submitted_at=None, deadline_at=NOW, at=NOW)
    with psycopg.connect(database_url) as submitting:
        submitting.execute(
            "UPDATE tryout_sessions SET state = 'submitted', submitted_at = %s WHERE id = %s", [NOW, session_id]
        )
        assert store.expire(committed, closed_before=NOW + timedelta(hours=1), limit=10) == 0
        submitting.commit()
    assert store.expire(committed, closed_before=NOW + timedelta(hours=1), limit=10) == 0
    assert session(committed, session_id, "state") == ("submitted",)
