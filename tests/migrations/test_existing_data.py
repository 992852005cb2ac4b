"""What migrations make of data that was there before them."""

from collections.abc import Callable
from datetime import timedelta

import psycopg

from tests.attempts.pipeline import MORNING, drain, inside, send
from tests.factories import make_attempt, make_question, make_user
from tests.factories_operations import make_audit_entry
from tests.samples import ANSWERS
from worker.achievements.recounting import recount
from worker.achievements.store import load_learners
from worker.audit.verify import verify
from worker.db.schema import migrate


def test_learners_from_before_days_were_kept_are_counted_and_are_no_drift(empty_database: Callable[[], str]):
    url = empty_database()
    migrate(url, "0019")
    with psycopg.connect(url) as connection:
        question = make_question(connection)
        learners = [make_user(connection) for _ in range(2)]
        for user in learners:
            for number in range(3):
                make_attempt(
                    connection, user_id=user, question_id=question, attempted_at=MORNING + timedelta(days=number)
                )
            connection.execute(
                "INSERT INTO user_stats (user_id, attempts, correct, score_total) VALUES (%s, 3, 3, 3)", [user]
            )
    migrate(url)
    with psycopg.connect(url) as connection:
        # One of them studies on before the sweep has come to them.
        send(connection, learners[0], question, ANSWERS["multiple_choice"], MORNING + timedelta(days=3))
        drain(inside(connection), learners[0])
        found = recount(connection, learners, actor="job:test", now=MORNING)
        assert sorted(each.user_id for each in found) == sorted(learners)
        assert not any(each.is_drift for each in found)
        streaks = {each.user_id: each.counters.longest_streak for each in load_learners(connection, learners)}
        assert streaks == {learners[0]: 4, learners[1]: 3}
        assert recount(connection, learners, actor="job:test", now=MORNING) == []


def test_entries_from_before_the_chain_become_its_first_block(empty_database: Callable[[], str]):
    url = empty_database()
    migrate(url, "0024")
    with psycopg.connect(url) as connection:
        for _ in range(3):
            make_audit_entry(connection, updated_at=MORNING)
    migrate(url)
    with psycopg.connect(url) as connection:
        make_audit_entry(connection)
    with psycopg.connect(url) as connection:
        result = verify(connection)
        untouched = connection.execute("SELECT count(*) FROM audit_log WHERE updated_at = %s", (MORNING,)).fetchone()
    assert (result.entries, result.blocks, result.alterations) == (4, 2, 0)
    assert untouched == (3,)
