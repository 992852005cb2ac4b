"""What the app does with a sitting: create, begin, answer, submit, look. Each call is a transaction, safe to repeat."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from worker.attempts.errors import MalformedAnswer, MalformedQuestion
from worker.attempts.grading import compile_question
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.tryouts.life_cycle import why_no_answers
from worker.tryouts.sitting import Answer, AnswerFault, Saved, Sitting, SittingError, Submitted

PACKAGE: Final = "worker.tryouts"


class Sittings:
    """The sittings of all learners; shared by all requests of a process."""

    def __init__(self, engine: AsyncEngine, grace: timedelta, nudge: Callable[[], None]) -> None:
        """Prepare.

        Args:
            engine: where they are.
            grace: how long after its deadline a sitting still takes what the network held up.
            nudge: wakes a scorer; called after COMMIT, and nothing depends on it.
        """
        self._engine = engine
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        """For what is one statement: it is a transaction already, and BEGIN and COMMIT are round trips of their own."""
        self._grace = grace
        self._nudge = nudge

    async def create(self, session_id: UUID, user_id: UUID, set_id: UUID) -> Sitting:
        """Make a sitting, or return it if it was made before under this id.

        Raises:
            SittingError: set or learner don't fit, or the id belongs to another sitting.
        """
        async with self._engine.begin() as connection:
            sitting = await self._known(connection, session_id)
            if sitting is None:
                await self._check_set(connection, set_id)
                values = {"id": session_id, "user_id": user_id, "set_id": set_id}
                await connection.execute(_query("create_session"), values)
                sitting = await self._known(connection, session_id)
        if sitting is None:
            raise SittingError("unknown_user")
        if (sitting.user_id, sitting.question_set_id) != (user_id, set_id):
            raise SittingError("id_taken")
        return sitting

    async def start(self, session_id: UUID, user_id: UUID, now: datetime) -> Sitting:
        """Begin a sitting, or return it as it is if it has begun: the deadline stays what it was at first.

        Raises:
            SittingError: it is unknown, another learner's, or its set can't be sat.
        """
        async with self._engine.begin() as connection:
            sitting = await self._load(connection, session_id, user_id)
            if sitting.state == "created":
                await self._check_set(connection, sitting.question_set_id)
                await connection.execute(_query("start_session"), {"id": session_id, "now": now})
                sitting = await self._load(connection, session_id, user_id)
        return sitting

    async def answer(self, session_id: UUID, user_id: UUID, answers: Sequence[Answer], now: datetime) -> Saved:
        """Save answers; of two for a question, the one with the higher sequence stays, then the later answered one.

        Raises:
            SittingError: the sitting is unknown, another learner's, not begun, or over.
        """
        async with self._engine.begin() as connection:
            held = (await connection.execute(_query("hold_session"), {"id": session_id})).one_or_none()
            if held is None:
                raise SittingError("unknown_tryout")
            if held.user_id != user_id:
                raise SittingError("foreign_tryout")
            refusal = why_no_answers(held.state, held.deadline_at, self._grace, now)
            if refusal is not None:
                raise SittingError(refusal)
            newest, errors = await self._sift(connection, held.question_set_id, answers)
            written: set[UUID] = set()
            if newest:
                values = {"id": session_id, "answers": msgspec.json.encode(list(newest.values())).decode()}
                written = set((await connection.execute(_query("save_answers"), values)).scalars())
        return Saved(
            saved=[question_id for question_id in newest if question_id in written],
            kept=[question_id for question_id in newest if question_id not in written],
            errors=errors,
        )

    async def submit(self, session_id: UUID, user_id: UUID, now: datetime) -> Submitted:
        """Submit a sitting, or tell how it was submitted before.

        After the deadline and its grace it is recorded and marked late; the answers are those of the deadline.

        Raises:
            SittingError: it is unknown, another learner's, or has not begun.
        """
        values = {"id": session_id, "user_id": user_id, "now": now, "grace_s": int(self._grace.total_seconds())}
        async with self._single.connect() as connection:
            row = (await connection.execute(_query("submit_session"), values)).one_or_none()
            if row is None:
                sitting = await self._load(connection, session_id, user_id)
                if sitting.submitted_at is None:
                    raise SittingError("not_started")
                return Submitted(session_id, sitting.state, sitting.submitted_at, sitting.is_late)
        if row.state == "submitted":
            self._nudge()
        return Submitted(row.id, row.state, row.submitted_at, row.is_late)

    async def find(self, session_id: UUID) -> Sitting:
        """Return a sitting with its result as far as there is one.

        Raises:
            SittingError: it is unknown.
        """
        async with self._single.connect() as connection:
            return await self._load(connection, session_id)

    async def _load(self, connection: AsyncConnection, session_id: UUID, user_id: UUID | None = None) -> Sitting:
        sitting = await self._known(connection, session_id)
        if sitting is None:
            raise SittingError("unknown_tryout")
        if user_id is not None and sitting.user_id != user_id:
            raise SittingError("foreign_tryout")
        return sitting

    async def _known(self, connection: AsyncConnection, session_id: UUID) -> Sitting | None:
        row = (await connection.execute(_query("view_session"), {"id": session_id})).one_or_none()
        if row is None:
            return None
        return msgspec.convert({**row._asdict(), "result": msgspec.json.decode(row.result)}, Sitting)

    async def _check_set(self, connection: AsyncConnection, set_id: UUID) -> None:
        row = (await connection.execute(_query("set_for_start"), {"set_id": set_id})).one_or_none()
        if row is None:
            raise SittingError("unknown_set")
        if row.status != "published":
            raise SittingError("unpublished_set")
        if row.questions == 0:
            raise SittingError("empty_set")

    async def _sift(
        self, connection: AsyncConnection, set_id: UUID, answers: Sequence[Answer]
    ) -> tuple[dict[UUID, Answer], list[AnswerFault]]:
        """Return the newest good answer to each question, and what is wrong with the others."""
        values = {"set_id": set_id, "ids": list({answer.question_id for answer in answers})}
        questions = {row.id: row for row in await connection.execute(_query("questions_of_set"), values)}
        newest: dict[UUID, Answer] = {}
        errors = []
        for index, answer in enumerate(answers):
            question_id = answer.question_id
            if question_id not in questions:
                message = "is no question of this tryout (any more)"
                errors.append(AnswerFault(index, question_id, "question_id", message))
                continue
            fault = _shape_fault(questions[question_id], answer.answer)
            if fault is not None:
                errors.append(AnswerFault(index, question_id, fault.field, fault.reason))
                continue
            known = newest.get(question_id)
            if known is None or (answer.sequence, answer.answered_at) > (known.sequence, known.answered_at):
                newest[question_id] = answer
        return newest, errors


def _shape_fault(question: Any, answer: Any) -> MalformedAnswer | None:
    """Return what keeps an answer from being read; None: nothing does, or the question itself is broken.

    A broken question is its editor's matter: the learner's answer is kept and scored once it is mended.
    """
    try:
        grade = compile_question(
            question.type, msgspec.json.decode(question.options), msgspec.json.decode(question.answer_key)
        )
        grade(answer)
    except MalformedAnswer as error:
        return error
    except MalformedQuestion:
        return None
    return None


def _query(name: str) -> TextClause:
    return as_text(load_query(PACKAGE, name))
