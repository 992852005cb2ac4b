"""What attempts change: cards in the order of their instants, lesson progress, decks."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.attempts.pipeline import MORNING, drain, inside, row, rows, send
from tests.factories import (
    make_card,
    make_lesson,
    make_progress,
    make_question,
    make_user,
)
from tests.samples import ANSWERS

RIGHT = ANSWERS["multiple_choice"]
WRONG = {"choice": "a"} if RIGHT["choice"] != "a" else {"choice": "b"}


def test_a_batch_is_folded_in_the_order_of_the_attempts_whatever_their_arrival(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    for days in (7, 1, 0):
        send(database, user, question, RIGHT, MORNING + timedelta(days), received_at=MORNING + timedelta(8))
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["repetitions"], card["interval"]) == (3, 15)
    assert card["next_review_date"] == date(2026, 11, 24) + timedelta(7 + 15)


def test_a_late_attempt_counts_and_never_moves_the_card(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    lesson = make_lesson(database, question_ids=[question])
    send(database, user, question, RIGHT, MORNING, lesson_id=lesson)
    drain(inside(database), user)
    before = row(database, "srs_cards")
    send(database, user, question, WRONG, MORNING - timedelta(3), lesson_id=lesson, received_at=MORNING)
    drain(inside(database), user)
    assert row(database, "srs_cards") == before
    stats, progress = row(database, "user_stats"), row(database, "lesson_progress")
    assert (stats["attempts"], stats["correct"], stats["first_attempted_at"]) == (2, 1, MORNING - timedelta(3))
    assert (stats["last_attempted_at"], progress["attempted"]) == (MORNING, 2)
    assert (progress["first_attempted_at"], progress["last_attempted_at"]) == (MORNING - timedelta(3), MORNING)


def test_practice_before_the_due_day_moves_nothing_and_a_wrong_answer_does(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    due = date(2026, 12, 1)
    make_card(database, user_id=user, item_id=question, next_review_date=due, last_reviewed_at=MORNING - timedelta(7))
    send(database, user, question, RIGHT)
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["next_review_date"], card["repetitions"]) == (due, 3)
    send(database, user, question, WRONG, MORNING + timedelta(hours=1))
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["next_review_date"], card["state"], card["lapses"]) == (date(2026, 11, 25), "relearning", 1)
    assert (card["is_learning"], card["interval"], card["repetitions"]) == (True, 1, 0)


def test_an_existing_card_goes_on_from_its_interval_and_ease(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database, usual_time_ms=10_000)
    due = {"next_review_date": date(2026, 11, 24), "last_reviewed_at": MORNING - timedelta(7)}
    suspended = {"is_suspended": True, "ease_factor": Decimal("2.36")}
    make_card(database, user_id=user, item_id=question, **due, **suspended)
    send(database, user, question, RIGHT, time_spent_ms=4_000)
    drain(inside(database), user)
    card = row(database, "srs_cards")
    assert (card["ease_factor"], card["interval"], card["repetitions"]) == (Decimal("2.46"), 18, 4)
    assert (card["next_review_date"], card["is_suspended"]) == (date(2026, 12, 12), True)


@pytest.mark.parametrize(
    ("zone", "day_start_hour", "at", "due"),
    [
        ("Asia/Jakarta", 4, datetime(2026, 11, 24, 20, 59, tzinfo=UTC), date(2026, 11, 25)),
        ("Asia/Jakarta", 4, datetime(2026, 11, 24, 21, 0, tzinfo=UTC), date(2026, 11, 26)),
        ("Asia/Jayapura", 0, datetime(2026, 11, 24, 15, 0, tzinfo=UTC), date(2026, 11, 26)),
        ("America/New_York", 4, datetime(2026, 11, 1, 8, 59, tzinfo=UTC), date(2026, 11, 1)),
        ("America/New_York", 4, datetime(2026, 11, 1, 9, 0, tzinfo=UTC), date(2026, 11, 2)),
    ],
)
def test_a_card_is_due_on_a_day_of_the_learners_own_zone(database, zone, day_start_hour, at, due):
    user, question = (
        make_user(database, scheduler="sm2", timezone=zone, day_start_hour=day_start_hour),
        make_question(database),
    )
    send(database, user, question, RIGHT, at)
    drain(inside(database), user)
    assert row(database, "srs_cards")["next_review_date"] == due


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=4000)])
def test_an_instant_in_the_future_is_stored_as_sent_and_scheduled_from_its_reception(database, ahead):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    send(database, user, question, RIGHT, MORNING + ahead, received_at=MORNING)
    drain(inside(database), user)
    assert row(database, "question_attempts")["attempted_at"] == MORNING + ahead
    assert row(database, "srs_cards")["last_reviewed_at"] == MORNING
    assert row(database, "user_stats")["last_attempted_at"] == MORNING


def test_a_clock_a_few_minutes_ahead_is_believed(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    send(database, user, question, RIGHT, MORNING + timedelta(minutes=5), received_at=MORNING)
    drain(inside(database), user)
    assert row(database, "srs_cards")["last_reviewed_at"] == MORNING + timedelta(minutes=5)


@pytest.mark.parametrize("instant", ["-infinity", "0044-03-15 BC", "1066-10-14", "infinity", "294000-01-01"])
def test_absurd_instants_are_graded_like_any_other(database, instant):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    send(database, user, question, RIGHT)
    database.execute("UPDATE attempt_inbox SET attempted_at = %s::timestamptz", (instant,))
    assert drain(inside(database), user).graded == 1
    assert len(rows(database, "srs_cards")) == 1


def test_an_absurd_time_is_stored_and_counts_as_unknown(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    send(database, user, question, RIGHT, time_spent_ms=2_000_000_000)
    drain(inside(database), user)
    assert row(database, "question_attempts")["time_spent_ms"] == 2_000_000_000
    assert row(database, "user_stats")["time_spent_ms"] == 0
    assert row(database, "srs_cards")["ease_factor"] == Decimal("2.50")


def test_the_first_attempt_in_a_lesson_puts_its_other_questions_into_the_deck(database):
    user = make_user(database, scheduler="sm2")
    questions = [make_question(database) for _ in range(4)]
    lesson = make_lesson(database, question_ids=questions)
    make_card(database, user_id=user, item_id=questions[3], next_review_date=date(2027, 1, 1))
    send(database, user, questions[0], RIGHT, lesson_id=lesson)
    drain(inside(database), user)
    cards = {card["item_id"]: card for card in rows(database, "srs_cards", user_id=user)}
    assert cards.keys() == set(questions)
    assert [cards[question]["state"] for question in questions] == ["review", "new", "new", "review"]
    assert cards[questions[1]]["next_review_date"] == date(2026, 11, 24)
    assert cards[questions[3]]["next_review_date"] == date(2027, 1, 1)
    assert row(database, "user_stats")["cards"] == 3
    database.execute("DELETE FROM srs_cards WHERE item_id = %s", (questions[2],))
    send(database, user, questions[1], RIGHT, MORNING + timedelta(1), lesson_id=lesson)
    drain(inside(database), user)
    assert len(rows(database, "srs_cards", user_id=user)) == 3


def test_a_lesson_that_is_known_as_not_started_starts_like_any_other(database):
    user = make_user(database, scheduler="sm2")
    questions = [make_question(database) for _ in range(3)]
    lesson = make_lesson(database, question_ids=questions)
    make_progress(database, user_id=user, lesson_id=lesson)
    make_card(database, user_id=user, item_id=questions[2], next_review_date=date(2027, 1, 1))
    send(database, user, questions[0], RIGHT, lesson_id=lesson)
    report = drain(inside(database), user)
    assert (report.graded, report.retries) == (1, 0)
    assert {card["item_id"] for card in rows(database, "srs_cards")} == set(questions)
    assert row(database, "srs_cards", item_id=questions[2])["next_review_date"] == date(2027, 1, 1)
    assert row(database, "user_stats")["lessons_started"] == 1
    assert row(database, "lesson_progress")["status"] == "in_progress"


def test_progress_counts_attempts_and_completes_when_each_question_was_answered_right(database):
    user = make_user(database, scheduler="sm2")
    questions = [make_question(database) for _ in range(3)]
    lesson = make_lesson(database, question_ids=questions)
    seen = []
    for minutes, (number, answer) in enumerate(
        [(0, WRONG), (0, RIGHT), (0, RIGHT), (1, RIGHT), (2, RIGHT), (2, WRONG)]
    ):
        at = MORNING + timedelta(minutes=minutes)
        send(database, user, questions[number], answer, at, lesson_id=lesson)
        drain(inside(database), user)
        progress = row(database, "lesson_progress")
        seen.append(
            (progress["attempted"], progress["correct"], str(progress["completion_percentage"]), progress["status"])
        )
    assert seen == [
        (1, 0, "0.00", "in_progress"),
        (2, 1, "33.33", "in_progress"),
        (3, 2, "33.33", "in_progress"),
        (4, 3, "66.67", "in_progress"),
        (5, 4, "100.00", "completed"),
        (6, 4, "100.00", "completed"),
    ]
    assert progress["completed_at"] == MORNING + timedelta(minutes=4)
    assert progress["correct_question_ids"] == questions
    stats = row(database, "user_stats")
    assert (stats["lessons_started"], stats["lessons_completed"]) == (1, 1)


def test_a_lesson_that_grew_stays_completed_and_shows_its_share(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    lesson = make_lesson(database, question_ids=[question])
    send(database, user, question, RIGHT, lesson_id=lesson)
    drain(inside(database), user)
    database.execute(
        "INSERT INTO lesson_questions (lesson_id, question_id, position) VALUES (%s, %s, 9)",
        (lesson, make_question(database)),
    )
    send(database, user, question, RIGHT, MORNING + timedelta(1), lesson_id=lesson)
    drain(inside(database), user)
    progress = row(database, "lesson_progress")
    assert (progress["status"], progress["completion_percentage"]) == ("completed", 50)
    assert row(database, "user_stats")["lessons_completed"] == 1


def test_progress_imported_without_counters_can_be_completed(database):
    user, question = make_user(database, scheduler="sm2"), make_question(database)
    lesson = make_lesson(database, question_ids=[question])
    make_progress(database, user_id=user, lesson_id=lesson, attempted=1, status="in_progress")
    send(database, user, question, RIGHT, lesson_id=lesson)
    assert drain(inside(database), user).graded == 1
    stats = row(database, "user_stats")
    assert (stats["lessons_started"], stats["lessons_completed"]) == (1, 1)


def test_a_lesson_without_the_question_gets_no_progress(database):
    user, question, lesson = make_user(database, scheduler="sm2"), make_question(database), make_lesson(database)
    send(database, user, question, RIGHT, lesson_id=lesson)
    assert drain(inside(database), user).graded == 1
    assert rows(database, "lesson_progress") == []
    assert row(database, "question_attempts")["lesson_id"] == lesson
