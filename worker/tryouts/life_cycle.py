"""The life of a sitting: created → in progress → submitted or expired → scored. Pure; the database has the same order.

The server's clock decides, never the device's. Whatever the network holds up may still arrive for `grace` after the
deadline; the learner sees the deadline without it.
"""

from datetime import datetime, timedelta
from typing import Literal

State = Literal["created", "in_progress", "submitted", "expired", "scored"]

Refusal = Literal["not_started", "closed"]
"""Why a sitting takes no answers: not begun, or over."""


def deadline_of(started_at: datetime, time_limit_seconds: int | None) -> datetime | None:
    """Return the deadline of a sitting; None: its set has no time limit."""
    return None if time_limit_seconds is None else started_at + timedelta(seconds=time_limit_seconds)


def is_over(deadline_at: datetime | None, grace: timedelta, now: datetime) -> bool:
    """Return whether the deadline and its grace have passed. The last instant of the grace still counts."""
    return deadline_at is not None and now > deadline_at + grace


def why_no_answers(state: State, deadline_at: datetime | None, grace: timedelta, now: datetime) -> Refusal | None:
    """Return why a sitting takes no answers at `now`; None: it takes them.

    A sitting that is overdue takes none even while nobody has closed it yet.
    """
    if state == "created":
        return "not_started"
    if state != "in_progress" or is_over(deadline_at, grace, now):
        return "closed"
    return None
