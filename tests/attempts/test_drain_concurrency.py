"""Drainers, and others who write at the same time, do not get in each other's way."""

import threading
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from tests.attempts.pipeline import (
    MORNING,
    drain,
    learner_with_attempts,
    on,
    row,
    rows,
    send,
    user_in_lane,
    waiting,
)
from tests.factories import make_lesson, make_question, make_tryout_session, make_user
from tests.samples import ANSWERS
from worker.attempts import store
from worker.attempts.drain import drain_lane
from worker.ids import lane_of

RIGHT = ANSWERS["multiple_choice"]


def test_a_card_created_meanwhile_by_another_session_is_seen_by_the_second_try(committed, database_url, monkeypatch):
    user, _ = learner_with_attempts(committed, 2)
    load_cards = store.load_cards

    def slow_load_cards(cursor, graded, *others):
        cards = load_cards(cursor, graded, *others)
        if not rows(committed, "srs_cards"):
            item = graded[0][3]
            committed.execute(
                "INSERT INTO srs_cards (user_id, item_id, next_review_date) VALUES (%s, encode(%s, 'hex')::uuid, %s)",
                (user, item, MORNING.date()),
            )
        return cards

    monkeypatch.setattr(store, "load_cards", slow_load_cards)
    report = drain(on(database_url), user)
    assert (report.graded, report.retries) == (2, 1)
    assert row(committed, "srs_cards")["state"] == "review"


@pytest.mark.parametrize("table", ["users", "questions", "lessons", "tryout_sessions"])
def test_what_a_batch_names_cannot_be_deleted_under_it(committed, database_url, monkeypatch, table):
    user, question = make_user(committed), make_question(committed)
    lesson = make_lesson(committed, question_ids=[question])
    session = make_tryout_session(committed, user_id=user)
    send(committed, user, question, RIGHT, lesson_id=lesson, tryout_session_id=session)
    deleted = {"users": user, "questions": question, "lessons": lesson, "tryout_sessions": session}[table]
    load_facts = store.load_facts

    def load_facts_while_another_deletes(*arguments):
        facts = load_facts(*arguments)
        committed.execute("SET lock_timeout = '50ms'")
        with pytest.raises(errors.LockNotAvailable):
            committed.execute(f"DELETE FROM {table} WHERE id = %s", (deleted,))
        return facts

    monkeypatch.setattr(store, "load_facts", load_facts_while_another_deletes)
    assert drain(on(database_url), user).graded == 1


def test_attempts_of_a_user_deleted_before_the_batch_are_rejected_and_the_others_graded(committed, database_url):
    gone, _ = learner_with_attempts(committed, 2)
    stays = make_user(committed, id=user_in_lane(lane_of(gone), 2))
    send(committed, stays, make_question(committed), RIGHT)
    committed.execute("DELETE FROM users WHERE id = %s", (gone,))
    report = drain(on(database_url), gone)
    assert (report.graded, report.rejected) == (1, {"unknown_user": 2})


def test_two_drainers_of_one_lane_take_turns(committed, database_url):
    user, attempts = learner_with_attempts(committed, 200)
    reports = []

    def work():
        reports.append(drain_lane(lane_of(user), batch_size=7, transaction=on(database_url)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.graded for report in reports) == len(attempts)
    assert all(report.was_busy or report.is_empty for report in reports)
    assert waiting(committed) == 0
    assert row(committed, "user_stats")["attempts"] == len(rows(committed, "question_attempts")) == len(attempts)


def test_drainers_of_different_lanes_work_at_the_same_time(committed, database_url):
    learners = [learner_with_attempts(committed, 40, lane=lane)[0] for lane in (1, 2, 3)]
    threads = [
        threading.Thread(target=drain, args=(on(database_url), learner), kwargs={"batch_size": 5})
        for learner in learners
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [stats["attempts"] for stats in rows(committed, "user_stats")] == [40, 40, 40]


def test_a_drainer_turned_away_by_the_lock_says_so_and_takes_nothing(committed, database_url):
    user, _ = learner_with_attempts(committed, 1)
    with psycopg.connect(database_url) as holder:
        assert store.lock_lane(holder.cursor(), lane_of(user))
        report = drain(on(database_url), user)
    assert (report.was_busy, report.taken, report.is_empty) == (True, 0, False)
    assert waiting(committed) == 1


def test_what_arrives_while_its_nudge_is_turned_away_is_still_drained(committed, database_url, monkeypatch):
    user, _ = learner_with_attempts(committed, 1)
    question = row(committed, "attempt_inbox")["question_id"]
    take_batch, turned_away = store.take_batch, []

    def take_batch_then_let_another_arrive(cursor, lane, limit):
        taken = take_batch(cursor, lane, limit)
        if not turned_away:
            send(committed, user, question, RIGHT, MORNING + timedelta(1))
            turned_away.append(None)
            turned_away[0] = drain(on(database_url), user)
        return taken

    monkeypatch.setattr(store, "take_batch", take_batch_then_let_another_arrive)
    report = drain(on(database_url), user)
    assert turned_away[0].was_busy
    assert (report.graded, report.is_empty, waiting(committed)) == (2, True, 0)
