"""The task drains the lane it is told, and passes on what it has no time for."""

import psycopg
import pytest

import tasks
from tasks import attempts
from tests.attempts.pipeline import row, send, waiting
from tests.factories import make_question, make_user
from tests.samples import ANSWERS
from worker.attempts.drain import DrainReport
from worker.ids import lane_of


def test_a_worker_imports_the_task():
    assert "tasks.attempts" in tasks.MODULES


def test_a_nudged_lane_is_drained_in_the_database_of_the_settings(database_url, settings):
    settings(drain_batch_size=2, redis_url="redis://127.0.0.1:1/0")
    with psycopg.connect(database_url, autocommit=True) as connection:
        user, question = make_user(connection), make_question(connection)
        for _ in range(5):
            send(connection, user, question, ANSWERS["multiple_choice"])
        attempts.drain(lane_of(user))
        assert waiting(connection) == 0
        assert row(connection, "user_stats")["attempts"] == 5


@pytest.mark.parametrize(
    ("report", "nudges"),
    [
        (DrainReport(7, taken=3, is_empty=True), []),
        (DrainReport(7, was_busy=True), []),
        (DrainReport(7, taken=9), [("attempts.drain", 7)]),
    ],
)
def test_a_lane_that_is_not_empty_is_nudged_again_unless_another_works_on_it(monkeypatch, settings, report, nudges):
    sent = []
    monkeypatch.setattr(attempts, "drain_lane", lambda lane, batch_size: report)
    monkeypatch.setattr(attempts, "nudge", lambda *message, queue: sent.append(message))
    attempts.drain(7)
    assert sent == nudges
