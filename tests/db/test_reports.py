import json

import psycopg
import pytest
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from typer.testing import CliRunner

from tests.factories import make_attempt
from worker.cli.db import app
from worker.db import DatabaseUtils
from worker.db.engines import driver_url
from worker.db.pagination import PageError
from worker.db.reports import ReportUnavailableError, connections, index_usage, partitions, slow_queries, table_sizes
from worker.errors import ConfigurationError


@pytest.fixture
def rows(database_url):
    """A connection whose effects the session of the test sees."""
    with psycopg.connect(database_url, autocommit=True, application_name="test-report") as connection:
        yield connection


async def test_slow_queries_come_with_their_cost_the_costliest_first(rows, committed):
    for _ in range(3):
        rows.execute("SELECT pg_sleep(0.05) AS slept_for_a_report")
    found = await slow_queries(session=committed, limit=1_000)
    slept = next(one for one in found if "slept_for_a_report" in one.query)
    assert slept.calls == 3
    assert 150 <= slept.total_ms < 10_000
    assert slept.mean_ms <= slept.max_ms <= slept.total_ms
    assert [one.total_ms for one in found] == sorted((one.total_ms for one in found), reverse=True)
    assert len(await slow_queries(session=committed, limit=2)) == 2


async def test_slow_queries_of_other_databases_are_left_out(rows, maintenance_url, committed):
    with psycopg.connect(maintenance_url, autocommit=True) as elsewhere:
        elsewhere.execute("SELECT pg_sleep(0.01) AS slept_elsewhere")
    assert not [one for one in await slow_queries(session=committed, limit=1_000) if "slept_elsewhere" in one.query]


async def test_slow_queries_of_a_server_that_does_not_count_them_say_what_to_do(postgres_server, driver):
    server = postgres_server(migrated=False, shared_preload_libraries="")
    engine = create_async_engine(driver_url(server.url, driver), poolclass=NullPool)
    async with AsyncSession(engine) as session:
        with pytest.raises(ReportUnavailableError, match="set shared_preload_libraries = 'pg_stat_statements'"):
            await slow_queries(session=session)


async def test_slow_queries_without_the_extension_say_what_to_do(committed):
    await committed.execute(text("DROP EXTENSION pg_stat_statements"))
    with pytest.raises(ReportUnavailableError, match="run CREATE EXTENSION pg_stat_statements"):
        await slow_queries(session=committed)


@pytest.mark.parametrize("limit", [0, 1_001])
async def test_the_number_of_slow_queries_is_limited(limit):
    with pytest.raises(PageError, match="limit must be from 1 to 1000"):
        await slow_queries(session=None, limit=limit)


async def test_an_index_is_unused_until_a_query_uses_it(rows, committed):
    make_attempt(rows)
    before = {one.index_name: one for one in (await index_usage(session=committed)).unused}
    rows.execute("SET enable_seqscan = off")
    rows.execute("SELECT count(*) FROM question_attempts WHERE user_id = '00000000-0000-4000-8000-000000000000'")
    rows.execute("SELECT pg_stat_force_next_flush()")
    await committed.rollback()  # a transaction sees the counters of its first look
    after = {one.index_name: one for one in (await index_usage(session=committed)).unused}
    assert before["idx_question_attempts_user"].table_name == "question_attempts"
    assert before["idx_question_attempts_user"].bytes > 0
    assert "idx_question_attempts_user" not in after
    assert "idx_question_attempts_question" in after
    assert not [name for name in before if name.startswith(("pk_", "uq_"))]


async def test_a_large_table_read_from_end_to_end_is_named(rows, committed):
    rows.execute("CREATE TABLE logbook AS SELECT n FROM generate_series(1, 500) n")
    for _ in range(4):
        rows.execute("SELECT count(*) FROM logbook WHERE n = 7")
    rows.execute("SELECT pg_stat_force_next_flush()")
    (found,) = [one for one in (await index_usage(session=committed, rows=500)).missing if one.table_name == "logbook"]
    assert (found.scans, found.rows_a_scan, found.index_scans, found.live_rows) == (4, 500, 0, 500)
    assert not [one for one in (await index_usage(session=committed, rows=501)).missing if one.table_name == "logbook"]


async def test_sizes_sum_partitions_under_their_table(rows, committed):
    for _ in range(3):
        make_attempt(rows)
    rows.execute("ANALYZE")
    found = {one.table_name: one for one in await table_sizes(session=committed)}
    attempts = found["question_attempts"]
    assert attempts.estimated_rows == 3
    assert attempts.total_bytes == attempts.data_bytes + attempts.index_bytes + attempts.toast_bytes
    assert attempts.index_bytes > attempts.data_bytes > 0
    assert not [name for name in found if name.startswith(("question_attempts_", "pg_"))]
    assert [one.total_bytes for one in found.values()] == sorted(
        (one.total_bytes for one in found.values()), reverse=True
    )


async def test_partitions_are_listed_with_their_bounds(session):
    found = await partitions(session=session)
    assert found[-1].name == "question_attempts_default"
    assert (found[-1].bounds, found[-1].estimated_rows) == ("DEFAULT", 0)
    assert all(one.bounds.startswith("FOR VALUES FROM ('0") for one in found[:-1])
    assert all(one.total_bytes > 0 for one in found)


async def test_connections_are_grouped_by_program_and_state(rows, committed):
    rows.execute("BEGIN")
    (found,) = [one for one in await connections(session=committed) if one.program == "test-report"]
    assert (found.state, found.connections) == ("idle in transaction", 1)
    assert 0 <= found.oldest_transaction_s < 60


@pytest.mark.parametrize("command", ["health", "pool", "slow-queries", "index-usage", "sizes", "partitions"])
def test_each_command_prints_a_table_and_json(database_url, command):
    for_people = CliRunner().invoke(app, [command])
    for_programs = CliRunner().invoke(app, [command, "--json"])
    assert (for_people.exit_code, for_programs.exit_code) == (0, 0)
    assert for_people.output.strip()
    assert json.loads(for_programs.output)


def test_the_health_command_fails_when_the_database_is_not_well(database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    result = CliRunner().invoke(app, ["health"])
    assert result.exit_code == 1
    assert "run `alembic upgrade head`" in " ".join(result.output.split())


def test_a_command_without_a_database_says_what_to_do(settings, tmp_path):
    settings(data_dir=tmp_path)
    result = CliRunner().invoke(app, ["health"])
    assert isinstance(result.exception, ConfigurationError)
    assert "set ELP_DATABASE_URL" in str(result.exception)


async def test_the_public_face_gives_the_same_reports(session):
    assert await DatabaseUtils.table_sizes(session=session) == await table_sizes(session=session)
    assert (await DatabaseUtils.index_usage(session=session)).missing is not None
    assert await DatabaseUtils.slow_queries(session=session, limit=1)
