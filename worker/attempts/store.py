"""What the attempt pipeline reads, a batch at a time; the statements stand in `queries/`.

The number of statements depends on what occurs in a batch (lessons, sessions, rejections), never on its size.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

from worker.attempts.fold import Card, Pair, Progress
from worker.attempts.judging import Facts, GradedAttempt, InboxRow, Lessons
from worker.attempts.question_cache import QuestionCache
from worker.attempts.wire import RawCursor, UuidArray
from worker.db.queries import load_query
from worker.srs.card import CardState
from worker.srs.learners import Learner, load_learners

LANE_LOCK_CLASS: Final = 0x454C5001
"""First half of the advisory lock of a lane; the lane is the second."""

_query = partial(load_query, "worker.attempts")


def prepare_plans(cursor: RawCursor) -> None:
    """Have the transaction's statements planned for tables of any size.

    Sessions keep the plans of repeated statements. One that was made while its tables were empty scans them from end
    to end, and still does so when they have grown by a million rows since.
    """
    cursor.execute("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")


def lock_lane(cursor: RawCursor, lane: int) -> bool:
    """Lock a lane until the transaction ends; False if another session works on it."""
    row = cursor.execute(
        "SELECT pg_try_advisory_xact_lock(%(class)s::integer, %(lane)s::integer)",
        {"class": LANE_LOCK_CLASS, "lane": lane},
    ).fetchone()
    return row is not None and bool(row[0])


def has_waiting(cursor: RawCursor, lane: int) -> bool:
    """Return whether the lane's inbox holds an attempt."""
    row = cursor.execute(
        "SELECT EXISTS (SELECT FROM attempt_inbox WHERE lane = %(lane)s::smallint)", {"lane": lane}
    ).fetchone()
    return row is not None and bool(row[0])


def take_batch(cursor: RawCursor, lane: int, limit: int) -> list[InboxRow]:
    """Take the oldest attempts of a locked lane out of the inbox, at most `limit`."""
    return cursor.execute(_query("take_batch"), {"lane": lane, "limit": limit}).fetchall()


def take_attempt(cursor: RawCursor, attempt_id: bytes) -> list[InboxRow]:
    """Take one attempt out of a locked lane's inbox; none if it is not there."""
    return cursor.execute(_query("take_attempt"), {"id": UUID(bytes=attempt_id)}).fetchall()


def load_facts(cursor: RawCursor, rows: Iterable[InboxRow], cache: QuestionCache) -> Facts:
    """Read everything that judging the rows needs; what exists stays locked against deletion."""
    ids, users, questions, lessons, sessions, *_ = zip(*rows, strict=True)
    known = cursor.execute(_query("find_known_attempts"), {"ids": UuidArray(ids)}).fetchall()
    versions = {
        question_id: (xmin, ctid)
        for question_id, xmin, ctid in cursor.execute(
            _query("lock_questions"), {"ids": UuidArray(sorted(set(questions)))}
        )
    }
    return Facts(
        known={attempt_id: (user, question) if user else None for attempt_id, user, question in known},
        users=load_learners(cursor, UuidArray(sorted(set(users)))),
        questions=cache.get(versions, partial(_load_named, cursor, "load_questions")),
        lessons={each: dict.fromkeys(members) for each, members in _load_named(cursor, "load_lessons", lessons)},
        sessions=dict(_load_named(cursor, "load_tryout_sessions", sessions)),
    )


def _load_named(cursor: RawCursor, name: str, ids: Iterable[bytes | None]) -> list[tuple[Any, ...]]:
    named = sorted(each for each in set(ids) if each is not None)
    return cursor.execute(_query(name), {"ids": UuidArray(named)}).fetchall() if named else []


def load_progress(cursor: RawCursor, graded: Iterable[GradedAttempt]) -> dict[Pair, Progress]:
    """Read and lock the progress of the learners in the lessons attempted."""
    pairs = sorted({(attempt[0], attempt[4]) for attempt in graded if attempt[4] is not None})
    if not pairs:
        return {}
    rows = cursor.execute(
        _query("load_progress"),
        {"user_ids": UuidArray(user for user, _ in pairs), "lesson_ids": UuidArray(lesson for _, lesson in pairs)},
    )
    return {
        (user_id, lesson_id): Progress(
            attempted=attempted,
            correct=correct,
            correct_question_ids=dict.fromkeys(correct_ids),
            first_attempted_at=first,
            last_attempted_at=last,
            completed_at=completed,
        )
        for user_id, lesson_id, attempted, correct, correct_ids, first, last, completed in rows
    }


def load_cards(
    cursor: RawCursor, graded: Sequence[GradedAttempt], progress: Mapping[Pair, Progress], lessons: Lessons
) -> dict[Pair, Card]:
    """Read and lock the cards of what was attempted, and of the lessons that the attempts may start."""
    pairs = {(attempt[0], attempt[3]) for attempt in graded}
    for user_id, lesson_id in {(attempt[0], attempt[4]) for attempt in graded}:
        if lesson_id is None:
            continue
        held = progress.get((user_id, lesson_id))
        if held is None or held.attempted == 0:
            pairs.update((user_id, question_id) for question_id in lessons[lesson_id])
    users, questions = zip(*sorted(pairs), strict=True)
    rows = cursor.execute(_query("load_cards"), {"user_ids": UuidArray(users), "item_ids": UuidArray(questions)})
    return {(row[1], row[2]): Card(row[0], CardState(*row[3:13]), row[13]) for row in rows}


def load_due_counts(cursor: RawCursor, learners: Mapping[bytes, Learner], after: date) -> dict[bytes, dict[date, int]]:
    """Read how many cards the learners who balance their load have on each day after `after`."""
    balancing = [user_id for user_id, learner in learners.items() if learner.balances_load]
    loads: dict[bytes, dict[date, int]] = {user_id: {} for user_id in balancing}
    if balancing:
        values = {"user_ids": UuidArray(balancing), "after": after}
        for user_id, day, cards in cursor.execute(load_query("worker.srs", "due_counts"), values):
            loads[user_id][day] = cards
    return loads
