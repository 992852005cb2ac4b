import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

import tasks.achievements as _jobs  # noqa: F401  declares the jobs
from tests.attempts.pipeline import drain, on, send
from tests.factories import make_achievement_mark, make_question, make_stats, make_user
from tests.samples import ANSWERS
from worker.achievements import store
from worker.achievements.errors import NotAwardedError
from worker.achievements.rules import Award
from worker.jobs.dry_run import dry_run
from worker.jobs.execution import start_run, work_on_run

NOON = datetime(2026, 11, 24, 5, tzinfo=UTC)


def run(job, period=NOON, **parameters):
    started = start_run(job, period, trigger="manual", parameters=parameters).run
    work_on_run(started.run_id)
    return started.run_id


@pytest.fixture
def committed(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def query(connection, statement):
    return connection.execute(statement).fetchall()


def codes(connection):
    return {code for (code,) in query(connection, "SELECT code FROM user_achievements")}


def ten_right(connection, url, days=1):
    user, question = make_user(connection), make_question(connection)
    for number in range(10):
        send(
            connection, user, question, ANSWERS["multiple_choice"], NOON + timedelta(days=number % days, minutes=number)
        )
    drain(on(url), user)
    return user


def test_attempts_are_graded_then_awarded_with_an_event_and_evidence(committed, database_url):
    user = ten_right(committed, database_url, days=3)
    run("achievements.evaluate")
    assert query(committed, "SELECT user_id, code, evidence FROM user_achievements ORDER BY code") == [
        (user, "correct-10", {"counters": {"correct": 10}, "needed": {"correct": 10}}),
        (user, "streak-3", {"counters": {"longest_streak": 3}, "needed": {"longest_streak": 3}}),
    ]
    events = query(committed, "SELECT kind, user_id, payload->>'code' FROM app_events ORDER BY 3")
    assert events == [("achievement.awarded", user, "correct-10"), ("achievement.awarded", user, "streak-3")]
    assert query(committed, "SELECT FROM achievement_marks") == []


def test_only_marked_learners_are_looked_at_and_nothing_is_awarded_twice(committed, database_url):
    make_stats(committed, attempts=500, correct=500)
    user = make_stats(committed, attempts=20, correct=20) and make_user(committed)
    make_stats(committed, user_id=user, attempts=10, correct=10)
    for step in range(3):
        store.mark(committed, [user, user])
        run("achievements.evaluate", NOON + timedelta(minutes=5 * step))
    assert query(committed, "SELECT user_id, code FROM user_achievements") == [(user, "correct-10")]
    assert query(committed, "SELECT count(*) FROM app_events") == [(1,)]


def test_a_mark_that_comes_while_the_job_works_stays_for_the_next_run(committed, database_url):
    user = make_user(committed)
    make_achievement_mark(committed, user_id=user)
    with psycopg.connect(database_url) as job:
        assert store.take_marked(job, user, user) == [user]
        make_achievement_mark(committed, user_id=user)  # waits for nobody
        job.commit()
    assert store.marked_ranges(committed, 10) == [(user, user)]


def test_ranges_hold_every_marked_learner_once(committed):
    users = sorted(uuid4() for _ in range(25))
    for user in users * 2:
        make_achievement_mark(committed, user_id=user)
    ranges = store.marked_ranges(committed, 10)
    assert ranges == [(users[0], users[9]), (users[10], users[19]), (users[20], users[24])]


def test_many_at_once_award_exactly_once(committed, database_url):
    users = [make_user(committed) for _ in range(20)]
    earned = [Award(user, code, {}) for user in users for code in ("a", "b", "c")]
    new = []

    def award(step):
        with psycopg.connect(database_url) as connection:
            new.extend(store.award(connection, earned if step % 2 else earned[::-1], NOON))

    threads = [threading.Thread(target=award, args=[step]) for step in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == sorted(earned)
    assert query(committed, "SELECT count(*) FROM user_achievements") == [(60,)]
    assert query(committed, "SELECT count(*), count(DISTINCT (user_id, payload->>'code')) FROM app_events") == [
        (60, 60)
    ]


def test_an_award_that_is_rolled_back_leaves_no_event(committed, database_url):
    user = make_user(committed)
    with psycopg.connect(database_url) as connection:
        store.award(connection, [Award(user, "a", {})], NOON)
        connection.rollback()
    assert query(committed, "SELECT FROM app_events") == []


def test_what_an_operator_revoked_is_not_awarded_again(committed, database_url):
    user = ten_right(committed, database_url)
    run("achievements.evaluate")
    now = datetime(2099, 1, 1, tzinfo=UTC)
    store.revoke(committed, user, "correct-10", actor="cli:ani", reason="shared account", now=now)
    store.mark(committed, [user])
    run("achievements.evaluate", NOON + timedelta(minutes=5))
    run("achievements.backfill", code="correct")
    assert query(committed, "SELECT revoked_at FROM user_achievements") == [(now,)]
    assert query(committed, "SELECT count(*) FROM app_events") == [(1,)]
    assert query(committed, "SELECT actor, action, after->>'reason' FROM audit_log") == [
        ("cli:ani", "achievement.revoked", "shared account")
    ]
    with pytest.raises(NotAwardedError, match="standing"):
        store.revoke(committed, user, "correct-10", actor="cli:ani", reason="again", now=now)
    store.restore(committed, user, "correct-10", actor="cli:ani", reason="a mistake", now=now)
    assert query(committed, "SELECT revoked_at FROM user_achievements") == [(None,)]
    with pytest.raises(NotAwardedError, match="revoked"):
        store.restore(committed, user, "correct-10", actor="cli:ani", reason="again", now=now)


def test_backfilling_gives_one_achievement_to_all_who_earned_it_and_a_dry_run_to_nobody(committed, database_url):
    for correct in (5, 10, 100):
        make_stats(committed, attempts=correct, correct=correct, lessons_started=1, lessons_completed=1)
    report = dry_run("achievements.backfill", NOON, {"code": "correct"})
    assert (report.items, report.failed, len(report.samples)) == (3, 0, 3)
    assert codes(committed) == set()
    run("achievements.backfill", code="correct-10")
    assert query(committed, "SELECT code FROM user_achievements") == [("correct-10",)] * 2
    unknown = dry_run("achievements.backfill", NOON, {"code": "corect"})
    assert "no achievement 'corect'" in unknown.errors[0]
