"""Each statement of the pipeline fits the schema, and an index carries it."""

import re
from importlib.resources import files

import pytest

from worker.attempts import wire
from worker.db.queries import load_query

_QUERIES = sorted(path.name.removesuffix(".sql") for path in files("worker.attempts").joinpath("queries").iterdir())
_PIPELINE = [name for name in _QUERIES if not name.startswith("accept_")]
_TYPES = {
    "uuid[]": wire.UuidArray([bytes(16)]),
    "integer[]": wire.Int4Array([1]),
    "bigint[]": wire.Int8Array([1]),
    "text[]": wire.TextArray(["x"]),
    "float8[]": wire.Float8Array([1.5, None]),
    "date[]": wire.DateArray([]),
    "timestamptz[]": wire.InstantArray([1]),
    "uuid": "00000000-0000-0000-0000-000000000000",
    "timestamptz": "2026-11-24T00:00:00Z",
}


def _explain(connection, name):
    statement = load_query("worker.attempts", name)
    values = {name: _TYPES[kind] for name, kind in re.findall(r"%\((\w+)\)s::([a-z0-9]+(?:\[\])?)", statement)}
    values |= {"lane": 3, "limit": 100}
    cursor = wire.raw_cursor(connection)
    # Tables are empty here: only a plan that may not scan them shows whether an index can carry the statement.
    cursor.execute("SET LOCAL enable_seqscan = off")
    return "\n".join(line for (line,) in cursor.execute(f"EXPLAIN {statement}", values))


@pytest.mark.parametrize("name", [name for name in _PIPELINE if not name.startswith("copy_")])
def test_a_statement_fits_the_schema_and_reads_no_table_from_end_to_end(database, name):
    assert "Seq Scan" not in _explain(database, name)


@pytest.mark.parametrize("name", _PIPELINE)
def test_a_statement_says_first_what_it_does_and_costs(name):
    comment = re.match(r"(?:--[^\n]*\n)+", load_query("worker.attempts", name))
    assert comment is not None
    assert "Cost" in comment.group() or "as `take_batch` does" in comment.group()


def test_a_batch_is_taken_by_the_physical_place_of_its_rows(database):
    assert "Tid Scan on attempt_inbox" in _explain(database, "take_batch")


def test_known_attempts_are_sought_one_by_one_however_many_are_sent(database):
    assert "Hash" not in _explain(database, "find_known_attempts")
