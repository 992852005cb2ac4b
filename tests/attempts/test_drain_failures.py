"""Whatever goes wrong in a drain: nothing is lost, nothing counts twice, and poison never blocks."""

from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from tests.attempts.pipeline import (
    MORNING,
    drain,
    inside,
    learner_with_attempts,
    on,
    row,
    rows,
    send,
    user_in_lane,
    waiting,
)
from tests.factories import make_card, make_lesson, make_question, make_user
from tests.samples import ANSWERS
from worker.attempts import drain as draining
from worker.attempts import store, store_writes
from worker.attempts.drain import drain_lane
from worker.ids import lane_of

RIGHT = ANSWERS["multiple_choice"]


def test_a_drain_killed_before_its_commit_leaves_all_as_it_was(database, monkeypatch):
    user, _ = learner_with_attempts(database, 3)

    class KilledError(Exception):
        pass

    def killed(*_):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(store_writes, "write_rejections", killed)
        with pytest.raises(KilledError):
            drain(inside(database), user)
    assert (waiting(database), rows(database, "question_attempts"), rows(database, "srs_cards")) == (3, [], [])
    assert drain(inside(database), user).graded == 3
    assert row(database, "user_stats")["attempts"] == 3


def test_a_lost_connection_is_the_callers_to_know_and_loses_nothing(committed, database_url):
    user, _ = learner_with_attempts(committed, 3)

    @contextmanager
    def cut_off():
        with psycopg.connect(database_url) as connection:
            yield connection
            committed.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    with pytest.raises(psycopg.OperationalError):
        drain_lane(lane_of(user), transaction=cut_off)
    assert (waiting(committed), rows(committed, "question_attempts")) == (3, [])
    assert drain(on(database_url), user).graded == 3


@pytest.mark.parametrize("poisoned", [{0}, {19}, {7}, {0, 1, 2}, {3, 11, 12, 18}, set(range(20))])
def test_attempts_that_the_database_refuses_are_isolated(database, poisoned):
    database.execute("ALTER TABLE question_attempts ADD CONSTRAINT ck_no_poison CHECK (source <> 'poison')")
    user, attempts = learner_with_attempts(database, 20)
    for number in poisoned:
        database.execute("UPDATE attempt_inbox SET source = 'poison' WHERE id = %s", (attempts[number],))
    report = drain(inside(database), user, batch_size=16)
    assert (report.graded, report.rejected) == (20 - len(poisoned), {"refused_by_database": len(poisoned)})
    assert (report.taken, report.is_empty, waiting(database)) == (20, True, 0)
    rejected = rows(database, "attempt_rejections")
    assert [each["id"] for each in rejected] == [attempts[number] for number in sorted(poisoned)]
    assert all(each["detail"].startswith("23514: ") and "ck_no_poison" in each["detail"] for each in rejected)
    assert row(database, "user_stats")["attempts"] == 20 - len(poisoned) if report.graded else True


def test_a_card_that_cannot_be_read_refuses_only_its_own_attempts(database):
    user, attempts = learner_with_attempts(database, 5)
    broken = make_question(database)
    make_card(database, user_id=user, item_id=broken)
    database.execute("UPDATE srs_cards SET next_review_date = 'infinity'")
    send(database, user, broken, RIGHT)
    report = drain(inside(database), user)
    assert (report.graded, report.rejected) == (len(attempts), {"refused_by_database": 1})
    assert row(database, "attempt_rejections")["question_id"] == broken


def test_one_refused_attempt_among_many_costs_few_transactions(database):
    database.execute("ALTER TABLE question_attempts ADD CONSTRAINT ck_no_poison CHECK (source <> 'poison')")
    user, attempts = learner_with_attempts(database, 500)
    database.execute("UPDATE attempt_inbox SET source = 'poison' WHERE id = %s", (attempts[321],))
    report = drain(inside(database), user)
    assert report.graded == 499
    assert report.batches + report.retries < 30


@pytest.mark.parametrize("error", [errors.DeadlockDetected, errors.SerializationFailure])
def test_a_transaction_that_lost_to_another_is_done_again(database, monkeypatch, error):
    user, _ = learner_with_attempts(database, 2)
    write_effects, failures = store_writes.write_effects, [error("lost")]

    def contended(*arguments):
        if failures:
            raise failures.pop()
        write_effects(*arguments)

    monkeypatch.setattr(store_writes, "write_effects", contended)
    report = drain(inside(database), user)
    assert (report.graded, report.retries) == (2, 1)


def test_statements_are_planned_without_scans_in_the_drains_own_transactions_only(committed, database_url, monkeypatch):
    user, _ = learner_with_attempts(committed, 1)
    load_cards, seen = store.load_cards, []

    def load_cards_and_look_at_the_setting(cursor, *arguments):
        seen.extend(cursor.execute("SHOW enable_seqscan").fetchone())
        return load_cards(cursor, *arguments)

    @contextmanager
    def reused():
        with committed.transaction():
            yield committed

    monkeypatch.setattr(store, "load_cards", load_cards_and_look_at_the_setting)
    drain(reused, user)
    assert [*seen, *committed.execute("SHOW enable_seqscan").fetchone()] == ["off", "on"]


def test_memory_that_runs_out_halves_the_batch_until_it_fits(database, monkeypatch):
    user, _ = learner_with_attempts(database, 10)
    fold, sizes = draining.fold, []

    def hungry(graded, **facts):
        sizes.append(len(graded))
        if len(graded) > 3:
            raise MemoryError
        return fold(graded, **facts)

    monkeypatch.setattr(draining, "fold", hungry)
    assert drain(inside(database), user, batch_size=10).graded == 10
    assert sizes == [10, 5, 2, 2, 2, 2, 2]


def test_memory_too_small_for_one_attempt_is_the_callers_to_know(database, monkeypatch):
    user, _ = learner_with_attempts(database, 2)

    def hungry(*_, **__):
        raise MemoryError

    monkeypatch.setattr(draining, "fold", hungry)
    with pytest.raises(MemoryError):
        drain(inside(database), user)
    assert waiting(database) == 2


def test_a_drain_stops_when_its_time_is_up_and_says_that_there_is_more(database):
    user, _ = learner_with_attempts(database, 3)
    report = drain(inside(database), user, batch_size=1, max_seconds=0)
    assert (report.taken, report.is_empty, waiting(database)) == (0, False, 3)


def test_the_number_of_statements_does_not_depend_on_the_size_of_the_batch(database, monkeypatch):
    questions = [make_question(database, type=name) for name in ANSWERS] * 2
    lesson = make_lesson(database, question_ids=questions[: len(ANSWERS)])
    statements = []
    execute, copy = psycopg.Cursor.execute, psycopg.Cursor.copy

    def counted_execute(cursor, query, *arguments, **options):
        statements.append(query)
        return execute(cursor, query, *arguments, **options)

    def counted_copy(cursor, statement, *arguments, **options):
        statements.append(statement)
        return copy(cursor, statement, *arguments, **options)

    counts = []
    for number, size in enumerate((1, 12), start=1):
        learners = [make_user(database, id=user_in_lane(1, number * 1000 + each)) for each in range(size)]
        for user in learners:
            make_card(database, user_id=user, item_id=questions[0])
            for question, answer in zip(questions, ANSWERS.values(), strict=False):
                send(database, user, question, answer, MORNING + timedelta(60), lesson_id=lesson)
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", counted_execute)
            patch.setattr(psycopg.Cursor, "copy", counted_copy)
            statements.clear()
            drain(inside(database), *learners)
            counts.append(len(statements))
    assert counts[0] == counts[1] < 20
