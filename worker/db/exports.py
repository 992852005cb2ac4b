"""Bulk export: the rows of a query as a stream of CSV or JSON Lines, in memory that does not grow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from psycopg import sql
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from worker.db.engines import Connection

FileFormat = Literal["csv", "jsonl"]

_BLOCK_BYTES = 64 * 1_024
_DIALECT = psycopg_dialect.dialect()  # type: ignore[no-untyped-call]


def export_rows(
    connection: Connection,
    query: Select[*tuple[Any, ...]] | sql.Composable | str,
    parameters: Mapping[str, Any] | None = None,
    *,
    file_format: FileFormat,
) -> Iterator[bytes]:
    """Yield the rows of `query` as UTF-8 text in blocks of about 64 kB, each ending with a line.

    One COPY, so one snapshot, and the server runs only as far ahead as the reader takes; the connection is busy until
    the last block was taken. What comes out goes in again with `import_rows`.

    Args:
        connection: where to ask.
        query: a SQLAlchemy select, or SQL with `%(name)s` for its parameters.
        parameters: values of the parameters of a query given as SQL.
        file_format: `csv`: RFC 4180 with a header; NULL is an empty field, JSON is JSON, arrays are in PostgreSQL's
            form (`{a,b}`). `jsonl`: an object a row; lost is only the difference of NULL and JSON's null.

    Raises:
        psycopg.Error: the query failed, at its start or in mid-stream.
    """
    text, values = _as_sql(query, parameters)
    if file_format == "csv":
        yield from _blocks(_copied_csv(connection, text, values))
    else:
        yield from _blocks(_copied_json(connection, text, values))


def _as_sql(
    query: Select[*tuple[Any, ...]] | sql.Composable | str, parameters: Mapping[str, Any] | None
) -> tuple[sql.Composable, Mapping[str, Any] | None]:
    if isinstance(query, Select):
        compiled = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        # SQLAlchemy doubles each % in any case, psycopg halves them only when there are parameters.
        return sql.SQL(str(compiled)), compiled.params or {"none": None}
    return (query if isinstance(query, sql.Composable) else sql.SQL(query)), parameters


def _copied_csv(connection: Connection, query: sql.Composable, values: Mapping[str, Any] | None) -> Iterator[bytes]:
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)").format(query)
    with connection.cursor() as cursor, cursor.copy(statement, values) as copy:
        for data in copy:
            yield bytes(data)


def _copied_json(connection: Connection, query: sql.Composable, values: Mapping[str, Any] | None) -> Iterator[bytes]:
    statement = sql.SQL("COPY (SELECT row_to_json(exported)::text FROM ({}) exported) TO STDOUT").format(query)
    with connection.cursor() as cursor, cursor.copy(statement, values) as copy:
        for (line,) in copy.rows():
            # A line break can only be white space inside a value of type json: within strings it is escaped.
            yield line.replace("\n", " ").replace("\r", " ").encode() + b"\n"


def _blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    block = bytearray()
    for part in parts:
        block += part
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)
