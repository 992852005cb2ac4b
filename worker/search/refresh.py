"""Keeps search vectors true: works off the marks that edits left, a small transaction after the other.

Marks are set by statement triggers in the editor's own transaction (migration 0025), so no edit can be forgotten. One
refresh works at a time, whoever runs it; it locks the rows it writes for milliseconds and never waits for an editor.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from worker.db import Connection, transaction
from worker.db.queries import load_query

query: Final = partial(load_query, "worker.search")

START: Final = UUID(int=0)
"""Before the first mark, and the first id."""
BATCH: Final = 50
"""Marks in one transaction: so long an editor may have to wait for a row, some 20 ms."""
OUTDATED: Final = 2_000
"""Rows of an older definition that are marked at once, whenever the marks before are worked off."""
LOCK: Final = (0x454C5007, 0)
"""The advisory lock (class, number) of whoever refreshes. Two at once could overwrite each other's newer vector."""
KINDS: Final = ("lesson", "question")

Transactions = Callable[[], AbstractContextManager[Connection]]


@dataclass(slots=True)
class Refreshed:
    """What a refresh did.

    Attributes:
        marks: how many marks were settled.
        written: how many vectors were not what they should be.
        held: how many marks were left because an editor holds their row at this moment.
        is_complete: whether it came to the end of the marks.
        was_busy: another refresh was at work, so this one did nothing.
    """

    marks: int = 0
    written: int = 0
    held: int = 0
    is_complete: bool = False
    was_busy: bool = False
    last: UUID | None = field(default=None, repr=False)
    """The last mark looked at."""

    def add(self, other: "Refreshed") -> None:
        """Take in what the next batch did."""
        self.marks += other.marks
        self.written += other.written
        self.held += other.held
        self.is_complete = other.is_complete
        self.was_busy = other.was_busy
        self.last = other.last or self.last


def refresh_batch(connection: Connection, after: UUID = START, limit: int = BATCH) -> Refreshed:
    """Settle up to `limit` marks after `after` in the caller's transaction, which must be READ COMMITTED.

    The number of statements does not depend on the number of marks; several marks of one object cost one vector.
    """
    free = connection.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK).fetchone()
    if free is None or not free[0]:
        return Refreshed(was_busy=True)
    # What a crash of the server forgets keeps its mark: it needs no wait for the disk while rows are locked.
    connection.execute("SET LOCAL synchronous_commit = off")
    marks = connection.execute(query("take_marks"), {"after": after, "limit": limit}).fetchall()
    report = Refreshed(is_complete=len(marks) < limit, last=marks[-1][0] if marks else None)
    settled: set[tuple[str, UUID]] = set()
    for kind in KINDS:
        ids = sorted({object_id for _, object_type, object_id in marks if object_type == kind})
        if ids:
            done, written = _refresh(connection, kind, ids, are_few=report.is_complete)
            settled |= {(kind, object_id) for object_id in done}
            report.written += written
    ids = [mark for mark, kind, object_id in marks if (kind, object_id) in settled]
    if ids:
        connection.execute(query("drop_marks"), {"ids": ids})
    report.marks = len(ids)
    report.held = len(marks) - len(ids)
    return report


def _refresh(connection: Connection, kind: str, ids: Sequence[UUID], *, are_few: bool) -> tuple[list[UUID], int]:
    """Return the ids of a kind that are settled, and how many were written."""
    rows = connection.execute(query(f"refresh_{kind}s"), {"ids": ids}).fetchall()
    written = [object_id for object_id, was_written in rows if was_written]
    if written and are_few:
        connection.execute(query(f"add_{kind}_words"), {"ids": written})
    elif written:
        # Of a bulk change, counting all words once costs less than adding each row's.
        connection.execute("UPDATE search_state SET words_due = true WHERE object_type = %s AND NOT words_due", (kind,))
    return [object_id for object_id, _ in rows], len(written)


def mark_outdated(connection: Connection, limit: int = OUTDATED) -> int:
    """Mark the next rows whose vectors follow an older definition than the database's; return how many.

    To be called when no marks wait: so a rollout never stands between an edit and the refresh for long. It goes on
    where it was, whoever began it. Nothing is outdated: one look at two rows.
    """
    marked = 0
    for kind, through, version in connection.execute(query("outdated")).fetchall():
        values = {"after": through or START, "limit": limit}
        row = connection.execute(query(f"mark_outdated_{kind}s"), values).fetchone()
        assert row is not None, "an aggregate always returns a row"
        count, last = row
        marked += count
        if last is None:
            statement = "UPDATE search_state SET version = %s, marked_through = NULL WHERE object_type = %s"
            connection.execute(statement, (version, kind))
        else:
            connection.execute("UPDATE search_state SET marked_through = %s WHERE object_type = %s", (last, kind))
    return marked


def mark(connection: Connection, kind: str, ids: Sequence[UUID]) -> None:
    """Have the vectors of these objects computed anew."""
    connection.execute(query("mark"), {"kind": kind, "ids": list(ids)})
    connection.execute("NOTIFY elp_search_dirty")


def refresh(
    *,
    max_seconds: float,
    batch: int = BATCH,
    between: Callable[[Refreshed], None] | None = None,
    transactions: Transactions = transaction,
) -> Refreshed:
    """Settle all marks, and whatever an older definition made, each batch in a transaction of its own.

    Marks that an editor holds are left where they are.

    Args:
        max_seconds: after which no further batch is begun.
        batch: marks in one transaction.
        between: is called after each batch with what it did: progress, or a pause.
        transactions: gives a transaction to work in.
    """
    total = Refreshed()
    after = START
    deadline = time.monotonic() + max_seconds
    while time.monotonic() < deadline:
        with transactions() as connection:
            done = refresh_batch(connection, after, batch)
            is_at_end = done.is_complete and not mark_outdated(connection)
        total.add(done)
        total.is_complete = is_at_end
        if between is not None:
            between(done)
        if is_at_end or done.was_busy:
            break
        after = done.last or after
    return total
