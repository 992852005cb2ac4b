"""Rows of tryouts beyond sittings and answers; as in `tests.factories`."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import Connection

from tests.factories import (
    insert,
    insert_row,
    link_set_question,
    make_question,
    make_question_set,
    make_tryout_answer,
    make_tryout_session,
    make_user,
)
from worker.clock import now

RIGHT: dict[str, Any] = {"choice": "b"}
WRONG: dict[str, Any] = {"choice": "a"}
BLANK: dict[str, Any] = {"choice": None}


def make_score_change(connection: Connection[Any], *, tryout_session_id: UUID | None = None, **values: Any) -> UUID:
    change = {"reason": "the key of question 3 was wrong", "earlier_raw_score": Decimal(1), "earlier_result": {}}
    change |= {"earlier_scored_at": now(), "raw_score": Decimal(2), "changed_at": now()}
    session_id = tryout_session_id or make_tryout_session(connection)
    return insert(connection, "tryout_score_changes", tryout_session_id=session_id, **change | values)


def make_cohort_score(
    connection: Connection[Any], *, question_set_id: UUID | None = None, **values: Any
) -> tuple[Any, ...]:
    score = {"raw_score": Decimal(1), "sittings": 1}
    set_id = question_set_id or make_question_set(connection)
    return insert_row(connection, "tryout_cohort_scores", question_set_id=set_id, **score | values)


def make_item_calibration(connection: Connection[Any], *, question_id: UUID | None = None, **values: Any) -> UUID:
    found = {"calibrated_at": now(), "scale": "reference", "responses": 400, "right": 250, "discrimination": 1.1}
    found |= {"discrimination_error": 0.1, "difficulty": -0.4, "difficulty_error": 0.1, "infit": 1.0, "outfit": 1.0}
    found |= {"point_biserial": 0.4, "is_accepted": True}
    question_id = question_id or make_question(connection)
    return insert(connection, "tryout_item_calibrations", question_id=question_id, **found | values)


def make_signal(connection: Connection[Any], *, tryout_session_id: UUID | None = None, **values: Any) -> UUID:
    """An impossibly fast sitting; with `other_session_id` alone, a similar pair."""
    signal: dict[str, Any] = {"kind": "impossible_speed", "strength": 0.9, "found_at": now()}
    if values.get("other_session_id") is not None:
        signal["kind"] = "similar_answers"
        # The smaller id stands first.
        tryout_session_id = tryout_session_id or make_tryout_session(connection, id=UUID(int=1))
    session_id = tryout_session_id or make_tryout_session(connection)
    return insert(connection, "tryout_signals", tryout_session_id=session_id, **signal | values)


def make_form(
    connection: Connection[Any],
    questions: int = 4,
    *,
    skills: Sequence[str] = ("grammar",),
    sections: Sequence[str] = ("",),
    points: Sequence[Decimal] = (Decimal(1),),
    **values: Any,
) -> tuple[UUID, list[UUID]]:
    """A set of multiple-choice questions whose right option is b, and their ids; the lists repeat over them."""
    ids = [make_question(connection, skill=skills[number % len(skills)]) for number in range(questions)]
    set_id = make_question_set(connection, **values)
    for number, question_id in enumerate(ids):
        link_set_question(
            connection,
            question_set_id=set_id,
            question_id=question_id,
            position=number,
            section=sections[number % len(sections)],
            points=points[number % len(points)],
        )
    return set_id, ids


def make_sitting(
    connection: Connection[Any],
    set_id: UUID,
    answers: Iterable[tuple[UUID, Any]] = (),
    *,
    at: datetime | None = None,
    time_spent_ms: int | None = None,
    **values: Any,
) -> UUID:
    """A sitting that was submitted an instant ago with these answers, unless its values say otherwise."""
    at = at or now()
    session: dict[str, Any] = {"state": "submitted", "started_at": at - timedelta(minutes=30), "submitted_at": at}
    session |= {"deadline_at": at + timedelta(minutes=30), "user_id": values.pop("user_id", None)}
    session["user_id"] = session["user_id"] or make_user(connection)
    session_id = make_tryout_session(connection, question_set_id=set_id, **session | values)
    for question_id, answer in answers:
        make_tryout_answer(
            connection,
            tryout_session_id=session_id,
            question_id=question_id,
            answer=answer,
            time_spent_ms=time_spent_ms,
        )
    return session_id
