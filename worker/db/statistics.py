"""What one learner has done and has to do: totals, by skill and level, the deck, and what is due today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from worker import clock
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.errors import ElpError
from worker.models.base import Level, Skill
from worker.models.srs import CardState


class UnknownUserError(ElpError):
    """There is no user of this id.

    Attributes:
        user_id: the id asked for.
    """

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"there is no user {user_id}")
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class Tally:
    """Graded attempts, summed."""

    attempts: int
    correct: int
    """Fully right ones."""
    time_spent_ms: int
    """Of the attempts that came with a time."""

    @property
    def accuracy(self) -> float | None:
        """Share of the attempts that were fully right, 0–1; None before the first attempt."""
        return self.correct / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True)
class UserStatistics:
    """One learner's record at an instant."""

    user_id: UUID
    local_day: date
    """The learner's day at that instant, by their zone and the hour at which their day begins."""
    total: Tally
    by_skill: dict[str, Tally]
    """Every skill, also those never tried."""
    by_level: dict[str, Tally]
    """Every level, also those never tried."""
    cards_by_state: dict[str, int]
    """Every state: new, learning, review, relearning; suspended cards included."""
    cards_suspended: int
    due_today: int
    """Cards in learning or review that are due or overdue on `local_day`, before any limit; new ones don't count."""
    lessons_started: int
    lessons_completed: int
    last_attempted_at: datetime | None


async def get_user_statistics(*, session: AsyncSession, user_id: UUID, at: datetime | None = None) -> UserStatistics:
    """Return a learner's record: always three queries, whose cost grows with this learner's attempts and cards only.

    Args:
        session: where to ask.
        user_id: the learner.
        at: the instant that decides which day is today; the present when left out.

    Raises:
        UnknownUserError: there is no such user.
    """
    who = {"user_id": user_id}
    totals = (await session.execute(as_text(load_query("worker.db", "learner_totals")), who)).one_or_none()
    if totals is None:
        raise UnknownUserError(user_id)
    today = clock.local_day(at or clock.now(), totals.timezone, totals.day_start_hour)
    attempts = (await session.execute(as_text(load_query("worker.db", "learner_attempts")), who)).all()
    cards = (await session.execute(as_text(load_query("worker.db", "learner_cards")), {**who, "today": today})).all()
    return UserStatistics(
        user_id=user_id,
        local_day=today,
        total=Tally(totals.attempts, totals.correct, totals.time_spent_ms),
        by_skill={skill: _sum(row for row in attempts if row.skill == skill) for skill in get_args(Skill)},
        by_level={level: _sum(row for row in attempts if row.level == level) for level in get_args(Level)},
        cards_by_state={state: sum(row.cards for row in cards if row.state == state) for state in get_args(CardState)},
        cards_suspended=sum(row.suspended for row in cards),
        due_today=sum(row.due for row in cards),
        lessons_started=totals.lessons_started,
        lessons_completed=totals.lessons_completed,
        last_attempted_at=totals.last_attempted_at,
    )


def _sum(rows: Iterable[Row[*tuple[Any, ...]]]) -> Tally:
    tallies = [(row.attempts, row.correct, row.time_spent_ms) for row in rows]
    return Tally(*(sum(column) for column in zip(*tallies, strict=True))) if tallies else Tally(0, 0, 0)
