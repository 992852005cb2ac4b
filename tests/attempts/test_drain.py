"""Draining a lane turns each attempt into a graded attempt, a card, progress and statistics, once."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from psycopg.types.json import Json

from tests.attempts.pipeline import MORNING, drain, inside, row, rows, send, user_in_lane, waiting
from tests.factories import (
    make_question,
    make_tryout_session,
    make_user,
)
from tests.samples import ANSWERS
from worker.attempts.drain import drain_lane
from worker.attempts.grading import QUESTION_TYPES
from worker.ids import lane_of, uuid7

RIGHT = ANSWERS["multiple_choice"]
WRONG = {"choice": "a"} if RIGHT["choice"] != "a" else {"choice": "b"}


@pytest.mark.parametrize("question_type", sorted(QUESTION_TYPES))
def test_a_right_answer_of_every_type_is_graded_and_scheduled(database, question_type):
    user, question = make_user(database, scheduler="sm2"), make_question(database, type=question_type)
    attempt = send(database, user, question, ANSWERS[question_type])
    report = drain(inside(database), user)
    assert (report.taken, report.graded, report.is_empty, waiting(database)) == (1, 1, True, 0)
    graded = row(database, "question_attempts")
    assert (graded["id"], graded["user_id"], graded["question_id"]) == (attempt, user, question)
    assert (graded["score"], graded["is_correct"], graded["answer"]) == (1, True, ANSWERS[question_type])
    assert (graded["attempted_at"], graded["received_at"], graded["time_spent_ms"]) == (MORNING, MORNING, 10_000)
    card = row(database, "srs_cards")
    assert (card["user_id"], card["item_id"], card["state"], card["interval"]) == (user, question, "review", 1)
    assert (card["next_review_date"], card["last_reviewed_at"]) == (date(2026, 11, 25), MORNING)
    stats = row(database, "user_stats", user_id=user)
    assert (stats["attempts"], stats["correct"], stats["cards"], stats["time_spent_ms"]) == (1, 1, 1, 10_000)
    assert (stats["score_total"], stats["first_attempted_at"]) == (1, MORNING)


def test_partial_credit_is_kept_to_four_decimals_and_restarts_the_card(database):
    user = make_user(database)
    key = {"blanks": [["went"], ["to"], ["by"]]}
    question = make_question(database, type="fill_blank", answer_key=key)
    send(database, user, question, {"blanks": ["went", "to", "at"]})
    drain(inside(database), user)
    graded = row(database, "question_attempts")
    assert (graded["score"], graded["is_correct"]) == (Decimal("0.6667"), False)
    assert row(database, "user_stats")["score_total"] == Decimal("0.6667")
    assert row(database, "srs_cards")["state"] == "learning"


def test_an_attempt_sent_ten_times_counts_once(database):
    user, question, attempt = make_user(database, scheduler="sm2"), make_question(database), uuid7(MORNING)
    for _ in range(10):
        send(database, user, question, RIGHT, id=attempt)
        report = drain(inside(database), user)
    assert (report.graded, report.duplicates) == (0, 1)
    assert len(rows(database, "question_attempts")) == 1
    assert row(database, "user_stats")["attempts"] == 1
    assert row(database, "srs_cards")["repetitions"] == 1
    assert rows(database, "attempt_rejections") == []


def test_an_id_used_for_another_attempt_is_a_conflict(database):
    first, second, question = make_user(database), make_user(database), make_question(database)
    attempt = send(database, first, question, RIGHT)
    drain(inside(database), first)
    send(database, second, question, RIGHT, id=attempt)
    assert drain(inside(database), second).rejected == {"id_conflict": 1}
    assert row(database, "attempt_rejections")["user_id"] == second
    assert row(database, "question_attempts")["user_id"] == first


def test_a_rejected_attempt_that_is_sent_again_is_a_duplicate(database):
    user, attempt = make_user(database), uuid7(MORNING)
    for _ in range(2):
        send(database, user, uuid4(), RIGHT, id=attempt)
        report = drain(inside(database), user)
    assert (report.duplicates, report.rejected) == (1, {})
    assert row(database, "attempt_rejections")["reason"] == "unknown_question"


def test_poison_is_rejected_with_its_reason_and_the_batch_goes_on(database):
    user, question = make_user(database, id=user_in_lane(3)), make_question(database)
    broken = make_question(database, answer_key={"correct": "no such option"})
    other_session = make_tryout_session(database)
    sent = {
        "unknown_user": send(database, user_in_lane(3, 77), question, RIGHT),
        "unknown_question": send(database, user, uuid4(), RIGHT),
        "unknown_lesson": send(database, user, question, RIGHT, lesson_id=uuid4()),
        "unknown_tryout_session": send(database, user, question, RIGHT, tryout_session_id=uuid4()),
        "malformed_answer": send(database, user, question, {"choice": "no such option"}),
        "malformed_question": send(database, user, broken, RIGHT),
    }
    send(database, user, question, RIGHT, tryout_session_id=other_session)
    good = send(database, user, question, RIGHT)
    report = drain(inside(database), user)
    assert report.rejected == dict.fromkeys(sent, 1) | {"unknown_tryout_session": 2}
    assert (report.batches, report.graded, report.retries) == (1, 1, 0)
    assert row(database, "question_attempts")["id"] == good
    reasons = {each["id"]: each["reason"] for each in rows(database, "attempt_rejections")}
    assert {attempt: reason for reason, attempt in sent.items()}.items() <= reasons.items()
    assert "answer.choice" in row(database, "attempt_rejections", id=sent["malformed_answer"])["detail"]
    assert "answer_key.correct" in row(database, "attempt_rejections", id=sent["malformed_question"])["detail"]


def test_a_rejection_keeps_what_was_sent(database):
    user, question, lesson = make_user(database), uuid4(), uuid4()
    attempt = send(database, user, question, {"choice": "a", "n": 1.50}, lesson_id=lesson, source="import")
    drain(inside(database), user)
    rejection = row(database, "attempt_rejections")
    assert (rejection["attempted_at"], rejection["received_at"]) == (MORNING, MORNING)
    assert rejection["payload"] == {
        "id": str(attempt),
        "user_id": str(user),
        "question_id": str(question),
        "lesson_id": str(lesson),
        "tryout_session_id": None,
        "answer": {"choice": "a", "n": 1.5},
        "time_spent_ms": 10_000,
        "attempted_at": "2026-11-24T02:00:00Z",
        "source": "import",
    }


@pytest.mark.parametrize(
    "answer",
    [
        r'{"choice": "b\u0000"}',
        r'{"choice": "b", "note": "\u0000"}',
        r'{"choice": "b", "choice": "\u0000", "choice": "b"}',
        r'{"choice": "\ud800"}',
        '{"choice": "b", "n": 1e-20000}',
        '{"choice": "b", "n": 1e400000}',
        '{"choice": "b", "n": 0e9999999999}',
        "[" * 3000 + "]" * 3000,
        "17",
    ],
)
def test_an_answer_that_cannot_be_kept_is_malformed_and_kept_as_text(database, answer):
    user, question = make_user(database), make_question(database)
    send(database, user, question, {})
    database.execute("UPDATE attempt_inbox SET answer = %s::json", (answer,))
    report = drain(inside(database), user)
    assert (report.rejected, report.retries) == ({"malformed_answer": 1}, 0)
    assert answer in database.execute("SELECT payload::text FROM attempt_rejections").fetchone()[0]


@pytest.mark.parametrize("more", [{"note": "1e99999"}, {"note": "\\u0000"}, {"n": 1e-300}, {"n": [10**50, 0.001]}])
def test_fields_beyond_the_types_own_are_stored(database, more):
    user, question = make_user(database), make_question(database)
    send(database, user, question, RIGHT | more)
    assert drain(inside(database), user).graded == 1
    assert row(database, "question_attempts")["answer"] == RIGHT | more


def test_a_learner_whose_account_is_inactive_is_graded_all_the_same(database):
    user, question = make_user(database, is_active=False), make_question(database)
    send(database, user, question, RIGHT)
    assert drain(inside(database), user).graded == 1


def test_an_attempt_in_the_learners_own_tryout_session_names_it(database):
    user, question = make_user(database), make_question(database)
    session = make_tryout_session(database, user_id=user)
    send(database, user, question, RIGHT, tryout_session_id=session)
    drain(inside(database), user)
    assert row(database, "question_attempts")["tryout_session_id"] == session


def test_learners_of_other_lanes_are_left_waiting(database):
    here, there = make_user(database, id=user_in_lane(4)), make_user(database, id=user_in_lane(5))
    question = make_question(database)
    send(database, here, question, RIGHT)
    send(database, there, question, RIGHT)
    assert drain_lane(4, transaction=inside(database)).graded == 1
    assert waiting(database) == 1
    assert row(database, "attempt_inbox")["lane"] == lane_of(there) == 5


def test_an_edited_answer_key_is_used_from_the_next_batch_on(database):
    user, question = make_user(database), make_question(database)
    for days, key in enumerate([RIGHT["choice"], WRONG["choice"], RIGHT["choice"]]):
        database.execute("UPDATE questions SET answer_key = %s WHERE id = %s", (Json({"correct": key}), question))
        send(database, user, question, RIGHT, MORNING + timedelta(days))
        drain_lane(lane_of(user), transaction=inside(database))
    assert [graded["is_correct"] for graded in rows(database, "question_attempts")] == [True, False, True]


def test_a_question_that_was_deleted_is_unknown_even_if_it_was_used_before(database):
    user, question = make_user(database), make_question(database)
    attempt = send(database, user, question, RIGHT)
    drain_lane(lane_of(user), transaction=inside(database))
    database.execute("DELETE FROM question_attempts WHERE id = %s", (attempt,))
    database.execute("DELETE FROM questions WHERE id = %s", (question,))
    send(database, user, question, RIGHT, MORNING + timedelta(1))
    assert drain_lane(lane_of(user), transaction=inside(database)).rejected == {"unknown_question": 1}


def test_the_instant_of_grading_comes_from_the_clock_it_is_given(database):
    user, question = make_user(database), make_question(database)
    send(database, user, question, RIGHT)
    send(database, user, uuid4(), RIGHT)
    drain(inside(database), user, now=lambda: MORNING + timedelta(hours=1))
    assert row(database, "question_attempts")["graded_at"] == MORNING + timedelta(hours=1)
    assert row(database, "attempt_rejections")["rejected_at"] == MORNING + timedelta(hours=1)


def test_an_empty_lane_is_nothing_to_do(database):
    report = drain_lane(0, transaction=inside(database))
    assert (report.taken, report.batches, report.is_empty, report.was_busy) == (0, 0, True, False)
