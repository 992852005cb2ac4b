"""Learners who sit a tryout now and then: most submit, some run out of time, a few send the same call twice."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import create_async_engine

from worker.db import Connection
from worker.db.engines import driver_url
from worker.db.queries import load_query
from worker.demo.learners import Catalogue, answer_question
from worker.ids import uuid7
from worker.nudges import publish_scoring
from worker.settings import get_settings
from worker.simulate.invariants import Look, invariant
from worker.simulate.population import Resident
from worker.tryouts.sitting import Answer
from worker.tryouts.sittings import Sittings

_PACKAGE: Final = "worker.simulate"
_QUESTIONS: Final = 20
_TIME_LIMIT: Final = timedelta(minutes=30)
_MEAN_DAYS_BETWEEN: Final = 60
_UNFINISHED_SHARE: Final = 0.2
"""Share of sittings that nobody submits: they end by their deadline."""
_ANSWERED_SHARE: Final = 0.9
_REPEATED_SHARE: Final = 0.1
_SCORED_WITHIN: Final = timedelta(minutes=4)
"""Expiry is each minute's, scoring too, and either may lose its nudge."""


class Tryouts:
    """A form, and those who sit it, through the code that answers the app's calls."""

    def __init__(self, connection: Connection, database_url: str, catalogue: Catalogue, generator: Random) -> None:
        """Make the form of the catalogue's first multiple-choice questions; `close` it."""
        chosen = sorted(each.id for each in catalogue.questions.values() if each.type == "multiple_choice")[:_QUESTIONS]
        self._questions = [catalogue.questions[question_id] for question_id in chosen]
        self._generator = generator
        self._set_id = UUID(int=generator.getrandbits(128), version=4)
        connection.execute(
            "INSERT INTO question_sets (id, slug, title, kind, status, time_limit_seconds)"
            " VALUES (%s, 'simulated', 'Simulated tryout', 'tryout', 'published', %s)",
            (self._set_id, int(_TIME_LIMIT.total_seconds())),
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO questionset_questions (question_set_id, question_id, position) VALUES (%s, %s, %s)",
                [(self._set_id, question_id, position) for position, question_id in enumerate(chosen)],
            )
        self._runner = asyncio.Runner()
        self._engine = create_async_engine(driver_url(database_url, "psycopg"), pool_size=1)
        grace = timedelta(seconds=get_settings().tryout_grace_seconds)
        self._sittings = Sittings(self._engine, grace, _nudge_scorers)

    def of_day(self, residents: Sequence[Resident], day_begins_at: datetime) -> list[tuple[datetime, Resident]]:
        """Draw who sits the tryout on a day, and when they begin: in seconds, so that deadlines lie between minutes."""
        return [
            (day_begins_at + timedelta(seconds=self._generator.randrange(86_400)), resident)
            for resident in residents
            if self._generator.random() < 1 / _MEAN_DAYS_BETWEEN
        ]

    def begin(self, resident: Resident, at: datetime) -> tuple[UUID, datetime | None]:
        """Begin a sitting and send its answers; return it and when it will be submitted (None: never)."""
        chance, learner = self._generator, resident.learner
        sitting_id = uuid7(at)
        answers: list[Answer] = []
        instant = at
        for question in self._questions:
            if chance.random() < _ANSWERED_SHARE:
                made = answer_question(learner, question, None, 0, instant, chance)
                instant += timedelta(milliseconds=made["time_spent_ms"])
                answers.append(
                    Answer(
                        question_id=question.id,
                        answer=made["answer"],
                        answered_at=instant,
                        sequence=len(answers),
                        time_spent_ms=made["time_spent_ms"],
                    )
                )
        self._runner.run(self._begin(sitting_id, learner.id, answers, at, 1 + (chance.random() < _REPEATED_SHARE)))
        if chance.random() < _UNFINISHED_SHARE:
            return sitting_id, None
        return sitting_id, at + timedelta(seconds=chance.randrange(300, int(_TIME_LIMIT.total_seconds()) + 120))

    def submit(self, sitting_id: UUID, resident: Resident, at: datetime) -> None:
        """Submit a sitting: in time, within the grace, or late."""
        for _ in range(1 + (self._generator.random() < _REPEATED_SHARE)):
            self._runner.run(self._sittings.submit(sitting_id, resident.learner.id, at))

    def close(self) -> None:
        """Hang up."""
        self._runner.run(self._engine.dispose())
        self._runner.close()

    async def _begin(self, sitting_id: UUID, user_id: UUID, answers: list[Answer], at: datetime, times: int) -> None:
        for _ in range(times):
            await self._sittings.create(sitting_id, user_id, self._set_id)
            await self._sittings.start(sitting_id, user_id, at)
            await self._sittings.answer(sitting_id, user_id, answers, at)


def _nudge_scorers() -> None:
    publish_scoring()


@invariant("each sitting that is over is scored within minutes, by its answers, with one event")
def sittings_are_scored(look: Look) -> Iterable[str]:
    """Look for sittings that wait, and compare scores and events of the others."""
    if not look.was_up(look.until - 2 * _SCORED_WITHIN, look.until):
        return
    values = {"over_before": look.until - _SCORED_WITHIN, "since": look.since, "until": look.until}
    for session_id, state, raw_score, right, events in look.connection.execute(
        load_query(_PACKAGE, "wrong_sittings"), values
    ):
        yield f"sitting {session_id}: {state}, score {raw_score} of {Decimal(right)} right answers, {events} events"
