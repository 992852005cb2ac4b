"""No statement that is kept as a file may rot: each is planned against the migrated schema."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import worker

ROOT = Path(worker.__file__).parent
QUERIES = sorted(ROOT.rglob("queries/*.sql"))
PARAMETER = re.compile(r"%\((\w+)\)s")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def split(statements: str) -> list[str]:
    """Return the statements of a file; a semicolon within a line belongs to its statement."""
    return [one for one in re.split(r";\s*$", statements, flags=re.MULTILINE) if re.sub(r"--.*", "", one).strip()]


def numbered(statement: str) -> tuple[str, int]:
    """Return the statement with `$1`, `$2` … for its named parameters, casts kept, and how many there are."""
    names = list(dict.fromkeys(PARAMETER.findall(statement)))
    return PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%"), len(names)


def explain(connection, statement: str) -> str:
    """Return the plan for parameters of any value."""
    text, parameters = numbered(statement)
    if connection.info.server_version >= 160_000:
        plan = connection.execute(b"EXPLAIN (GENERIC_PLAN) " + text.encode(), prepare=False)
    else:
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute(b"PREPARE elp_explained AS " + text.encode())
        values = sql.SQL(", ").join([sql.SQL("NULL")] * parameters)
        execution = sql.SQL("EXECUTE elp_explained({})" if parameters else "EXECUTE elp_explained").format(values)
        plan = connection.execute(sql.SQL("EXPLAIN {}").format(execution))
    return "\n".join(line for (line,) in plan)


def test_the_queries_are_found():
    assert ROOT / "db/queries/health.sql" in QUERIES


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_a_query_can_be_planned(database, path):
    (statement,) = split(path.read_text(encoding="utf-8"))
    if re.search(r"^COPY\b", statement, flags=re.MULTILINE):
        with database.cursor() as cursor, cursor.copy(statement.encode()):
            pass  # COPY has no plan; one without rows shows that the table and its columns are there
    else:
        assert explain(database, statement)


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_a_query_begins_with_what_it_returns_and_costs(path):
    text = path.read_text(encoding="utf-8")
    comment = "\n".join(line for line in text.split("\n\n")[0].splitlines() if line.startswith("--"))
    assert text.startswith("-- ")
    assert len(comment.split()) >= 10, "say what it returns, how its cost grows and which index carries it"
    assert len(comment.splitlines()) >= 2 or "." in comment.rstrip(".")


@pytest.mark.parametrize(
    "statement",
    [
        "-- x\nSELECT nothing FROM users WHERE id = %(id)s::uuid",
        "SELECT id FROM no_such_table",
        "UPDATE users SET id = %(id)s::int",
    ],
)
def test_a_statement_that_does_not_fit_the_schema_is_caught(database, statement):
    with pytest.raises(psycopg.errors.ProgrammingError):
        explain(database, statement)


def test_a_parameter_used_twice_is_one_and_keeps_its_casts():
    assert numbered("SELECT %(b)s::int, %(a)s::uuid[], %(b)s::int WHERE 'x' LIKE '%%'") == (
        "SELECT $1::int, $2::uuid[], $1::int WHERE 'x' LIKE '%'",
        2,
    )
