"""Speaks SQL for learners' memory: their answers, fitted parameters, and the change of scheduler."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Literal
from uuid import UUID

import msgspec

from worker.db import Connection
from worker.db.queries import load_query
from worker.srs.answering import fsrs_scheduler
from worker.srs.card import CardState
from worker.srs.conversion import from_sm2
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR
from worker.srs.fitting import Fit
from worker.srs.fsrs import DEFAULT_PARAMETERS
from worker.srs.histories import Answered, replay
from worker.srs.prediction import Review
from worker.srs.sm2 import EASE_START

Target = Literal["sm2", "fsrs"]

_query = partial(load_query, "worker.srs")


def learners_to_fit(connection: Connection, reviews: int) -> list[UUID]:
    """Return the learners on FSRS with at least so many attempts."""
    return [row[0] for row in connection.execute(_query("learners_to_fit"), {"reviews": reviews})]


def learners_to_migrate(connection: Connection, target: Target) -> list[UUID]:
    """Return the learners who are on the other scheduler."""
    return [row[0] for row in connection.execute(_query("learners_to_migrate"), {"target": target})]


def current_parameters(
    connection: Connection, user_ids: Sequence[UUID]
) -> tuple[dict[UUID, tuple[float, ...]], tuple[float, ...]]:
    """Return the parameters of the learners who have their own, and what all others have."""
    rows = connection.execute(_query("current_parameters"), {"user_ids": list(user_ids)})
    found = {user_id: tuple(parameters) for user_id, parameters in rows}
    population = found.pop(None, DEFAULT_PARAMETERS)
    return found, population


def answers(connection: Connection, user_ids: Sequence[UUID]) -> dict[UUID, list[Answered]]:
    """Return all graded answers of learners, each one's sorted by time. Memory: about 100 bytes an answer."""
    values = {"user_ids": list(user_ids), "day_start_hour": DEFAULT_DAY_START_HOUR}
    rows = connection.execute(_query("answers_of_learners"), values)
    return {user_id: [Answered(*row[1:]) for row in of_learner] for user_id, of_learner in groupby(rows, itemgetter(0))}


def reviews(connection: Connection, user_ids: Sequence[UUID]) -> dict[UUID, list[Review]]:
    """Return the reviews of learners, practice left out, each one's sorted by time."""
    scheduler = fsrs_scheduler(0.9)
    return {user_id: replay(given, scheduler).reviews for user_id, given in answers(connection, user_ids).items()}


def save_fits(connection: Connection, fits: Mapping[UUID | None, Fit], *, run_id: UUID | None, now: datetime) -> None:
    """Store the fits of learners; None stands for the population."""
    connection.execute(
        _query("save_fits"),
        {
            "user_ids": list(fits),
            "parameters": [msgspec.json.encode(fit.parameters).decode() for fit in fits.values()],
            "accepted": [fit.is_accepted for fit in fits.values()],
            "reviews": [fit.trained_on for fit in fits.values()],
            "metrics": [
                msgspec.json.encode({"fitted": fit.fitted, "current": fit.current, "sm2": fit.sm2}).decode()
                for fit in fits.values()
            ],
            "run_id": run_id,
            "now": now,
        },
    )


def move_to_fsrs(connection: Connection, user_ids: Sequence[UUID]) -> int:
    """Put learners on FSRS and return how many of their cards got a memory state.

    It comes from the card's history where that explains the card's last review, else from interval and ease. Nothing is
    due earlier or later than before.
    """
    own, population = current_parameters(connection, user_ids)
    histories = answers(connection, user_ids)
    cards = connection.execute(_query("cards_to_migrate"), {"user_ids": list(user_ids)}).fetchall()
    replayed = {
        user_id: replay(given, fsrs_scheduler(0.9, own.get(user_id, population))).cards
        for user_id, given in histories.items()
    }
    states: list[CardState] = []
    for user_id, _, item_id, state, interval, ease, due_on, _ in cards:
        seen = replayed.get(user_id, {}).get(item_id)
        # A history that ends before the card's last review (an imported card) explains nothing.
        if seen is not None and seen.due_on - timedelta(seen.interval) < due_on - timedelta(interval):
            seen = None
        states.append(
            seen
            or from_sm2(
                CardState(state, interval, ease or EASE_START, 0, 0, due_on),
                fsrs_scheduler(0.9, own.get(user_id, population)),
            )
        )
    connection.execute(_query("set_scheduler"), {"user_ids": list(user_ids), "target": "fsrs"})
    return connection.execute(
        _query("set_memory_states"),
        {
            "ids": [card[1] for card in cards],
            "stabilities": [state.stability for state in states],
            "difficulties": [state.difficulty for state in states],
            "reviewed_at": [card[7] for card in cards],
        },
    ).rowcount


def move_to_sm2(connection: Connection, user_ids: Sequence[UUID]) -> int:
    """Put learners back on SM-2 and return how many of their cards lost a memory state."""
    connection.execute(_query("set_scheduler"), {"user_ids": list(user_ids), "target": "sm2"})
    return connection.execute(_query("clear_memory_states"), {"user_ids": list(user_ids)}).rowcount
