"""Bulk writes: rows go in with COPY, and an upsert touches only what differs.

Both work on a bare psycopg connection, in its present transaction or in one of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import errors, sql

from worker.db.engines import Connection
from worker.db.statements import listed, table_identifier, upsert_statement
from worker.errors import ElpError

_STAGED = sql.Identifier("pg_temp", "elp_staged")


class BulkWriteError(ElpError):
    """The rows, columns or table of a bulk write do not fit together."""


class RepeatedKeyError(BulkWriteError):
    """Two rows of one upsert have the same key, so which of them counts is undecided.

    Attributes:
        key: the values of the key that came more than once.
    """

    def __init__(self, table: str, columns: Sequence[str], key: tuple[Any, ...]) -> None:
        named = ", ".join(f"{column} = {value}" for column, value in zip(columns, key, strict=True))
        super().__init__(f"more than one row for {table} has {named}: give each key once")
        self.key = key


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did, in rows; the three add up to the rows given."""

    inserted: int
    updated: int
    unchanged: int


def column_types(connection: Connection, table: str, columns: Sequence[str]) -> list[int]:
    """Return the type OIDs of `columns`, as `copy_rows` and `upsert_rows` take them; one look at the catalogue.

    Raises:
        BulkWriteError: there is no such table, or it lacks one of the columns (which is named).
    """
    known: dict[str, int] = dict(
        connection.execute(
            "SELECT attname, atttypid FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            (table_identifier(table).as_string(connection),),
        ).fetchall()
    )
    if not known:
        raise BulkWriteError(f"there is no table {table}")
    if missing := [column for column in columns if column not in known]:
        raise BulkWriteError(f"{table} has no column {', '.join(missing)}")
    return [known[column] for column in columns]


def copy_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    types: Sequence[int | str] | None = None,
) -> int:
    """Insert `rows` with one COPY and return how many there were.

    The fastest way in: cost grows with the bytes, plus one insertion into each of the table's indexes a row. Memory
    stays flat, whatever `rows` yields. All or nothing: a row that breaks a constraint undoes the whole COPY.

    Args:
        connection: where to; committing stays the caller's affair.
        table: its name, or `schema.table`.
        columns: in the order of the values of each row; columns left out take their defaults.
        rows: values as psycopg adapts them. Without `types`, JSON must be wrapped in `psycopg.types.json.Jsonb`.
        types: a PostgreSQL type for each column (`"uuid"`, `"jsonb"`, `"text[]"`, or an OID as from `column_types`).
            Then the values travel in binary form, which the server reads without parsing, and plain dicts and lists
            serve for JSON.

    Raises:
        BulkWriteError: `types` and `columns` differ in number, or no column is named.
        psycopg.Error: the database refused a row (`IntegrityError`) or a value (`DataError`).
    """
    if not columns or (types is not None and len(types) != len(columns)):
        raise BulkWriteError(f"{table}: name at least one column, and give as many types as columns or none")
    statement = sql.SQL("COPY {} ({}) FROM STDIN{}").format(
        table_identifier(table), listed(columns), sql.SQL("" if types is None else " (FORMAT binary)")
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            if types is not None:
                copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


def upsert_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    key: Sequence[str],
    types: Sequence[int | str] | None = None,
) -> Upserted:
    """Insert the rows whose key is new, update those that differ, leave the others untouched.

    The rows are staged with COPY in a temporary table, then one statement writes. A row equal to what is stored is only
    read: no new version, no WAL, no trigger, no row lock. Cost: COPY, one index probe (or one hash join) a row, and
    writing what differs. The temporary table costs a few milliseconds and some catalogue rows: made for hundreds of
    rows and more, not for single ones.

    Args:
        connection: where to; the upsert is a transaction (or a savepoint of the present one) of its own.
        table: its name, or `schema.table`.
        columns: in the order of the values of each row.
        rows: as for `copy_rows`; each key once.
        key: the columns of the primary key or unique constraint that tells whether a row exists; none of them NULL.
        types: as for `copy_rows`.

    Raises:
        RepeatedKeyError: two of the rows have the same key.
        BulkWriteError: `key` is empty or not among `columns`, the table or a column doesn't exist, or types are amiss.
        psycopg.Error: the database refused a row or a value, or `key` isn't unique in the table.
    """
    if not key or not set(key) <= set(columns):
        raise BulkWriteError(f"{table}: the key must be one or more of the columns {', '.join(columns)}")
    known = dict(zip(columns, column_types(connection, table, columns), strict=True))
    with connection.transaction():
        connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                _STAGED, listed(columns), table_identifier(table)
            )
        )
        staged = copy_rows(connection, "pg_temp.elp_staged", columns, rows, types)
        statement = upsert_statement(table, known, key, source=_STAGED)
        try:
            with connection.transaction():
                inserted, written = connection.execute(statement).fetchone() or (0, 0)
        except errors.CardinalityViolation:
            raise _repeated_key(connection, table, key) from None
        connection.execute(sql.SQL("DROP TABLE {}").format(_STAGED))
    return Upserted(inserted=inserted, updated=written - inserted, unchanged=staged - written)


def _repeated_key(connection: Connection, table: str, key: Sequence[str]) -> RepeatedKeyError:
    """Return the error for the first key that was staged more than once."""
    statement = sql.SQL("SELECT {0} FROM {1} GROUP BY {0} HAVING count(*) > 1 ORDER BY {0} LIMIT 1").format(
        listed(key), _STAGED
    )
    return RepeatedKeyError(table, key, connection.execute(statement).fetchone() or ())
