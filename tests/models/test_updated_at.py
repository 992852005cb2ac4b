"""`updated_at` is true whoever writes, and however many rows at once."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from psycopg import Connection, sql
from sqlalchemy import DateTime

from tests.factories import make_attempt, make_user
from tests.models.tables import APPEND_ONLY, FACTORIES
from worker.ids import uuid7
from worker.models import Base

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

# Tables with the column but without the trigger, partitions included.
UNGUARDED = """
SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attname = 'updated_at' AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
  AND NOT EXISTS (
      SELECT FROM pg_trigger
      WHERE tgrelid = attrelid AND tgfoid = 'set_updated_at'::regproc AND tgenabled = 'O'
        AND tgtype = 1 | 2 | 16 -- for each row, before, update
  )
"""


def test_each_table_has_both_time_stamps_and_they_are_never_null():
    for table in Base.metadata.sorted_tables:
        for name in ("created_at", "updated_at"):
            column = table.columns[name]
            assert isinstance(column.type, DateTime), f"{table.name}.{name}"
            assert (column.type.timezone, column.nullable) == (True, False), f"{table.name}.{name}"


def test_each_table_that_has_updated_at_has_its_trigger(database: Connection):
    assert database.execute(UNGUARDED).fetchall() == []


@pytest.mark.parametrize("table", [table for table in FACTORIES if table not in APPEND_ONLY])
def test_update_stamps_the_row_even_if_the_statement_says_otherwise(database: Connection, table: str):
    FACTORIES[table](database, created_at=LONG_AGO, updated_at=LONG_AGO)
    database.execute(sql.SQL("UPDATE {} SET updated_at = '1999-01-01Z'").format(sql.Identifier(table)))
    statement = sql.SQL("SELECT DISTINCT created_at, updated_at = now() FROM {}").format(sql.Identifier(table))
    assert (LONG_AGO, True) in database.execute(statement).fetchall()


def test_bulk_update_stamps_each_row_it_changes_and_no_other(database: Connection):
    changed = [make_user(database, updated_at=LONG_AGO) for _ in range(5)]
    untouched = make_user(database, updated_at=LONG_AGO)
    database.execute(
        "UPDATE users SET current_level = new.level FROM unnest(%s::uuid[], %s::text[]) AS new (id, level) "
        "WHERE users.id = new.id",
        [changed, ["B1"] * 5],
    )
    stamped = database.execute("SELECT id FROM users WHERE updated_at = now()").fetchall()
    assert {row[0] for row in stamped} == set(changed)
    assert (untouched, LONG_AGO) in database.execute("SELECT id, updated_at FROM users").fetchall()


def test_upsert_stamps_the_row_it_finds(database: Connection):
    learner = make_user(database)
    FACTORIES["user_stats"](database, user_id=learner, updated_at=LONG_AGO)
    database.execute(
        "INSERT INTO user_stats (user_id, attempts) VALUES (%s, 1) "
        "ON CONFLICT (user_id) DO UPDATE SET attempts = user_stats.attempts + excluded.attempts",
        [learner],
    )
    assert database.execute("SELECT attempts, updated_at = now() FROM user_stats").fetchone() == (1, True)


@pytest.mark.parametrize("attempt_id", [uuid7(), uuid4()], ids=["monthly partition", "default partition"])
def test_update_through_the_parent_stamps_rows_of_partitions(database: Connection, attempt_id: object):
    make_attempt(database, id=attempt_id, updated_at=LONG_AGO)
    database.execute("UPDATE question_attempts SET source = 'import'")
    assert database.execute("SELECT updated_at = now() FROM question_attempts").fetchall() == [(True,)]
