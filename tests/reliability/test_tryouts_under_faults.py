"""Tryouts under faults, with real processes: each sitting is scored once, and the app is told once."""

from uuid import UUID

import psycopg
import pytest

from tests.factories_tryouts import RIGHT, WRONG, make_form
from tests.reliability.conftest import System
from tests.support.processes import wait_until
from worker.clock import now

pytestmark = pytest.mark.processes

SITTINGS = 6_000
_SITTINGS = """
    INSERT INTO tryout_sessions (user_id, question_set_id, state, started_at, deadline_at, submitted_at)
    SELECT (%(learners)s::uuid[])[1 + n %% cardinality(%(learners)s::uuid[])], %(set_id)s, 'submitted',
        %(now)s::timestamptz - interval '30 min', %(now)s::timestamptz + interval '30 min', %(now)s
    FROM generate_series(1, %(count)s::int) AS n
"""
_ANSWERS = """
    INSERT INTO tryout_answers (tryout_session_id, question_id, answer, answered_at)
    SELECT id, question_id, %(answer)s::jsonb, started_at
    FROM tryout_sessions CROSS JOIN unnest(%(questions)s::uuid[]) AS question_id
"""
_SCORING = """
    SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE relname = 'tryout_sessions' AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
"""
_LEFT = "SELECT count(*) FROM tryout_sessions WHERE state <> 'scored'"


def submit_many(system: System) -> UUID:
    """Leave sittings of a form of four questions, three of them answered right, as if just submitted."""
    with system.connect() as connection:
        set_id, questions = make_form(connection)
        given = {"learners": system.learner_ids, "set_id": set_id, "now": now(), "count": SITTINGS}
        connection.execute(_SITTINGS, given)
        for answer, answered in ((RIGHT, questions[:3]), (WRONG, questions[3:])):
            connection.execute(_ANSWERS, {"answer": psycopg.types.json.Jsonb(answer), "questions": answered})
    return set_id


def number(system: System, query: str, **values: object) -> int:
    with system.connect() as connection:
        row = connection.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])


def start_scorer(system: System) -> None:
    system.start_worker()
    with system.connect() as connection:
        connection.execute("INSERT INTO job_outbox (task, payload) VALUES ('tryouts.score_waiting', '{}')")


@pytest.mark.long
def test_killed_scorer_scores_each_sitting_once_and_tells_the_app_once(system: System) -> None:
    set_id = submit_many(system)
    for _ in range(3):
        start_scorer(system)
        wait_until(lambda: number(system, _SCORING) > 0 or number(system, _LEFT) == 0, 60, "a batch in work")
        system.worker.kill()
    start_scorer(system)
    wait_until(lambda: number(system, _LEFT) == 0, 90, "all sittings scored")
    scored = "SELECT count(*) FROM tryout_sessions WHERE raw_score = 3 AND max_score = 4 AND state = 'scored'"
    assert number(system, scored) == SITTINGS
    told = "SELECT count(DISTINCT payload ->> 'tryout_session_id') FROM app_events WHERE kind = 'tryout.scored'"
    events = "SELECT count(*) FROM app_events WHERE kind = 'tryout.scored'"
    assert (number(system, told), number(system, events)) == (SITTINGS, SITTINGS)
    cohort = "SELECT sum(sittings) FROM tryout_cohort_scores WHERE question_set_id = %(set_id)s"
    assert number(system, cohort, set_id=set_id) == SITTINGS
