"""When a sitting takes answers, by the server's clock; and the database keeps the order of its states."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import errors

from tests.factories import make_tryout_session
from worker.tryouts.life_cycle import deadline_of, why_no_answers

T0 = datetime(2026, 11, 24, 9, tzinfo=UTC)
GRACE = timedelta(seconds=30)
TICK = timedelta(microseconds=1)

SCORED = {"scored_at": T0, "raw_score": 1}
ALLOWED = [
    ("created", "in_progress"),
    ("created", "expired"),
    ("in_progress", "submitted"),
    ("in_progress", "expired"),
    ("submitted", "scored"),
    ("expired", "scored"),
]
STATES = ("created", "in_progress", "submitted", "expired", "scored")


@pytest.mark.parametrize(
    ("state", "now", "refusal"),
    [
        ("created", T0, "not_started"),
        ("in_progress", T0, None),
        ("in_progress", T0 + GRACE, None),
        ("in_progress", T0 + GRACE + TICK, "closed"),
        ("submitted", T0 - GRACE, "closed"),
        ("expired", T0, "closed"),
        ("scored", T0, "closed"),
    ],
)
def test_answers_are_taken_up_to_the_last_instant_of_the_grace(state, now, refusal):
    assert why_no_answers(state, T0, GRACE, now) == refusal


def test_sitting_without_a_time_limit_is_never_over():
    assert deadline_of(T0, None) is None
    assert why_no_answers("in_progress", None, GRACE, T0 + timedelta(days=999)) is None


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_database_keeps_the_order_of_states(database, before, after):
    session_id = make_tryout_session(database, state=before, started_at=T0, deadline_at=None, **SCORED)
    statement = "UPDATE tryout_sessions SET state = %s WHERE id = %s"
    if before == after or (before, after) in ALLOWED:
        database.execute(statement, [after, session_id])
        return
    with pytest.raises(errors.CheckViolation) as refused, database.transaction():
        database.execute(statement, [after, session_id])
    assert refused.value.diag.constraint_name == "tr_tryout_sessions_transition"


@pytest.mark.parametrize("column", ["started_at", "submitted_at"])
def test_database_keeps_the_instants_that_were_recorded(database, column):
    session_id = make_tryout_session(database, state="submitted", started_at=T0, deadline_at=None, submitted_at=T0)
    with pytest.raises(errors.CheckViolation) as refused, database.transaction():
        database.execute(f"UPDATE tryout_sessions SET {column} = NULL WHERE id = %s", [session_id])
    assert refused.value.diag.constraint_name == "tr_tryout_sessions_instants"
