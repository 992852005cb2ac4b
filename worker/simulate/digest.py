"""A digest of everything the tables hold, so that two runs can be compared."""

import hashlib
from typing import Final

from psycopg import sql

from worker.db import Connection
from worker.simulate.database import drawn_by_database

_LEFT_OUT: Final = frozenset({"block_id", "digest", "leased_by", "transaction_id", "updated_at"})
"""Columns that tell about the process or the transaction, not about what happened."""
_NOT_OURS: Final = frozenset({"alembic_version", "simulation_clock"})


def digest(connection: Connection) -> str:
    """Return SHA-256 over the rows of all tables, whatever their order; values that the database draws are left out."""
    drawn = drawn_by_database(connection)
    tables: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attname"
    ):
        if table not in _NOT_OURS and column not in _LEFT_OUT and (table, column) not in drawn:
            tables.setdefault(table, []).append(column)
    whole = hashlib.sha256()
    for table, columns in tables.items():
        statement = sql.SQL(
            "SELECT md5(coalesce(string_agg(line, '' ORDER BY line), ''))"
            " FROM (SELECT md5(ROW({})::text) AS line FROM {}) AS hashed"
        ).format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table))
        row = connection.execute(statement).fetchone()
        whole.update(f"{table} {row[0] if row else ''}\n".encode())
    return whole.hexdigest()
