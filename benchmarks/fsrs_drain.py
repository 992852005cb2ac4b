"""Cards rescheduled a second through the whole pipeline: with FSRS, beside the same with SM-2.

Each attempt answers another card in review whose day has come, so each one reschedules a card: graded, scheduled,
written with its effects, by `drain_lane` over all lanes in this one process. The same attempts and cards for both, in
turns, in the same run; only `user_preferences.scheduler` and the cards' memory state differ. The model must not be the
bottleneck.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from benchmarks import drain
from benchmarks.report import Figure, Report, measured
from worker import logging
from worker.db import transaction
from worker.settings import get_settings

Scheduler = Literal["sm2", "fsrs"]

_PREFERENCES: Final = """
    INSERT INTO user_preferences (user_id, scheduler)
    SELECT unnest(%(learners)s::uuid[]), %(scheduler)s
    ON CONFLICT (user_id) DO UPDATE SET scheduler = excluded.scheduler
"""
_CARDS: Final = """
    INSERT INTO srs_cards (user_id, item_id, state, interval, repetitions, next_review_date, last_reviewed_at,
                           stability, difficulty)
    SELECT pair.user_id, pair.item_id, 'review', 12, 3, %(reviewed_at)s::date + 12, %(reviewed_at)s,
           CASE WHEN %(scheduler)s = 'fsrs' THEN 12 END, CASE WHEN %(scheduler)s = 'fsrs' THEN 5 END
    FROM unnest(%(user_ids)s::uuid[], %(item_ids)s::uuid[]) AS pair (user_id, item_id)
"""


def one_a_card(plan: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first attempt of each learner and question, out of its lesson."""
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for attempt in plan:
        first.setdefault((attempt["user_id"], attempt["question_id"]), {**attempt, "lesson_id": None})
    return list(first.values())


def prepare(attempts: Sequence[dict[str, Any]], scheduler: Scheduler, reviewed_at: datetime) -> None:
    """Fill the inbox, and give each attempt a card in review that is due."""
    drain.clear()
    pairs = {
        "user_ids": [UUID(attempt["user_id"]) for attempt in attempts],
        "item_ids": [UUID(attempt["question_id"]) for attempt in attempts],
    }
    with transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        learners = sorted(set(pairs["user_ids"]))
        connection.execute(_PREFERENCES, {"learners": learners, "scheduler": scheduler})
        connection.execute(_CARDS, {**pairs, "scheduler": scheduler, "reviewed_at": reviewed_at})
    drain.fill_inbox(attempts)
    with transaction() as connection:
        connection.execute("ANALYZE srs_cards, user_preferences")


def rescheduled(reviewed_at: datetime, scheduler: Scheduler) -> int:
    """Return how many cards have moved, each as its scheduler moves it."""
    with transaction() as connection:
        row = connection.execute(
            "SELECT count(*) FROM srs_cards WHERE last_reviewed_at > %s AND (stability IS NOT NULL) = %s",
            (reviewed_at, scheduler == "fsrs"),
        ).fetchone()
    assert row is not None
    return int(row[0])


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figure; `quick` is small, for the shape of the output only."""
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    rounds = 2 if quick else 5
    attempts = one_a_card(drain.prepare(*((200, 4_000) if quick else (4_000, 80_000))))
    reviewed_at = datetime.fromisoformat(min(attempt["attempted_at"] for attempt in attempts)) - timedelta(days=30)
    rates: dict[Scheduler, list[float]] = {"fsrs": [], "sm2": []}
    for number in range(rounds + 1):
        for scheduler, found in rates.items():
            prepare(attempts, scheduler, reviewed_at)
            begun_at = time.perf_counter()
            drain.drain_all()
            elapsed = time.perf_counter() - begun_at
            moved = rescheduled(reviewed_at, scheduler)
            assert moved == len(attempts), f"{moved} of {len(attempts)} cards moved"
            if number:  # the first round warms up both
                found.append(moved / elapsed)
    report.add(
        Figure(
            "cards rescheduled with FSRS; limit: with SM-2",
            "cards/s",
            ours=measured(rates["fsrs"]),
            limit=measured(rates["sm2"]),
            least_of_limit=None if quick else 0.9,
        )
    )
    report.note(f"{len(attempts):,} attempts, each on a card in review of its own, by one worker process")
