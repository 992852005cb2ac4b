"""Whatever an intruder does to the tables past the triggers, the chain tells, and tells where."""

import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from tests.factories_operations import make_audit_entry
from worker.audit import AuditEntry, record
from worker.audit.chain import Entry, entry_digest
from worker.audit.errors import InvalidAnchorError
from worker.audit.verify import read_anchor, verify
from worker.cli import audit as command

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BLOCKS, PER_BLOCK = 4, 3


@pytest.fixture
def chain(database_url: str) -> psycopg.Connection[Any]:
    """A connection as its owner's, triggers off, to a log of four blocks with three entries each."""
    for block in range(BLOCKS):
        with psycopg.connect(database_url) as connection:
            entries = [AuditEntry("cli:siti", "plan.changed", "plan", f"{block}.{n}") for n in range(PER_BLOCK)]
            record(connection, entries, NOW)
    connection = psycopg.connect(database_url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    return connection


def found(connection: psycopg.Connection[Any], anchor: str | None = None) -> list[tuple[str, int | None]]:
    with connection.transaction():
        result = verify(connection, read_anchor(anchor) if anchor else None)
    assert result.alterations == len(result.findings)
    return [(finding.kind, finding.block) for finding in result.findings]


def last_block(connection: psycopg.Connection[Any]) -> str:
    with connection.transaction():
        last = verify(connection).last
    assert last is not None
    return last


def test_log_as_it_was_recorded_passes(chain):
    assert found(chain) == []
    assert found(chain, last_block(chain)) == []


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'cli:budi'",
        "action = 'plan.created'",
        "object_type = 'user'",
        "object_id = '7'",
        "occurred_at = occurred_at + interval '1 microsecond'",
        "created_at = created_at + interval '1 microsecond'",
        "before = '{}'",
        "after = '{}'",
    ],
)
def test_entry_of_which_any_field_was_changed_is_found(chain, change: str):
    chain.execute(f"UPDATE audit_log SET {change} WHERE object_id = '1.2'".encode())
    assert found(chain) == [("entry_changed", 2)]


def test_entry_changed_along_with_its_digest_breaks_its_block_alone(chain):
    chain.execute("UPDATE audit_log SET actor = 'cli:budi' WHERE object_id = '1.2'")
    chain.execute("UPDATE audit_log SET digest = audit_digest(audit_log) WHERE object_id = '1.2'")
    assert found(chain) == [("block_broken", 2)]


def test_removed_entry_is_found(chain):
    chain.execute("DELETE FROM audit_log WHERE object_id = '2.0'")
    assert found(chain) == [("block_broken", 3)]


def test_removed_block_is_found(chain):
    chain.execute("DELETE FROM audit_log WHERE object_id LIKE '1.%'")
    chain.execute("DELETE FROM audit_blocks WHERE number = 2")
    assert found(chain) == [("block_missing", 2)]


def test_entry_put_in_past_the_triggers_is_found(chain):
    make_audit_entry(chain, block_id="00000000-0000-0000-0000-000000000001", digest=b"x" * 32)
    assert found(chain) == [("entry_unsealed", None)]


def test_entry_moved_to_another_block_is_found(chain):
    chain.execute(
        "UPDATE audit_log SET block_id = (SELECT block_id FROM audit_blocks WHERE number = 1) WHERE object_id = '3.0'"
    )
    assert found(chain) == [("entry_changed", 1), ("block_broken", 1), ("block_broken", 4)]


def test_end_cut_off_is_found_by_the_anchor_alone(chain):
    anchor = last_block(chain)
    chain.execute("DELETE FROM audit_log WHERE object_id LIKE '3.%'")
    chain.execute("DELETE FROM audit_blocks WHERE number = 4")
    assert found(chain) == []
    assert found(chain, anchor) == [("block_missing", 4)]


def test_chain_computed_anew_is_found_by_the_anchor(chain):
    anchor = last_block(chain)
    chain.execute("DELETE FROM audit_log WHERE object_id LIKE '3.%'")
    chain.execute("DELETE FROM audit_blocks WHERE number = 4")
    chain.execute("SET session_replication_role = origin")
    with chain.transaction():
        record(chain, [AuditEntry("cli:budi", "plan.changed", "plan", "3.0")], NOW)
    assert found(chain) == []
    assert found(chain, anchor) == [("anchor_differs", 4)]


@pytest.mark.parametrize("text", ["", "4", "4:", "4:abc", f"x:{'0' * 64}", f"4:{'g' * 64}", f"-1:{'0' * 64}"])
def test_anchor_that_is_none_is_refused(text: str):
    with pytest.raises(InvalidAnchorError):
        read_anchor(text)


TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.tuples(TEXT, TEXT, TEXT, TEXT).map(lambda texts: [f"x{text}" for text in texts]),
    fields=st.none() | st.dictionaries(TEXT, TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
    occurred_at=st.datetimes(timezones=st.just(UTC)),
)
def test_program_and_database_compute_the_same_digest(database, texts, fields, occurred_at):
    with database.transaction(force_rollback=True):
        row = database.execute(
            "INSERT INTO audit_log (occurred_at, actor, action, object_type, object_id, before) "
            "VALUES (%s, %s, %s, %s, %s, %s) RETURNING id, block_id, (extract(epoch FROM occurred_at) * 1e6)::bigint, "
            "(extract(epoch FROM created_at) * 1e6)::bigint, before::text, digest",
            (occurred_at, *texts, None if fields is None else Jsonb(fields)),
        ).fetchone()
    identity, block, occurred_us, created_us, before, digest = row
    entry = Entry(identity, block, occurred_us, created_us, (*texts, before, None), digest)
    assert entry_digest(entry) == digest


def test_command_shows_what_was_altered_and_says_so_by_its_exit_code(chain, redis_url: str):
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command.app, arguments, env={"COLUMNS": "200"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    anchor = last_block(chain)
    code, shown = run("verify", "--anchor", anchor)
    assert (code, "unaltered" in shown, anchor in shown) == (0, True, True)
    chain.execute("DELETE FROM audit_log WHERE object_id = '2.0'")
    code, shown = run("verify", "--json")
    assert (code, json.loads(shown)["findings"][0]["kind"]) == (1, "block_broken")
    code, shown = run("verify")
    assert (code, "block_broken" in shown, "it had 3 entries and has 2" in shown) == (1, True, True)
    code, shown = run("list", "--object-type", "plan", "--object-id", "3.1")
    assert (code, "plan 3.1" in shown, "plan 3.0" in shown) == (0, True, False)
