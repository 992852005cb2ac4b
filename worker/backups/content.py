"""What the database's tables hold: written down at a point of the write-ahead log, compared after a restore to it."""

import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from worker.backups.entry import Content, RowHash, TableDigest
from worker.backups.server import PACKAGE, connect, mark_log
from worker.db import Connection
from worker.db.queries import load_query
from worker.logging import get_logger

_log = get_logger(__name__)

BLOCKS_READ: Final = 32_768
"""Of a table of more than twice so many blocks (512 MiB), the first and the last so many are read."""
_LOCK_ATTEMPTS: Final = 40
_LOCK_TIMEOUT: Final = "300ms"
_LOCKING_TIMEOUT: Final = "500ms"
"""Writers wait for us no longer than this, and well below `deadlock_timeout`: they are never the ones to be ended."""
_PLAIN_TEXT: Final[tuple[LiteralString, ...]] = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'postgres'",
    "SET extra_float_digits = 3",
    "SET bytea_output = 'hex'",
)
"""What a row's text depends on."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and how much of it is read."""

    name: str
    first_blocks: int | None = None
    last_from: int | None = None
    hashed: RowHash = "text"


_HASHES: Final[Mapping[RowHash, LiteralString]] = {
    "record": "hash_record_extended(row, 0)",  # four times as fast
    "text": "hashtextextended(row::text, 0)",
}


def record_content(database_url: str, restore_point: str, now: datetime) -> Content:
    """Return what the tables hold, and write a restore point into the log at which they hold exactly this.

    For that, writers wait for some milliseconds: a lock that keeps them out, a snapshot, the point, and they go on.
    When the lock can't be had in half a minute, the tables are read while others write, and the result has no point.
    """
    with connect(database_url) as reader:
        for statement in _PLAIN_TEXT:
            reader.execute(statement)
        tables = _tables(reader)
        revision = _revision(reader)
        chance = random.Random(restore_point)  # noqa: S311 - spreads attempts
        point_lsn: str | None = None
        for _ in range(_LOCK_ATTEMPTS):
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
                point_lsn = _mark(database_url, reader, list(tables), restore_point)
                break
            time.sleep(0.2 + 0.8 * chance.random())
        if point_lsn is None:
            _log.warning("backup_content_without_point", restore_point=restore_point)
            reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        digests = {name: digest(reader, table) for name, table in tables.items()}
        reader.execute("COMMIT")
    return Content(
        revision=revision,
        restore_point=None if point_lsn is None else restore_point,
        point_lsn=point_lsn,
        point_at=now,
        tables=digests,
    )


def digest(connection: Connection, table: Table) -> TableDigest:
    """Count and hash the rows of a table, or of its first and last blocks."""
    source = sql.SQL(table.name)  # quoted by format() in the catalogue's own query
    if table.first_blocks is not None:
        parts = [
            sql.SQL("SELECT * FROM {} WHERE ctid < {}").format(source, f"({table.first_blocks},0)"),
            sql.SQL("SELECT * FROM {} WHERE ctid >= {}").format(source, f"({table.last_from},0)"),
        ]
        source = sql.SQL("({})").format(sql.SQL(" UNION ALL ").join(parts))  # type: ignore[assignment]
    statement = sql.SQL("SELECT count(*), coalesce(sum({}), 0)::text FROM {} AS row").format(
        sql.SQL(_HASHES[table.hashed]), source
    )
    row = connection.execute(statement).fetchone()
    assert row is not None, "an aggregate has a row"
    return TableDigest(
        rows=row[0],
        digest=row[1],
        first_blocks=table.first_blocks,
        last_from=table.last_from,
        hashed=table.hashed,
    )


def differences(connection: Connection, recorded: Content) -> list[str]:
    """Return in words which tables hold something else than was recorded."""
    for statement in _PLAIN_TEXT:
        connection.execute(statement)
    there = _sizes(connection)
    found = [f"table {name} is missing" for name in recorded.tables if name not in there]
    for name, expected in recorded.tables.items():
        if name not in there:
            continue
        seen = digest(connection, Table(name, expected.first_blocks, expected.last_from, expected.hashed))
        if seen.rows != expected.rows:
            found.append(f"table {name} has {seen.rows:,} rows, not {expected.rows:,}")
        elif seen.digest != expected.digest:
            found.append(f"table {name} holds other rows")
    return found


def _tables(connection: Connection) -> Mapping[str, Table]:
    return {
        name: Table(name, None, None, _row_hash(connection, name))
        if blocks <= 2 * BLOCKS_READ
        else Table(name, BLOCKS_READ, blocks - BLOCKS_READ, _row_hash(connection, name))
        for name, blocks in _sizes(connection).items()
    }


def _sizes(connection: Connection) -> dict[str, int]:
    """Return the tables and how many blocks each has."""
    return dict(connection.execute(load_query(PACKAGE, "tables_to_digest"), {}).fetchall())


def _row_hash(connection: Connection, name: str) -> RowHash:
    """Return how a table's rows can be hashed, by a row of nothing but NULLs: its types are what matters."""
    row_of_nulls = sql.SQL("SELECT hash_record_extended(jsonb_populate_record(NULL::{}, '{{}}'), 0)")
    try:
        connection.execute(row_of_nulls.format(sql.SQL(name)))  # as above
    except (psycopg.errors.UndefinedFunction, psycopg.errors.NotNullViolation):  # the latter: a domain's
        return "text"
    return "record"


def _revision(connection: Connection) -> str | None:
    row = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("SELECT max(version_num) FROM public.alembic_version").fetchone()
    return None if found is None else found[0]


def _mark(database_url: str, reader: Connection, tables: list[str], restore_point: str) -> str:
    """Begin the reader's transaction at a restore point at which nobody writes; return a position close behind it."""
    with connect(database_url) as locker, locker.transaction():
        if tables:
            locker.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            locker.execute(f"SET LOCAL statement_timeout = '{_LOCKING_TIMEOUT}'")
            names = sql.SQL(", ").join(sql.SQL(name) for name in tables)  # as above
            locker.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(names))
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            reader.execute("SELECT 1")  # takes the snapshot
            locker.execute("SELECT pg_create_restore_point(%s)", [restore_point])
        except BaseException:
            reader.execute("ROLLBACK")
            raise
    with connect(database_url) as connection:
        return mark_log(connection)
