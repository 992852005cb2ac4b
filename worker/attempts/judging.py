"""Judging a batch: which attempts count, with which grade, and which are refused, and why. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, Self

import msgspec

from worker.attempts.answers import read_answer
from worker.attempts.errors import MalformedAnswer
from worker.attempts.question_cache import CompiledQuestion
from worker.attempts.question_types.grade import Grade
from worker.srs.learners import Learner

InboxRow = tuple[bytes, bytes, bytes, bytes | None, bytes | None, bytes, int | None, int, int, str]
"""Id, user, question, lesson, tryout session, answer as JSON text, time_spent_ms, attempted_at, received_at, source.
Ids are 16 bytes, instants microseconds since 2000-01-01 UTC."""

GradedAttempt = tuple[bytes, int, bytes, bytes, bytes | None, Grade, int | None, InboxRow]
"""User, effective instant, id, question, lesson, grade, plausible time_spent_ms, row. Sorted by the first three, a
learner's attempts stand together and in their order."""

Reason = Literal[
    "unknown_user",
    "unknown_question",
    "unknown_lesson",
    "unknown_tryout_session",
    "malformed_answer",
    "malformed_question",
    "id_conflict",
    "refused_by_database",
]
"""Why an attempt could not be graded."""

Lessons = Mapping[bytes, Mapping[bytes, None]]
"""The questions of each lesson, in order: the keys."""

CLOCK_TOLERANCE: Final = 5 * 60 * 1_000_000
"""Microseconds that a device's clock may run ahead of the server's."""
LATEST: Final = 200 * 365 * 86_400 * 1_000_000
"""The end of the calendar that effective instants are kept in (about the year 2200)."""
MAX_PLAUSIBLE_TIME_MS: Final = 3_600_000
"""More than an hour on one question: the device lay unused."""


class Rejection(NamedTuple):
    """An attempt that cannot be graded."""

    row: InboxRow
    reason: Reason
    detail: str


class Facts(msgspec.Struct):
    """What the database knows about the things that a batch names.

    Attributes:
        known: learner and question of each id that was graded before; None for an id that was rejected before.
        users: how each learner's cards are scheduled.
        questions: ready to grade with.
        lessons: the questions of each lesson.
        sessions: the learner of each tryout session.
    """

    known: Mapping[bytes, tuple[bytes, bytes] | None]
    users: Mapping[bytes, Learner]
    questions: Mapping[bytes, CompiledQuestion]
    lessons: Lessons
    sessions: Mapping[bytes, bytes]


class Judged(msgspec.Struct):
    """The attempts that count, the refused ones, and how many were repetitions."""

    graded: list[GradedAttempt] = []
    rejected: list[Rejection] = []
    duplicates: int = 0

    def __iadd__(self, more: "Judged") -> Self:
        self.graded += more.graded
        self.rejected += more.rejected
        self.duplicates += more.duplicates
        return self


def effective_at(attempted_at: int, received_at: int) -> int:
    """Return the instant that everything derived from an attempt uses.

    It is `attempted_at`, unless that lies more than `CLOCK_TOLERANCE` after the server received the attempt: then it is
    the instant of reception. Instants outside 2000 … 2199 count as the nearest inside.
    """
    instant = attempted_at if attempted_at <= received_at + CLOCK_TOLERANCE else received_at
    return min(max(instant, 0), LATEST)


def judge(rows: Iterable[InboxRow], facts: Facts) -> Judged:
    """Return which attempts of a batch count, with their grades. Cost: linear in the rows."""
    graded: list[GradedAttempt] = []
    rejected: list[Rejection] = []
    duplicates = 0
    known, users, questions = facts.known, facts.users, facts.questions
    for row in rows:
        attempt_id, user_id, question_id, lesson_id, session_id, answer, time_spent_ms, attempted_at, received_at, _ = (
            row
        )
        question = questions.get(question_id)
        if (
            attempt_id in known
            or user_id not in users
            or question is None
            or question.grader is None
            or (lesson_id is not None and lesson_id not in facts.lessons)
            or (session_id is not None and facts.sessions.get(session_id) != user_id)
        ):
            refusal = _refusal(row, facts)
            if refusal is None:
                duplicates += 1
            else:
                rejected.append(refusal)
            continue
        try:
            grade = question.grader(read_answer(answer))
        except MalformedAnswer as error:
            rejected.append(Rejection(row, "malformed_answer", str(error)))
            continue
        if time_spent_ms is not None and time_spent_ms > MAX_PLAUSIBLE_TIME_MS:
            time_spent_ms = None
        instant = effective_at(attempted_at, received_at)
        graded.append((user_id, instant, attempt_id, question_id, lesson_id, grade, time_spent_ms, row))
    return Judged(graded, rejected, duplicates)


def _refusal(row: InboxRow, facts: Facts) -> Rejection | None:
    """Return why an attempt cannot be graded; None: it came before, so this is a repetition."""
    attempt_id, user_id, question_id, lesson_id, *_ = row
    question = facts.questions.get(question_id)
    reason: Reason
    if attempt_id in facts.known:
        first = facts.known[attempt_id]
        if first is None or first == (user_id, question_id):
            return None
        reason, detail = "id_conflict", "another attempt was graded under this id: each needs an id of its own"
    elif user_id not in facts.users:
        reason, detail = "unknown_user", "there is no such user"
    elif question is None:
        reason, detail = "unknown_question", "there is no such question"
    elif question.grader is None:
        reason, detail = "malformed_question", question.problem
    elif lesson_id is not None and lesson_id not in facts.lessons:
        reason, detail = "unknown_lesson", "there is no such lesson"
    else:
        reason, detail = "unknown_tryout_session", "this user has no such tryout session"
    return Rejection(row, reason, detail)
