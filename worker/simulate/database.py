"""The scratch database's own virtual time and seeded identifiers: what it would make up itself follows the simulation.

`created_at DEFAULT now()`, triggers and keys that the database draws would otherwise carry the machine's time and
chance into the tables, and two runs of a seed would differ.
"""

import re
from datetime import datetime
from typing import Final

import psycopg
from psycopg import sql

from worker.db.engines import Connection

_DEFAULTS: Final = (
    (re.compile(r"\bnow\(\)|CURRENT_TIMESTAMP|\b(clock|statement)_timestamp\(\)"), "simulated_now()"),
    (re.compile(r"\buuidv7\(\)"), "simulated_uuid7()"),
    (re.compile(r"\bgen_random_uuid\(\)"), "simulated_uuid7()"),
)
_SETUP: Final = """
CREATE TABLE simulation_clock (instant timestamptz NOT NULL);
CREATE SEQUENCE simulation_ids;
CREATE FUNCTION simulated_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT instant FROM simulation_clock';
CREATE FUNCTION simulated_uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM simulated_now()) * 1000)::bigint), 12, '0')
            || '7' || lpad(to_hex(nextval('simulation_ids') & 4095), 3, '0')
            || '8' || substr(md5(currval('simulation_ids')::text), 1, 15))::uuid
$$;
"""


def take_over_time(connection: Connection, now: datetime) -> None:
    """Have a migrated database ask the simulation for instants and keys, from its defaults and from its functions."""
    connection.execute(_SETUP)
    connection.execute("INSERT INTO simulation_clock VALUES (%s)", (now,))
    connection.execute("UPDATE search_state SET created_at = %s", (now,))  # its rows are made by a migration
    functions = connection.execute(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'"
        " AND proname NOT LIKE 'simulated%' AND prosrc ~ '(now|clock_timestamp|statement_timestamp)\\(\\)'"
    ).fetchall()
    for (definition,) in functions:
        if "FUNCTION public.uuidv7(" not in definition:  # no default asks it any more
            connection.execute(_replaced(definition).encode())
    columns = connection.execute(
        "SELECT table_name, column_name, column_default FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_default IS NOT NULL"
    ).fetchall()
    for table, column, default in columns:
        replaced = _replaced(default)
        if replaced != default:
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
                    sql.Identifier(table),
                    sql.Identifier(column),
                    sql.SQL(replaced),
                )
            )


def move_to(connection: psycopg.Connection[tuple[object, ...]], now: datetime) -> None:
    """Let the database's virtual time stand at `now`."""
    connection.execute("UPDATE simulation_clock SET instant = %s", (now,))


def drawn_by_database(connection: Connection) -> set[tuple[str, str]]:
    """Return the columns (table, column) whose values the database draws: their order of drawing is a plan's choice."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_default ~ 'simulated_uuid7|nextval' OR is_identity = 'YES'"
    )
    return {(table, column) for table, column in rows}


def _replaced(text: str) -> str:
    for pattern, replacement in _DEFAULTS:
        text = pattern.sub(replacement, text)
    return text
