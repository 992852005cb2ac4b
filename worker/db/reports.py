"""What operators look at: slow statements, unused and missing indexes, sizes, partitions, connections."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from worker.db.pagination import MAX_PER_PAGE, check_count
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.errors import ElpError


class ReportUnavailableError(ElpError):
    """A report cannot be given by this server as it is set up; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """One statement, whatever its values, since the counters were reset."""

    id: str
    query: str
    calls: int
    total_ms: float
    mean_ms: float
    max_ms: float
    rows: int
    cache_hit_share: float | None
    """Share of its blocks found in the server's own memory; None: it read none."""


@dataclass(frozen=True, slots=True)
class UnusedIndex:
    """An index that costs space and writes and was never read."""

    table_name: str
    index_name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ScannedTable:
    """A large table that is read from end to end: look at which of the slow queries does it."""

    table_name: str
    scans: int
    rows_a_scan: int
    index_scans: int
    live_rows: int


@dataclass(frozen=True, slots=True)
class IndexUsage:
    """Hints, not orders: an index may serve a report of the year's end, a scan may be the right plan."""

    unused: list[UnusedIndex]
    missing: list[ScannedTable]
    counted_since: datetime | None
    """When the counters were last reset; None: never."""


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table with all its partitions."""

    table_name: str
    estimated_rows: int
    dead_rows: int
    """Waiting for vacuum."""
    data_bytes: int
    index_bytes: int
    toast_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of question_attempts."""

    name: str
    bounds: str
    estimated_rows: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ConnectionGroup:
    """The connections of one program in one state."""

    program: str
    state: str
    connections: int
    oldest_transaction_s: float | None


async def slow_queries(*, session: AsyncSession, limit: int = 20) -> list[SlowQuery]:
    """Return the statements that cost this database most time in all.

    Raises:
        ReportUnavailableError: pg_stat_statements isn't loaded or not installed.
        PageError: `limit` isn't from 1 to 1,000.
    """
    check_count("limit", limit, MAX_PER_PAGE)
    (support,) = await _rows(session, "slow_query_support")
    if not support.loaded:
        raise ReportUnavailableError(
            "the server does not load pg_stat_statements: set shared_preload_libraries = 'pg_stat_statements'"
            " in postgresql.conf and restart it"
        )
    if not support.installed:
        raise ReportUnavailableError(
            "pg_stat_statements is loaded but not installed in this database: as a superuser,"
            " run CREATE EXTENSION pg_stat_statements"
        )
    return [SlowQuery(*row) for row in await _rows(session, "slow_queries", limit=limit)]


async def index_usage(*, session: AsyncSession, rows: int = 10_000) -> IndexUsage:
    """Return the indexes nobody uses, and the tables that are read whole, `rows` rows or more a time."""
    return IndexUsage(
        unused=[UnusedIndex(*row) for row in await _rows(session, "unused_indexes")],
        missing=[ScannedTable(*row) for row in await _rows(session, "scanned_tables", rows=rows)],
        counted_since=await session.scalar(
            text("SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()")
        ),
    )


async def table_sizes(*, session: AsyncSession) -> list[TableSize]:
    """Return what each table takes, the largest first."""
    return [TableSize(*row) for row in await _rows(session, "table_sizes")]


async def partitions(*, session: AsyncSession) -> list[Partition]:
    """Return the partitions of question_attempts; rows in the default one mean that a month's is missing."""
    return [Partition(*row) for row in await _rows(session, "partitions")]


async def connections(*, session: AsyncSession) -> list[ConnectionGroup]:
    """Return who is connected to this database, by program and state."""
    return [ConnectionGroup(*row) for row in await _rows(session, "connections")]


async def _rows(session: AsyncSession, query: str, **parameters: Any) -> list[Row[*tuple[Any, ...]]]:
    return list(await session.execute(as_text(load_query("worker.db", query)), parameters))
