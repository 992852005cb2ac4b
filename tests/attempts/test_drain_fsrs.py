"""What attempts do to cards on FSRS: steps within the day, fuzz, fitted parameters, leeches, balancing."""

from datetime import date, timedelta

import pytest

from tests.attempts.pipeline import MORNING, drain, inside, row, rows, send
from tests.factories import make_card, make_fit, make_question, make_user
from tests.samples import ANSWERS
from worker.ids import uuid7
from worker.srs import fsrs
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler

RIGHT = ANSWERS["multiple_choice"]
WRONG = {"choice": "a"} if RIGHT["choice"] != "a" else {"choice": "b"}
TODAY = date(2026, 11, 24)


def due_card(database, user, **values):
    values = {
        "state": "review",
        "interval": 10,
        "stability": 10.0,
        "difficulty": 5.0,
        "next_review_date": TODAY,
    } | values
    question = make_question(database, usual_time_ms=10_000)
    make_card(database, user_id=user, item_id=question, last_reviewed_at=MORNING - timedelta(10), **values)
    return question


def test_new_learner_is_on_fsrs_and_waits_ten_minutes_for_the_second_step(database):
    user, question = make_user(database), make_question(database)
    send(database, user, question, RIGHT)
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["state"], card["step"], card["interval"], card["is_learning"]) == ("learning", 1, 0, True)
    assert (card["next_review_date"], card["due_at"]) == (TODAY, MORNING + timedelta(minutes=10))
    assert (card["introduced_at"], card["leech_at"]) == (MORNING, None)
    assert card["stability"] == pytest.approx(DEFAULT_PARAMETERS[2])


def test_steps_done_the_card_waits_for_a_day_and_no_instant(database):
    user, question = make_user(database), make_question(database)
    for minute in (0, 11):
        send(database, user, question, RIGHT, at=MORNING + timedelta(minutes=minute))
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["state"], card["step"], card["due_at"]) == ("review", 0, None)
    assert card["next_review_date"] == TODAY + timedelta(card["interval"])
    assert card["introduced_at"] == MORNING


def test_step_that_ends_after_the_day_is_due_on_the_next_one(database):
    user, question = make_user(database, learning_steps_s=[60, 20 * 3600]), make_question(database)
    send(database, user, question, RIGHT)  # nine in the morning; the step ends at five the next day
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["next_review_date"], card["due_at"]) == (TODAY + timedelta(1), MORNING + timedelta(hours=20))


def test_learner_without_steps_gets_days_at_once_within_the_bounds_wished(database):
    user = make_user(database, learning_steps_s=[], minimum_interval=5, maximum_interval=6)
    send(database, user, make_question(database), RIGHT)
    drain(inside(database), user)
    assert row(database, "srs_cards")["interval"] in (5, 6)


def test_same_day_answers_in_review_are_practice_unless_wrong(database):
    user = make_user(database)
    question = due_card(database, user)
    send(database, user, question, RIGHT)
    drain(inside(database), user)
    before = row(database, "srs_cards")
    send(database, user, question, RIGHT, at=MORNING + timedelta(hours=1))
    drain(inside(database), user)
    assert row(database, "srs_cards") == before
    send(database, user, question, WRONG, at=MORNING + timedelta(hours=2))
    drain(inside(database), user)
    after = row(database, "srs_cards")
    assert (after["state"], after["lapses"], after["due_at"]) == (
        "relearning",
        1,
        MORNING + timedelta(hours=2, minutes=10),
    )


def test_early_review_on_another_day_counts(database):
    user = make_user(database)
    questions = [due_card(database, user), due_card(database, user, next_review_date=TODAY + timedelta(5))]
    for question in questions:
        send(database, user, question, RIGHT)
    drain(inside(database), user)
    assert all(card["stability"] > 10 for card in rows(database, "srs_cards"))


def test_fuzz_depends_on_the_attempt_alone(database):
    user, intervals = make_user(database), set()
    exact = fsrs.review(
        fsrs.CardState("review", 10, 250, 3, 0, TODAY, 0, 10.0, 5.0), 3, TODAY, elapsed_days=10, scheduler=Scheduler()
    ).interval
    first, last = fsrs.fuzz_range(exact, Scheduler())
    attempts = [uuid7(MORNING) for _ in range(40)]
    for _ in range(2):
        questions = [due_card(database, user) for _ in attempts]
        with database.transaction(force_rollback=True):
            for attempt, question in zip(attempts, questions, strict=True):
                send(database, user, question, RIGHT, id=attempt)
            drain(inside(database), user)
            intervals.add(tuple(row(database, "srs_cards", item_id=each)["interval"] for each in questions))
    (seen,) = intervals
    assert len(set(seen)) > 1
    assert first <= min(seen) <= max(seen) <= last


def test_fitted_parameters_and_desired_retention_are_the_learners_own(database):
    parameters = [*DEFAULT_PARAMETERS[:2], 9.0, *DEFAULT_PARAMETERS[3:]]
    fitted, other = (make_user(database, learning_steps_s=[], desired_retention=retention) for retention in (0.8, 0.8))
    make_fit(database, user_id=fitted, parameters=parameters)
    for user in (fitted, other):
        send(database, user, make_question(database), RIGHT)
    drain(inside(database), fitted, other)
    assert row(database, "srs_cards", user_id=fitted)["stability"] == pytest.approx(9.0)
    assert row(database, "srs_cards", user_id=other)["stability"] == pytest.approx(DEFAULT_PARAMETERS[2])


def test_parameters_that_the_model_refuses_stop_nobody(database):
    user = make_user(database)
    make_fit(database, user_id=user, parameters=[float("nan")] * 21)
    send(database, user, make_question(database), RIGHT)
    drain(inside(database), user)
    assert row(database, "srs_cards")["stability"] == pytest.approx(DEFAULT_PARAMETERS[2])


def test_sm2_card_of_a_learner_who_chose_fsrs_is_converted_by_its_next_review(database):
    user = make_user(database)
    question = due_card(database, user, stability=None, difficulty=None)
    send(database, user, question, RIGHT)
    drain(inside(database), user)
    assert row(database, "srs_cards")["stability"] > 10


def test_learner_on_sm2_stays_there(database):
    user = make_user(database, scheduler="sm2")
    send(database, user, make_question(database), RIGHT)
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["interval"], card["stability"], card["due_at"]) == (1, None, None)


# --- leeches ---


@pytest.mark.parametrize("scheduler", ["sm2", "fsrs"])
def test_eighth_lapse_suspends_the_card_and_tells_the_app_once(database, scheduler):
    user = make_user(database, scheduler=scheduler)
    question = due_card(database, user, lapses=7)
    send(database, user, question, WRONG)
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["is_suspended"], card["leech_at"], card["lapses"]) == (True, MORNING, 8)
    event = row(database, "app_events")
    assert (event["kind"], event["user_id"]) == ("srs.card_leeched", user)
    assert event["payload"] == {"card_id": str(card["id"]), "question_id": str(question), "lapses": 8}


@pytest.mark.parametrize(
    ("threshold", "lapses", "suspended"), [(0, 50, False), (3, 1, False), (3, 2, True), (9, 7, False)]
)
def test_the_threshold_is_the_learners_own(database, threshold, lapses, suspended):
    user = make_user(database, leech_lapses=threshold)
    send(database, user, due_card(database, user, lapses=lapses), WRONG)
    drain(inside(database), user)
    assert row(database, "srs_cards")["is_suspended"] is suspended
    assert len(rows(database, "app_events")) == suspended


def test_card_that_its_first_batch_makes_a_leech_is_told_by_its_id(database):
    user, question = make_user(database, scheduler="sm2", leech_lapses=1), make_question(database)
    for hour, answer in enumerate((RIGHT, WRONG)):
        send(database, user, question, answer, at=MORNING + timedelta(hours=hour))
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert card["is_suspended"]
    assert row(database, "app_events")["payload"]["card_id"] == str(card["id"])


# --- balancing ---


@pytest.mark.parametrize("scheduler", ["sm2", "fsrs"])
def test_balanced_cards_are_spread_evenly_over_the_fuzz_range(database, scheduler):
    user = make_user(database, scheduler=scheduler, balance_load=True)
    questions = [due_card(database, user) for _ in range(30)]
    for question in questions:
        send(database, user, question, RIGHT)
    drain(inside(database), user)
    days = [card["interval"] for card in rows(database, "srs_cards")]
    counts = [days.count(each) for each in range(min(days), max(days) + 1)]
    assert len(counts) > 3
    assert max(counts) - min(counts) <= 1


def test_easy_days_and_vacation_get_no_cards(database):
    away = TODAY + timedelta(30), TODAY + timedelta(31)  # of the range of days 28 to 36
    user = make_user(database, weekday_weights=[100] * 5 + [0, 0], vacation_from=away[0], vacation_until=away[1])
    for question in [due_card(database, user) for _ in range(20)]:
        send(database, user, question, RIGHT)
    drain(inside(database), user)
    due = {card["next_review_date"] for card in rows(database, "srs_cards")}
    assert all(day.weekday() < 5 and not away[0] <= day <= away[1] for day in due)
    assert len(due) > 1
