"""SQL whose tables and columns are known only at run time: identifiers quoted, an upsert composed."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from psycopg import sql
from sqlalchemy import TextClause, text

_TYPES_WITHOUT_EQUALITY: Final = {114, 142}
"""OIDs of json and xml: compared as the text they are stored as."""
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")


def table_identifier(table: str) -> sql.Identifier:
    """Return `table` (or `schema.table`) quoted, so that no name can become SQL."""
    return sql.Identifier(*table.split(".", 1))


def listed(columns: Iterable[str], source: str | None = None) -> sql.Composed:
    """Return `columns` quoted and separated by commas, each with `source` before it where that is given."""
    names = ((source, column) if source else (column,) for column in columns)
    return sql.SQL(", ").join(sql.Identifier(*name) for name in names)


def upsert_statement(
    table: str, columns: Mapping[str, int], key: Collection[str], source: sql.Composable
) -> sql.Composed:
    """Return the statement that inserts the rows of `source` whose key is new and updates those that differ.

    It returns one row: how many were inserted, and how many were written in all. One index probe (or one hash join) a
    row; a row that equals the stored one is only read.

    Args:
        table: where to.
        columns: the type OID of each column, by name; `source` has all of them.
        key: those of the columns that make the primary key or a unique constraint.
        source: a table or a function call, as it stands after FROM.
    """
    values = [column for column in columns if column not in key]
    # The join leaves out rows that are equal: ON CONFLICT … WHERE alone would lock, and so rewrite, each of them.
    # It is repeated there for rows that another transaction wrote since.
    on_conflict = sql.SQL("DO UPDATE SET {} WHERE {}").format(
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in values),
        _differ(columns, values, "present", "excluded"),
    )
    # In the order of the key, two upserts of the same rows wait for one another instead of ending in a deadlock.
    # xmax = 0 would tell the inserted rows apart, but partitioned tables do not return it.
    return sql.SQL(
        "WITH differing AS MATERIALIZED ("
        " SELECT {staged_columns}, present.{first_key} IS NULL AS is_new"
        " FROM {source} staged LEFT JOIN {table} present ON {same_key}"
        " WHERE present.{first_key} IS NULL OR {differ}"
        "), written AS ("
        " INSERT INTO {table} AS present ({columns}) SELECT {columns} FROM differing ORDER BY {key}"
        " ON CONFLICT ({key}) {on_conflict} RETURNING 1"
        ") SELECT least((SELECT count(*) FROM differing WHERE is_new), (SELECT count(*) FROM written)),"
        " (SELECT count(*) FROM written)"
    ).format(
        source=source,
        table=table_identifier(table),
        columns=listed(columns),
        staged_columns=listed(columns, "staged"),
        first_key=sql.Identifier(next(iter(key))),
        key=listed(key),
        same_key=sql.SQL(" AND ").join(
            sql.SQL("present.{0} = staged.{0}").format(sql.Identifier(column)) for column in key
        ),
        differ=_differ(columns, values, "present", "staged") if values else sql.SQL("false"),
        on_conflict=on_conflict if values else sql.SQL("DO NOTHING"),
    )


def _differ(columns: Mapping[str, int], values: Iterable[str], one: str, other: str) -> sql.Composed:
    def row_of(source: str) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{}::text" if columns[column] in _TYPES_WITHOUT_EQUALITY else "{}").format(
                sql.Identifier(source, column)
            )
            for column in values
        )

    return sql.SQL("ROW({}) IS DISTINCT FROM ROW({})").format(row_of(one), row_of(other))


def as_text(query: str) -> TextClause:
    """Return a statement written for psycopg (`%(name)s`, `%%`) as one for a SQLAlchemy session with any driver.

    Parameters need explicit casts where their type isn't clear: asyncpg asks the server for it before it sends them.
    """
    # In parentheses, since SQLAlchemy reads `:name::uuid` as something else.
    return text(_PARAMETER.sub(r"(:\1)", query).replace("%%", "%"))
