"""Speaks SQL for spaced repetition's queues."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from worker.db import Connection
from worker.db.queries import load_query
from worker.srs import queue_policy
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR, DayRule, LocalDays, local_days

_PACKAGE = "worker.srs"
_DEFAULTS = {
    "day_start_hour": DEFAULT_DAY_START_HOUR,
    "review_limit": queue_policy.DEFAULT_REVIEW_LIMIT,
    "new_limit": queue_policy.DEFAULT_NEW_LIMIT,
    "daily_goal": queue_policy.DEFAULT_DAILY_GOAL,
    "backlog_days": queue_policy.DEFAULT_BACKLOG_DAYS,
}

BuiltQueue = tuple[UUID, date, str]
"""Whose queue, for which local day, and the queue as JSON."""


def day_rules(connection: Connection, first: UUID | None = None, last: UUID | None = None) -> list[DayRule]:
    """Return how the active learners from `first` to `last` (all when left out) count days."""
    values = {**_DEFAULTS, "first": first, "last": last}
    return [DayRule(*row) for row in connection.execute(load_query(_PACKAGE, "day_rules"), values)]


def due_queue_ranges(connection: Connection, days: LocalDays, shard_users: int) -> list[tuple[UUID, UUID]]:
    """Return ranges of ids (first, last): all learners who lack a queue, `shard_users` of them in each."""
    values = {**_DEFAULTS, **days.values(), "shard_users": shard_users}
    return connection.execute(load_query(_PACKAGE, "due_queue_ranges"), values).fetchall()


def build_due_queues(
    connection: Connection,
    days: LocalDays,
    first: UUID,
    last: UUID,
    *,
    run_id: UUID | None,
    now: datetime,
    user_ids: Sequence[UUID] | None = None,
) -> list[BuiltQueue]:
    """Build the missing queues of the learners from `first` to `last` and return those built.

    The memory taken is that of the range's queues, whatever the number of cards.

    Args:
        connection: in a transaction.
        first: the lowest id of the range.
        last: the highest.
        days: the local day of every rule that occurs in the range.
        run_id: the job run that builds them.
        now: the present instant.
        user_ids: only these of the range; all when left out.
    """
    # Compiling the statement takes longer than running it on a shard.
    connection.execute("SET LOCAL jit = off")
    values = {**_DEFAULTS, **days.values(), "first": first, "last": last, "run_id": run_id, "now": now}
    values["user_ids"] = None if user_ids is None else list(user_ids)
    # Never prepared: a plan for ranges of any width takes the range for narrow, and compares each learner's row with
    # each other's wishes and counters.
    return connection.execute(load_query(_PACKAGE, "build_due_queues"), values, prepare=False).fetchall()


def rebuild_due_queues(
    connection: Connection, user_ids: Sequence[UUID], now: datetime
) -> tuple[list[BuiltQueue], list[tuple[UUID, date]]]:
    """Build the queues of learners' present local day anew, from the cards as they are.

    Returns the queues built, and learner and day of those removed: of the present day, and of later ones where the
    learner has travelled west. Cost: that of building them, and all users once where there are many.
    """
    if not user_ids:
        return [], []
    first, last = min(user_ids), max(user_ids)
    days = local_days(day_rules(connection, first, last), now)
    values = {**_DEFAULTS, **days.values(), "user_ids": list(user_ids)}
    removed = connection.execute(load_query(_PACKAGE, "delete_due_queues"), values).fetchall()
    built = build_due_queues(connection, days, first, last, run_id=None, now=now, user_ids=user_ids)
    return built, removed
