"""Bulk import: CSV or JSON Lines into a table, the good lines loaded, the bad ones reported by line and field."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from psycopg import Error, errors, sql

from worker.db.engines import Connection
from worker.db.exports import FileFormat
from worker.db.import_lines import Column, ImportRefusedError, LineError, Record, read_csv, read_json_lines
from worker.db.queries import load_query
from worker.db.statements import listed, table_identifier, upsert_statement

CHUNK_LINES: Final = 1_000
CHUNK_CHARACTERS: Final = 4_000_000
MAX_ERRORS: Final = 1_000
_REFUSALS: Final = (
    errors.DataError,
    errors.IntegrityError,
    errors.CardinalityViolation,  # a key twice in one statement; alone, each of the two rows is fine
    errors.RaiseException,  # a trigger's own
)
"""What PostgreSQL says about a row, as opposed to the connection, the table or the server."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in rows; the first three and the errors add up to the records of the file."""

    inserted: int
    updated: int
    unchanged: int
    errors: tuple[LineError, ...]


def import_rows(
    connection: Connection,
    table: str,
    lines: Iterable[bytes],
    *,
    file_format: FileFormat,
    key: Sequence[str] = (),
    max_errors: int = MAX_ERRORS,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Load the good lines of a file into a table, and report each bad one by its line, field and reason.

    All in one transaction (or a savepoint of the present one), a statement a thousand lines (fewer of long ones). A
    chunk that PostgreSQL refuses is halved until the bad lines stand alone: each costs about 20 small statements, the
    good ones next to nothing. Memory holds one chunk and the errors.

    Args:
        connection: where to; committing stays the caller's affair unless it is in autocommit mode.
        table: its name, or `schema.table`; it is code's choice, not a user's.
        lines: as a file opened in binary mode gives them, in UTF-8.
        file_format: `csv` with a header that names columns, or `jsonl` with an object a line, keys naming columns.
            Columns that are not named take their defaults; those that the database computes can't be given.
        key: columns of the primary key or a unique constraint. Given, a row whose key is there updates it (if it
            differs); of two lines with one key the later counts. Not given, such a line is an error.
        max_errors: how many bad lines are put up with; 0: all or nothing.
        progress: is told after each chunk how many records, good and bad, have been dealt with.

    Raises:
        ImportRefusedError: no such table, a header that doesn't fit, or more than `max_errors` bad lines; nothing
            was imported.
    """
    found = connection.execute(
        load_query("worker.db", "columns_of_table"), {"table": table_identifier(table).as_string(connection)}
    ).fetchall()
    if not found:
        raise ImportRefusedError(f"there is no table {table}")
    columns = {row[0]: Column(*row[:4]) for row in found}
    if unknown := [name for name in key if name not in columns]:
        raise ImportRefusedError(f"the key names {', '.join(unknown)}, which {table} does not have")
    loader = _Loader(connection, table, {row[0]: row[4] for row in found}, tuple(key), max_errors)
    read = read_csv if file_format == "csv" else read_json_lines
    with connection.transaction():
        done = 0
        for chunk in _chunks(read(lines, columns)):
            loader.load_chunk(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done)
    return Imported(loader.inserted, loader.updated, loader.unchanged, tuple(sorted(loader.errors, key=_line)))


def _line(error: LineError) -> int:
    return error.line


def _chunks(records: Iterator[Record | LineError]) -> Iterator[list[Record | LineError]]:
    chunk: list[Record | LineError] = []
    characters = 0
    for one in records:
        chunk.append(one)
        characters += one.size if isinstance(one, Record) else 0
        if len(chunk) >= CHUNK_LINES or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


class _Loader:
    """Writes records and keeps count of what became of them."""

    def __init__(
        self, connection: Connection, table: str, types: dict[str, int], key: tuple[str, ...], max_errors: int
    ) -> None:
        self.inserted = self.updated = self.unchanged = 0
        self.errors: list[LineError] = []
        self._connection = connection
        self._table = table
        self._types = types
        self._key = key
        self._max_errors = max_errors

    def load_chunk(self, chunk: Sequence[Record | LineError]) -> None:
        by_columns: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        for one in chunk:
            if isinstance(one, LineError):
                self._refuse(one)
            elif not one.values:
                self._refuse(LineError(one.line, None, "has no values"))
            elif missing := [name for name in self._key if one.values.get(name) is None]:
                self._refuse(LineError(one.line, ", ".join(missing), "is part of the key and must be given"))
            else:
                # A column that is left out takes its default, so only rows with the same columns go together.
                by_columns[tuple(sorted(one.values))].append(one)
        for columns, records in by_columns.items():
            self._load(columns, records)

    def _load(self, columns: tuple[str, ...], records: Sequence[Record]) -> None:
        try:
            with self._connection.transaction():
                inserted, written = self._write(columns, records)
        except _REFUSALS as error:
            if len(records) == 1:
                self._refuse(self._explained(records[0], error))
                return
            middle = len(records) // 2
            self._load(columns, records[:middle])
            self._load(columns, records[middle:])
            return
        self.inserted += inserted
        self.updated += written - inserted
        self.unchanged += len(records) - written

    def _write(self, columns: tuple[str, ...], records: Sequence[Record]) -> tuple[int, int]:
        """Write rows and return how many were inserted, and how many written in all."""
        source = self._populated("json_populate_recordset")
        values = {"rows": msgspec.json.encode([record.values for record in records]).decode()}
        if self._key:
            types = {column: self._types[column] for column in columns}
            statement = upsert_statement(self._table, types, self._key, source)
            row = self._connection.execute(statement, values).fetchone()
            assert row is not None
            return row[0], row[1]
        insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
            table_identifier(self._table), listed(columns), listed(columns), source
        )
        written = self._connection.execute(insert, values).rowcount
        return written, written

    def _populated(self, function: str) -> sql.Composed:
        return sql.SQL("{}(NULL::{}, %(rows)s::json)").format(sql.SQL(function), table_identifier(self._table))

    def _explained(self, record: Record, error: Error) -> LineError:
        """Return what is wrong with a record that was refused on its own."""
        said = error.diag
        message = said.message_primary or str(error)
        if said.column_name is not None:
            return LineError(record.line, said.column_name, message)
        if said.constraint_name is not None:
            if said.message_detail and isinstance(error, errors.UniqueViolation | errors.ForeignKeyViolation):
                message = said.message_detail  # "Key (slug)=(x) already exists."
            return LineError(record.line, self._columns_of(said), message)
        return LineError(record.line, self._unreadable_field(record), message)

    def _columns_of(self, said: errors.Diagnostic) -> str | None:
        table = sql.Identifier(*filter(None, (said.schema_name, said.table_name)))
        row = self._connection.execute(
            load_query("worker.db", "columns_of_constraint"),
            {"table": table.as_string(self._connection), "constraint": said.constraint_name},
        ).fetchone()
        return None if row is None else row[0]

    def _unreadable_field(self, record: Record) -> str | None:
        """Return the first column whose type does not take the value, found by trying each alone."""
        statement = sql.SQL("SELECT {}").format(self._populated("json_populate_record"))
        for name, value in record.values.items():
            try:
                with self._connection.transaction():
                    self._connection.execute(statement, {"rows": msgspec.json.encode({name: value}).decode()})
            except _REFUSALS:
                return name
        return None

    def _refuse(self, error: LineError) -> None:
        self.errors.append(error)
        if len(self.errors) > self._max_errors:
            first = self.errors[0]
            raise ImportRefusedError(
                f"more than {self._max_errors} bad lines, so nothing was imported;"
                f" the first is line {first.line}: {first.field or ''} {first.message}",
                self.errors,
            )
