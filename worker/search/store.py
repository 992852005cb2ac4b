"""SQL of search's jobs and its command line: what is left to do, the check, the words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from worker.db import Connection
from worker.search.refresh import KINDS, mark, query


@dataclass(frozen=True, slots=True)
class KindStatus:
    """How the vectors of one kind of object stand."""

    kind: str
    version: int
    """The definition that all vectors follow, or are marked to."""
    wanted: int
    """The database's definition."""
    objects: int
    unmarked: int
    """Rows that a rollout of a definition still has to mark."""
    marks: int
    """Marks that wait; an object may have several."""
    oldest_at: datetime | None
    words_due: bool


def status(connection: Connection) -> list[KindStatus]:
    """Return how search stands, by kind."""
    return [KindStatus(*row) for row in connection.execute(query("status"))]


def marks(connection: Connection) -> int:
    """Return how many marks wait."""
    return _value(connection, "SELECT count(*) FROM search_dirty")


def is_any_left(connection: Connection, *, marked_before: datetime) -> bool:
    """Return whether a mark of before that instant waits, or a new definition is not rolled out."""
    return bool(
        _value(
            connection,
            "SELECT EXISTS (SELECT FROM search_dirty WHERE marked_at < %s)"
            " OR EXISTS (SELECT FROM search_state WHERE version <> search_vector_version())",
            marked_before,
        )
    )


def is_any_outdated(connection: Connection) -> bool:
    """Return whether a new definition is being rolled out."""
    return bool(_value(connection, "SELECT EXISTS (SELECT FROM search_state WHERE version <> search_vector_version())"))


def begin_rebuild(connection: Connection, kinds: Sequence[str] = KINDS) -> None:
    """Have every vector computed anew: by whoever refreshes, from the lowest id on, and resumed after any stop."""
    connection.execute(
        "UPDATE search_state SET version = 0, marked_through = NULL, words_due = true WHERE object_type = ANY(%s)",
        (list(kinds),),
    )
    connection.execute("NOTIFY elp_search_dirty")


def id_ranges(connection: Connection, rows: int) -> list[tuple[str, UUID, UUID]]:
    """Return ranges of ids that hold all lessons and questions, so many of them each."""
    return [(kind, first, last) for kind, first, last in connection.execute(query("id_ranges"), {"rows": rows})]


def check(
    connection: Connection, kind: str, first: UUID, last: UUID, *, share: float, salt: int
) -> tuple[int, list[UUID]]:
    """Compute vectors of a range anew and mark those that are wrong though nothing says so.

    Args:
        connection: in a transaction; the marks count with its commit.
        kind: lesson or question.
        first: the range's lowest id.
        last: its highest.
        share: the part of the rows to look at, 0–1.
        salt: decides which part.

    Returns:
        How many were looked at, and which were wrong.
    """
    values = {"first": first, "last": last, "share": share, "salt": salt}
    row = connection.execute(query(f"check_{kind}s"), values).fetchone()
    assert row is not None, "a SELECT without FROM always returns a row"
    looked_at, drifted = row
    if drifted:
        mark(connection, kind, drifted)
    return looked_at, drifted


def are_words_due(connection: Connection) -> bool:
    """Return whether so much was written since the last count that words are to be counted anew."""
    return bool(_value(connection, "SELECT EXISTS (SELECT FROM search_state WHERE words_due)"))


def count_words(connection: Connection) -> int:
    """Count all words anew in the caller's transaction; return how many there are."""
    connection.execute("UPDATE search_state SET words_due = false WHERE words_due")
    return _value(connection, query("count_words"))


def _value(connection: Connection, statement: str, *values: object) -> int:
    row = connection.execute(statement, values or None).fetchone()
    assert row is not None, "such a statement always returns a row"
    return int(row[0])
