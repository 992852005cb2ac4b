"""What is recorded stays as it is, in the order of its commits, whoever writes and however many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import psycopg
import pytest
from psycopg import errors

from tests.factories_operations import make_audit_block, make_audit_entry
from worker.audit import AuditEntry, record
from worker.audit.verify import list_entries, verify

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def entry(number: int) -> AuditEntry:
    return AuditEntry("cli:siti", "plan.changed", "plan", str(number), {"amount": "1"}, {"amount": "2"})


def write(url: str, *numbers: int) -> None:
    with psycopg.connect(url) as connection:
        record(connection, [entry(number) for number in numbers], NOW)


def test_entries_of_a_transaction_are_written_at_once_and_read_newest_first(database_url: str):
    write(database_url, 1, 2)
    with psycopg.connect(database_url) as connection:
        record(connection, [AuditEntry("job:x", "stats.recounted", "user_stats", "3")], NOW.replace(hour=10))
        shown = list_entries(connection, limit=10)
        assert [each.object_id for each in shown] == ["3", "2", "1"]
        assert (shown[0].before, shown[2].after, shown[2].occurred_at) == (None, {"amount": "2"}, NOW)
        about = list_entries(connection, object_type="plan", object_id="2", limit=9)
        assert [each.object_id for each in about] == ["2"]
        assert [each.object_id for each in list_entries(connection, actor="cli:siti", limit=1)] == ["2"]


def test_nothing_to_record_is_no_statement_at_all(database: psycopg.Connection):
    record(database, [], NOW)
    assert list_entries(database, limit=1) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'user:nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "UPDATE audit_blocks SET entries = entries + 1",
        "DELETE FROM audit_blocks",
        "TRUNCATE audit_blocks",
    ],
)
def test_owner_of_the_tables_can_neither_change_nor_remove_what_was_recorded(database, statement: str):
    make_audit_entry(database)
    make_audit_block(database)
    database.execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE doesn't work beside what is deferred
    with pytest.raises(errors.CheckViolation, match="append-only") as refused, database.transaction():
        database.execute(statement)
    assert (refused.value.diag.constraint_name or "").endswith("_append_only")


def test_plain_insert_is_chained_too_whatever_it_says_about_its_block(database_url: str):
    with psycopg.connect(database_url) as connection:
        make_audit_entry(connection, block_id="00000000-0000-0000-0000-000000000001", digest=b"x" * 32)
    with psycopg.connect(database_url) as connection:
        result = verify(connection)
    assert (result.entries, result.blocks, result.alterations) == (1, 1, 0)


def test_entry_that_was_rolled_back_leaves_no_trace(database_url: str):
    with psycopg.connect(database_url) as connection:
        make_audit_entry(connection)
        connection.rollback()
        with connection.transaction(force_rollback=True):
            make_audit_entry(connection)
        make_audit_entry(connection)
    with psycopg.connect(database_url) as connection:
        result = verify(connection)
    assert (result.entries, result.blocks, result.alterations) == (1, 1, 0)


def test_entry_after_an_early_seal_begins_another_block(database_url: str):
    with psycopg.connect(database_url) as connection:
        make_audit_entry(connection)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        make_audit_entry(connection)
        make_audit_entry(connection)
    with psycopg.connect(database_url) as connection:
        result = verify(connection)
    assert (result.entries, result.blocks, result.alterations) == (3, 2, 0)


def test_nobody_can_name_the_block_of_another_transaction(database_url: str):
    write(database_url, 1)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT block_id FROM audit_blocks").fetchone()
        assert row is not None
        connection.execute("SELECT set_config('elp.audit_block', %s, true)", (row[0].hex,))
        make_audit_entry(connection)
    with psycopg.connect(database_url) as connection:
        result = verify(connection)
    assert (result.blocks, result.alterations) == (2, 0)


def test_chain_holds_with_writers_who_commit_at_once(database_url: str):
    writers, rounds = 8, 10
    together = Barrier(writers)

    def work(writer: int) -> None:
        with psycopg.connect(database_url) as connection:
            for number in range(rounds):
                together.wait(60)
                record(connection, [entry(writer), entry(number)], NOW)
                connection.commit()

    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(work, writer) for writer in range(writers)]:
            done.result(90)
    with psycopg.connect(database_url) as connection:
        result = verify(connection)
        numbers = [number for (number,) in connection.execute("SELECT number FROM audit_blocks ORDER BY number")]
    assert (result.entries, result.blocks, result.alterations) == (2 * writers * rounds, writers * rounds, 0)
    assert numbers == list(range(1, writers * rounds + 1))


def test_open_transaction_holds_up_no_other_writer(database_url: str):
    with psycopg.connect(database_url) as slow:
        record(slow, [entry(1)], NOW)
        with psycopg.connect(database_url) as quick:
            quick.execute("SET lock_timeout = '30s'")
            record(quick, [entry(2)], NOW)
        slow.commit()
    with psycopg.connect(database_url) as connection:
        order = connection.execute(
            "SELECT object_id FROM audit_log JOIN audit_blocks USING (block_id) ORDER BY number"
        ).fetchall()
    assert order == [("2",), ("1",)]  # the chain's order is that of the commits
