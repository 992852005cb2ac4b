from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.achievements.test_awarding import NOON, codes, query, run, ten_right
from tests.attempts.pipeline import MORNING, drain, inside, on, send
from tests.factories import make_attempt, make_card, make_question, make_stats, make_user
from tests.samples import ANSWERS
from worker.achievements.recounting import differences, recount

_ZONES = ("Asia/Jakarta", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


@pytest.fixture
def committed(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def state_of(connection):
    kept = "attempts, correct, score_total, cards_mature, day_zone, day_start_hour, has_all_days"
    return [
        query(connection, f"SELECT user_id, {kept} FROM user_stats ORDER BY user_id"),
        query(connection, "SELECT user_id, local_date, attempts, correct, early, late FROM user_days ORDER BY 1, 2"),
    ]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 24 * 60), st.sampled_from("ab")), min_size=1, max_size=30),
    st.sampled_from(_ZONES),
    st.sampled_from([0, 4, 23]),
    st.sampled_from(_ZONES),
)
def test_the_pipeline_never_drifts_from_its_history(database, attempts, zone, day_start_hour, moved_to):
    with database.transaction(force_rollback=True):
        user = make_user(database, timezone=zone, day_start_hour=day_start_hour)
        question = make_question(database)
        for number, (hour, choice) in enumerate(attempts):
            send(database, user, question, {"choice": choice}, MORNING + timedelta(hours=hour))
            if number == len(attempts) // 2:
                drain(inside(database), user)
                database.execute("UPDATE users SET timezone = %s WHERE id = %s", [moved_to, user])
        drain(inside(database), user)
        assert differences(database, [user]) == []


def test_drift_is_reported_put_right_and_audited(committed, database_url):
    user = ten_right(committed, database_url, days=2)
    whole = state_of(committed)
    committed.execute("UPDATE user_stats SET attempts = attempts + 3, correct = 9")
    committed.execute("DELETE FROM user_days WHERE local_date = (SELECT min(local_date) FROM user_days)")
    run_id = run("achievements.sweep", all=True)
    assert query(committed, f"SELECT items, state FROM job_runs WHERE id = '{run_id}'") == [(1, "succeeded")]
    assert state_of(committed) == whole
    ((actor, action, learner, before, after),) = query(
        committed, "SELECT actor, action, object_id, before, after FROM audit_log"
    )
    assert (actor, action, learner) == ("job:achievements.sweep", "stats.recounted", str(user))
    assert (before["attempts"], after["attempts"], before["days"], after["days"]) == (13, 10, 1, 2)
    assert codes(committed) == {"correct-10"}  # the sweep awards what is due, marked or not


def test_learners_from_before_days_were_kept_are_counted_without_an_alarm(committed):
    user = make_user(committed, timezone="Asia/Jakarta")
    for number in range(3):
        make_attempt(committed, user_id=user, attempted_at=MORNING + timedelta(days=number))
    make_stats(committed, user_id=user, attempts=3, correct=3, score_total=3, has_all_days=False)
    run("achievements.sweep", all=True)
    assert query(committed, "SELECT sum(attempts), count(*) FROM user_days") == [(3, 3)]
    assert query(committed, "SELECT FROM audit_log") == []
    assert codes(committed) == {"streak-3"}


def test_learners_from_before_days_were_kept_are_counted_as_soon_as_they_study_again(committed, database_url):
    user, question = make_user(committed, timezone="Asia/Jakarta"), make_question(committed)
    for number in range(2):
        make_attempt(committed, user_id=user, attempted_at=MORNING + timedelta(days=number))
    make_stats(committed, user_id=user, attempts=2, correct=2, score_total=2, has_all_days=False)
    send(committed, user, question, ANSWERS["multiple_choice"], MORNING + timedelta(days=2))
    drain(on(database_url), user)
    assert not differences(committed, [user])[0].is_drift
    run("achievements.evaluate")
    assert codes(committed) == {"streak-3"}
    assert query(committed, "SELECT FROM audit_log") == []
    assert differences(committed, [user]) == []


def test_a_refreshed_number_of_cards_leaves_days_of_an_earlier_zone_alone(database):
    user, question = make_user(database, timezone="Asia/Jakarta"), make_question(database)
    send(database, user, question, ANSWERS["multiple_choice"], MORNING - timedelta(hours=4))  # the 24th there
    drain(inside(database), user)
    database.execute("UPDATE users SET timezone = 'America/New_York' WHERE id = %s", [user])
    send(database, user, question, ANSWERS["multiple_choice"], MORNING)  # the 23rd there
    drain(inside(database), user)
    make_card(database, user_id=user, interval=21)
    days = state_of(database)[1]
    assert [each.is_drift for each in recount(database, [user], actor="job:test", now=NOON)] == [False]
    assert state_of(database)[1] == days
    assert differences(database, [user]) == []


def test_cards_that_came_or_went_without_an_attempt_are_no_drift(database):
    user = make_user(database)
    make_stats(database, user_id=user)
    make_card(database, user_id=user, interval=21)
    make_card(database, user_id=user, interval=20)
    (found,) = recount(database, [user], actor="job:test", now=NOON)
    assert not found.is_drift
    assert query(database, "SELECT cards_mature FROM user_stats") == [(1,)]
    assert differences(database, [user]) == []


def test_ten_nights_look_at_every_learner_once(committed, database_url):
    for _ in range(40):
        make_stats(committed, attempts=10, correct=10)
    committed.execute("UPDATE user_stats SET attempts = 10, correct = 10")
    looked_at = 0
    for night in range(10):
        run_id = run("achievements.sweep", NOON + timedelta(days=night))
        looked_at += query(committed, f"SELECT items FROM job_runs WHERE id = '{run_id}'")[0][0]
    assert looked_at == 40  # each had drifted: there is no history


def test_a_batch_that_is_graded_while_a_learner_is_recounted_is_not_lost(committed, database_url):
    user = ten_right(committed, database_url)
    committed.execute("UPDATE user_stats SET correct = 0")
    question = make_question(committed)
    send(committed, user, question, ANSWERS["multiple_choice"], NOON)
    with psycopg.connect(database_url) as grading, psycopg.connect(database_url) as sweep:
        recount(sweep, [user], actor="job:test", now=NOON)
        sweep.commit()
        drain(inside(grading), user)
        grading.commit()
    assert differences(committed, [user]) == []


def test_a_device_whose_clock_is_ahead_is_no_drift(committed, database_url):
    user, question = make_user(committed, timezone="Asia/Jakarta"), make_question(committed)
    before_day_start = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)  # half past three in Jakarta
    ahead = before_day_start + timedelta(minutes=50)
    send(committed, user, question, ANSWERS["multiple_choice"], before_day_start, attempted_at=ahead)
    drain(on(database_url), user)
    assert differences(committed, [user]) == []
    days = query(committed, "SELECT local_date, early, late FROM user_days")
    committed.execute("UPDATE user_stats SET attempts = 2")
    recount(committed, [user], actor="test", now=ahead)
    assert query(committed, "SELECT local_date, early, late FROM user_days") == days
