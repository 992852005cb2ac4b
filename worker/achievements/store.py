"""SQL of achievements: marks, counters, awards."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from worker.achievements.counters import Counters
from worker.achievements.errors import NotAwardedError
from worker.achievements.rules import Award, Learner
from worker.db.engines import Connection
from worker.db.queries import load_query
from worker.events import Event, publish

_query = partial(load_query, "worker.achievements")

Range = tuple[UUID, UUID]
"""First and last id of some learners."""


class Held(msgspec.Struct, frozen=True):
    """An award as it is stored."""

    code: str
    awarded_at: datetime
    revoked_at: datetime | None
    evidence: dict[str, Any]


def mark(connection: Connection, user_ids: Iterable[UUID]) -> None:
    """Have learners evaluated at the next run: for whoever changes what a counter counts, in the same transaction.

    Writers of marks never wait for one another or for the job. A learner marked several times is evaluated once.
    """
    connection.execute(
        "INSERT INTO achievement_marks (user_id) SELECT unnest(%(user_ids)s::uuid[])", {"user_ids": list(user_ids)}
    )


def marked_ranges(connection: Connection, learners: int) -> list[Range]:
    """Return ranges that hold all marked learners, so many of them each."""
    return [(first, last) for first, last in connection.execute(_query("marked_ranges"), {"learners": learners})]


def learner_ranges(connection: Connection, first: UUID, last: UUID, learners: int) -> list[Range]:
    """Return ranges that hold all learners with counters between two ids, so many of them each."""
    values = {"first": first, "last": last, "learners": learners}
    return [(low, high) for low, high in connection.execute(_query("learner_ranges"), values)]


def take_marked(connection: Connection, first: UUID, last: UUID) -> list[UUID]:
    """Delete the marks of a range and return whose they were.

    Whoever reads the counters afterwards sees all that these marks stand for; marks that come meanwhile stay.
    """
    rows = connection.execute(
        "DELETE FROM achievement_marks WHERE user_id BETWEEN %s AND %s RETURNING user_id", (first, last)
    )
    return sorted({user_id for (user_id,) in rows})


def learners_between(connection: Connection, first: UUID, last: UUID) -> list[UUID]:
    """Return all learners with counters from one id to another."""
    rows = connection.execute("SELECT user_id FROM user_stats WHERE user_id BETWEEN %s AND %s", (first, last))
    return [user_id for (user_id,) in rows]


def without_all_days(connection: Connection, user_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of these learners who began before days were kept and were not counted since."""
    rows = connection.execute(
        "SELECT user_id FROM user_stats WHERE user_id = ANY (%s) AND NOT has_all_days", (list(user_ids),)
    )
    return [user_id for (user_id,) in rows]


def load_learners(connection: Connection, user_ids: Sequence[UUID]) -> Iterable[Learner]:
    """Yield the learners who have counters, with what they hold."""
    cursor = connection.execute(_query("learner_counters"), {"user_ids": list(user_ids)}, binary=True)
    for user_id, held, *counters in cursor:
        yield Learner(user_id, held, Counters._make(counters))


def award(connection: Connection, awards: Iterable[Award], now: datetime) -> list[Award]:
    """Award achievements and publish an event for each that is new, in the caller's transaction; return these.

    What a learner holds already, or had revoked, is left as it is, whoever else awards at the same time.
    """
    by_key = {(each.user_id, each.code): each for each in awards}
    if not by_key:
        return []
    rows = connection.execute(
        _query("award"),
        {
            "user_ids": [each.user_id for each in by_key.values()],
            "codes": [each.code for each in by_key.values()],
            "evidence": [msgspec.json.encode(each.evidence).decode() for each in by_key.values()],
            "now": now,
        },
    ).fetchall()
    new = [by_key[user_id, code] for user_id, code in rows]
    publish(
        connection,
        [
            Event(
                "achievement.awarded",
                each.user_id,
                {"code": each.code, "awarded_at": now, "evidence": each.evidence},
            )
            for each in new
        ],
        now=now,
    )
    return new


def awards_of(connection: Connection, user_id: UUID) -> list[Held]:
    """Return a learner's awards, oldest first, revoked ones included."""
    rows = connection.execute(_query("awards_of_learner"), {"user_id": user_id})
    return [Held(*row) for row in rows]


def revoke(connection: Connection, user_id: UUID, code: str, *, actor: str, reason: str, now: datetime) -> None:
    """Take an award back, with a row in the audit log. The row stays, so no job ever awards it again.

    Raises:
        NotAwardedError: the learner does not hold it, or it is revoked already.
    """
    _set_revoked(connection, user_id, code, actor=actor, reason=reason, now=now, revoked_at=now)


def restore(connection: Connection, user_id: UUID, code: str, *, actor: str, reason: str, now: datetime) -> None:
    """Give a revoked award back as it was, with a row in the audit log and without an event.

    Raises:
        NotAwardedError: the learner has no revoked award of this code.
    """
    _set_revoked(connection, user_id, code, actor=actor, reason=reason, now=now, revoked_at=None)


def _set_revoked(
    connection: Connection,
    user_id: UUID,
    code: str,
    *,
    actor: str,
    reason: str,
    now: datetime,
    revoked_at: datetime | None,
) -> None:
    values = {
        "user_id": user_id,
        "code": code,
        "actor": actor,
        "reason": reason,
        "now": now,
        "revoked_at": revoked_at,
        "action": "achievement.revoked" if revoked_at else "achievement.restored",
    }
    if connection.execute(_query("set_revoked"), values).fetchone() is None:
        raise NotAwardedError(user_id, code, "standing" if revoked_at else "revoked")
