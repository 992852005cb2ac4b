"""Learners' memory in the database: their answers, fits of parameters, and moving between the schedulers."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from tasks.srs_memory import fit_parameters, migrate_state, plan_fits, plan_migration
from tests.factories import make_attempt, make_card, make_fit, make_question, make_stats, make_user
from worker.jobs import Planning, Shard
from worker.srs import memory_store, sm2
from worker.srs.fitting import Fit
from worker.srs.fsrs import DEFAULT_PARAMETERS, rating_of
from worker.srs.prediction import Quality

AT = datetime(2026, 11, 1, 3, tzinfo=UTC)  # 10:00 in Jakarta
USUAL_MS = 10_000
OTHERS = tuple(value * 0.9 for value in DEFAULT_PARAMETERS)


def answer(database, user, question, *, score=1, at=AT, **values):
    values = {"time_spent_ms": USUAL_MS, "received_at": at} | values
    return make_attempt(
        database, user_id=user, question_id=question, score=score, is_correct=score == 1, attempted_at=at, **values
    )


def card_of(database, user):
    with database.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM srs_cards WHERE user_id = %s", (user,)).fetchone()


def scheduler_of(database, user):
    return database.execute("SELECT scheduler FROM user_preferences WHERE user_id = %s", (user,)).fetchone()[0]


def shard(database, bounds, **parameters):
    return Shard(database, uuid4(), 0, AT, bounds, parameters)


def planned(database, plan, **parameters):
    return list(plan(Planning(database, AT, parameters)))


def busy_learner(database, answers=450, **values):
    """A learner with answers to 50 questions, a round every three days."""
    user = make_user(database, **values)
    questions = [make_question(database, usual_time_ms=USUAL_MS) for _ in range(50)]
    generator = Random(1)
    for number in range(answers):
        at = AT + timedelta(days=number // 50 * 3, minutes=number % 50)
        answer(database, user, questions[number % 50], score=int(generator.random() < 0.8), at=at)
    make_stats(database, user_id=user, attempts=answers, correct=0)
    return user


@pytest.mark.parametrize("time_spent_ms", [None, 0, 5_000, 5_001, 20_000, 20_001, 3_600_000, 3_600_001])
@pytest.mark.parametrize("score", [0, 0.5, 1])
def test_rating_in_sql_is_that_of_the_pipeline(database: psycopg.Connection, score, time_spent_ms):
    user, question = make_user(database), make_question(database, usual_time_ms=USUAL_MS)
    answer(database, user, question, score=score, time_spent_ms=time_spent_ms)
    plausible = None if time_spent_ms is not None and time_spent_ms > 3_600_000 else time_spent_ms
    expected = rating_of(sm2.quality(score, False, plausible, USUAL_MS))
    assert [each.rating for each in memory_store.answers(database, [user])[user]] == [expected]


def test_answers_belong_to_the_learners_local_day(database: psycopg.Connection):
    user, question = make_user(database, day_start_hour=4), make_question(database)
    for hour, minute in ((20, 59), (21, 0)):  # 03:59 and 04:00 in Jakarta
        answer(database, user, question, at=datetime(2026, 11, 1, hour, minute, tzinfo=UTC))
    days = [each.day for each in memory_store.answers(database, [user])[user]]
    assert days == [AT.toordinal(), AT.toordinal() + 1]


def test_clock_that_ran_ahead_counts_as_the_instant_of_reception(database: psycopg.Connection):
    user, question = make_user(database), make_question(database)
    answer(database, user, question, at=AT + timedelta(30), received_at=AT)
    assert [each.day for each in memory_store.answers(database, [user])[user]] == [AT.toordinal()]


def test_practice_is_no_review(database: psycopg.Connection):
    user, question = make_user(database), make_question(database, usual_time_ms=USUAL_MS)
    for minute in range(5):
        answer(database, user, question, at=AT + timedelta(minutes=minute))
    assert len(memory_store.reviews(database, [user])[user]) == 2  # the two learning steps


def test_the_newest_accepted_fit_is_the_one_in_use(database: psycopg.Connection):
    user, other = make_user(database), make_user(database)
    make_fit(database, user_id=user, fitted_at=AT)
    make_fit(database, user_id=user, fitted_at=AT + timedelta(1), parameters=list(OTHERS))
    make_fit(database, user_id=user, fitted_at=AT + timedelta(2), is_accepted=False)
    own, population = memory_store.current_parameters(database, [user, other])
    assert own == {user: OTHERS}
    assert population == DEFAULT_PARAMETERS


def test_population_fit_is_for_those_without_their_own(database: psycopg.Connection):
    quality = Quality(50, 0.4, 0.1, 0.6)
    fit = Fit(OTHERS, True, 400, quality, quality, quality)
    memory_store.save_fits(database, {None: fit}, run_id=None, now=AT)
    assert memory_store.current_parameters(database, [uuid4()]) == ({}, OTHERS)


def test_monthly_job_stores_a_fit_with_its_metrics(database: psycopg.Connection):
    user = busy_learner(database)
    population, *learners = planned(database, plan_fits)
    assert population == {"population": True, "user_ids": [str(user)]}
    assert [fit_parameters(shard(database, bounds)) for bounds in (population, *learners)] == [1, 1]
    rows = database.execute("SELECT user_id, cardinality(parameters), reviews, metrics FROM srs_fits").fetchall()
    assert {row[0] for row in rows} == {None, user}
    for _, parameters, reviews, metrics in rows:
        assert parameters == 21
        assert reviews == 360
        assert metrics.keys() == {"fitted", "current", "sm2"}
        assert metrics["fitted"].keys() == {"reviews", "log_loss", "rmse_bins", "auc"}


@pytest.mark.parametrize("values", [{"scheduler": "sm2"}, {"is_active": False}])
def test_learners_on_sm2_and_inactive_ones_are_not_fitted(database: psycopg.Connection, values):
    make_stats(database, user_id=make_user(database, **values), attempts=9_000, correct=0)
    make_stats(database, attempts=399, correct=0)
    assert planned(database, plan_fits) == []


def test_moving_to_fsrs_takes_the_state_from_the_history(database: psycopg.Connection):
    user, question = make_user(database, scheduler="sm2"), make_question(database, usual_time_ms=USUAL_MS)
    for day in (0, 0, 3):
        answer(database, user, question, at=AT + timedelta(day))
    make_card(
        database,
        user_id=user,
        item_id=question,
        interval=6,
        next_review_date=(AT + timedelta(9)).date(),
        last_reviewed_at=AT + timedelta(3),
    )
    assert memory_store.move_to_fsrs(database, [user]) == 1
    after = memory_store.replay(memory_store.answers(database, [user])[user], memory_store.fsrs_scheduler(0.9))
    card = card_of(database, user)
    assert card["stability"] == pytest.approx(after.cards[question].stability)
    assert scheduler_of(database, user) == "fsrs"


def test_history_that_ends_before_the_last_review_does_not_count(database: psycopg.Connection):
    user, question = make_user(database, scheduler="sm2"), make_question(database, usual_time_ms=USUAL_MS)
    answer(database, user, question)
    due_on = (AT + timedelta(60)).date()
    make_card(database, user_id=user, item_id=question, interval=10, next_review_date=due_on, last_reviewed_at=AT)
    memory_store.move_to_fsrs(database, [user])
    assert card_of(database, user)["stability"] == pytest.approx(10.0)


def test_card_without_history_gets_its_state_from_interval_and_ease(database: psycopg.Connection):
    user = make_user(database, scheduler="sm2")
    make_card(database, user_id=user, item_id=uuid4(), interval=10, last_reviewed_at=AT)
    memory_store.move_to_fsrs(database, [user])
    card = card_of(database, user)
    assert (card["stability"], card["difficulty"]) == pytest.approx((10.0, 6.9140563))


def test_moving_there_and_back_changes_nothing(database: psycopg.Connection):
    user = make_user(database, scheduler="sm2")
    make_card(database, user_id=user, item_id=uuid4(), interval=10, repetitions=3, last_reviewed_at=AT)
    before = card_of(database, user)
    for target in ("fsrs", "sm2"):
        (bounds,) = planned(database, plan_migration, to=target)
        assert migrate_state(shard(database, bounds, to=target)) == 1
    assert card_of(database, user) | {"updated_at": None} == before | {"updated_at": None}
    assert scheduler_of(database, user) == "sm2"


def test_new_cards_need_no_conversion(database: psycopg.Connection):
    user = make_user(database, scheduler="sm2")
    make_card(database, user_id=user, item_id=uuid4(), state="new", interval=0, repetitions=0, last_reviewed_at=None)
    assert memory_store.move_to_fsrs(database, [user]) == 0


def test_moving_twice_moves_once(database: psycopg.Connection):
    user = make_user(database, scheduler="sm2")
    make_card(database, user_id=user, item_id=uuid4(), last_reviewed_at=AT)
    assert [memory_store.move_to_fsrs(database, [user]) for _ in range(2)] == [1, 0]
    assert planned(database, plan_migration, to="fsrs") == []


def test_only_the_learners_named_are_moved(database: psycopg.Connection):
    one, _ = (make_user(database, scheduler="sm2") for _ in range(2))
    assert planned(database, plan_migration, to="fsrs", user_ids=[str(one)]) == [{"user_ids": [str(one)]}]


def test_learner_without_preferences_is_on_fsrs(database: psycopg.Connection):
    user = make_user(database)
    assert UUID(planned(database, plan_migration, to="sm2")[0]["user_ids"][0]) == user
    memory_store.move_to_sm2(database, [user])
    assert scheduler_of(database, user) == "sm2"
