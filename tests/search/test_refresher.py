"""The thread that makes an edit searchable right after its commit."""

import threading
import time
from contextlib import suppress

import psycopg
import pytest

from tests.factories import make_question
from tests.support.processes import wait_until
from worker.search.refresher import Refresher
from worker.search.throttle import Limits, burden, wait_while_burdened

NO_LIMITS = Limits(0, 0)


@pytest.fixture
def refresher(committed, database_url):
    thread = Refresher(database_url, NO_LIMITS)
    thread.start()
    wait_until(lambda: thread.is_leader, timeout_s=90, what="the lead")
    yield thread
    thread.stop(30)


def is_true(connection, question):
    """Return whether a question's vector is there and right."""
    return connection.execute(
        "SELECT search_vector IS NOT DISTINCT FROM question_search_vector(questions, topics) FROM questions"
        " LEFT JOIN question_topics(ARRAY[id]) ON question_id = id WHERE id = %s",
        [question],
    ).fetchone() == (True,)


def test_an_edit_is_searchable_soon_after_its_commit(refresher, committed):
    for _ in range(3):
        question = make_question(committed)
        wait_until(lambda each=question: is_true(committed, each), timeout_s=90, what="the vector")
    assert refresher.written == 3
    assert committed.execute("SELECT count(*) FROM search_dirty").fetchone() == (0,)


def test_edits_of_many_editors_at_once_all_come_true(refresher, committed, database_url):
    questions = [make_question(committed) for _ in range(8)]

    def edit(number):
        with psycopg.connect(database_url, autocommit=True) as connection:
            for step in range(15):
                connection.execute(
                    "UPDATE questions SET stem = %s WHERE id = %s",
                    [f"stem {number} {step}", questions[(number + step) % 8]],
                )

    threads = [threading.Thread(target=edit, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: all(is_true(committed, question) for question in questions), timeout_s=90, what="all vectors")


def test_another_refresher_takes_over_from_one_that_stops(refresher, committed, database_url):
    second = Refresher(database_url, NO_LIMITS)
    second.start()
    refresher.stop(30)
    question = make_question(committed)
    wait_until(lambda: is_true(committed, question), timeout_s=90, what="the vector")
    assert second.is_leader
    second.stop(30)


def test_an_edit_waits_for_no_refresh(refresher, committed):
    question = make_question(committed)
    committed.execute("SET lock_timeout = '30s'")
    for step in range(30):
        committed.execute("UPDATE questions SET stem = %s WHERE id = %s", [f"stem {step}", question])
    wait_until(lambda: is_true(committed, question), timeout_s=90, what="the vector")


def test_bulk_work_pauses_while_the_server_is_busy(committed, database_url):
    assert burden(committed, NO_LIMITS) is None

    def sleep():
        with suppress(psycopg.OperationalError), psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_sleep(120)")

    threads = [threading.Thread(target=sleep, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    limits = Limits(lag_bytes=1, active_sessions=1)
    wait_until(lambda: burden(committed, limits) is not None, timeout_s=90, what="two busy sessions")
    reasons = []

    def pause(_):
        committed.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(120)'")
        time.sleep(0.1)

    wait_while_burdened(committed, limits, pause=pause, tell=reasons.append)
    assert "sessions are at work" in reasons[0]
    assert burden(committed, limits) is None
