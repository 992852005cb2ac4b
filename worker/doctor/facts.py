"""What the doctor looks at. Whatever cannot be asked is None, with the reason: a server that is away is a finding."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import redis

from worker import clock
from worker.db import Connection
from worker.db.engines import libpq_url
from worker.db.queries import load_query
from worker.db.schema import head_revision
from worker.jobs.definition import Job
from worker.metrics.state import COUNTED, BrokerState, DatabaseState, read_broker, read_database

_PACKAGE: Final = "worker.doctor"
_TIMEOUT_S: Final = 5


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone that learners have."""

    name: str
    learners: int
    offset: timedelta | None
    """PostgreSQL's offset from UTC at this moment; None: it does not know the zone."""
    offset_here: timedelta | None
    """This machine's."""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What PostgreSQL told."""

    version: str
    in_recovery: bool
    revision: str | None
    state: DatabaseState | None
    """None: the schema is not this version's, so nothing more was asked."""
    unknown_work: Sequence[tuple[str, str, int]] = ()
    """outbox or run, name, entries."""
    zones: Sequence[Zone] = ()
    next_partition_exists: bool = True
    default_partition_has_rows: bool = False


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What Redis told."""

    state: BrokerState
    eviction_policy: str | None
    """None: it would not say (managed services forbid CONFIG)."""
    used_bytes: int
    limit_bytes: int
    """0: none."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a folder."""

    folder: Path
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules look at."""

    now: datetime
    expected_revision: str
    database: DatabaseFacts | None
    broker: BrokerFacts | None
    database_problem: str | None = None
    broker_problem: str | None = None
    disks: Sequence[Disk] = field(default_factory=tuple)


def gather(
    database_url: str | None, redis_url: str | None, jobs: Sequence[Job], task_names: Sequence[str], folder: Path
) -> Facts:
    """Ask both servers and this machine; a server that is away costs `_TIMEOUT_S` at most."""
    database, database_problem = None, "ELP_DATABASE_URL is not set, and no embedded PostgreSQL runs"
    now = clock.now()
    if database_url is not None:
        try:
            with psycopg.connect(
                libpq_url(database_url),
                application_name="elp-doctor",
                connect_timeout=_TIMEOUT_S,
                options=f"-c statement_timeout={_TIMEOUT_S}s",
            ) as connection:
                database = _ask_database(connection, jobs, task_names, now)
        except psycopg.Error as error:
            database_problem = str(error).strip().splitlines()[0]
    broker, broker_problem = None, "ELP_REDIS_URL is not set, and no embedded Valkey runs"
    if redis_url is not None:
        try:
            with redis.Redis.from_url(
                redis_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
            ) as client:
                broker = _ask_broker(client)
        except redis.RedisError as error:
            broker_problem = str(error)
    return Facts(
        now=now,
        expected_revision=head_revision(),
        database=database,
        broker=broker,
        database_problem=None if database else database_problem,
        broker_problem=None if broker else broker_problem,
        disks=[_disk(folder)],
    )


def _ask_database(
    connection: Connection, jobs: Sequence[Job], task_names: Sequence[str], now: datetime
) -> DatabaseFacts:
    version, in_recovery, migrated = _row(
        connection, "SELECT current_setting('server_version'), pg_is_in_recovery(), to_regclass('alembic_version')"
    )
    revision = _row(connection, "SELECT max(version_num) FROM alembic_version")[0] if migrated else None
    if revision != head_revision():
        return DatabaseFacts(version, in_recovery, revision, None)
    state = read_database(connection, jobs, now)
    names = {"jobs": [job.name for job in jobs], "tasks": list(task_names), "most": COUNTED}
    unknown = connection.execute(load_query(_PACKAGE, "unknown_work"), names).fetchall()
    zones = connection.execute(load_query(_PACKAGE, "time_zones"), {"now": now}).fetchall()
    next_exists, default_has_rows = _row(connection, load_query(_PACKAGE, "partitions"), {"now": now})
    return DatabaseFacts(
        version,
        in_recovery,
        revision,
        state,
        unknown_work=[(what, name, entries) for what, name, entries in unknown],
        zones=[_zone(name, learners, minutes, now) for name, learners, minutes in zones],
        next_partition_exists=next_exists,
        default_partition_has_rows=default_has_rows,
    )


def _ask_broker(client: "redis.Redis") -> BrokerFacts:
    state = read_broker(client)
    memory = client.info("memory")
    policy = memory.get("maxmemory_policy")
    return BrokerFacts(state, policy, int(memory["used_memory"]), int(memory.get("maxmemory", 0)))


def _zone(name: str, learners: int, offset_minutes: int | None, now: datetime) -> Zone:
    try:
        here = now.astimezone(clock.zone(name)).utcoffset()
    except (KeyError, ValueError):
        here = None
    return Zone(name, learners, None if offset_minutes is None else timedelta(minutes=offset_minutes), here)


def _disk(folder: Path) -> Disk:
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    usage = psutil.disk_usage(str(there))
    return Disk(there, usage.free, usage.total)


def _row(connection: Connection, statement: str, values: dict[str, object] | None = None) -> tuple[Any, ...]:
    row = connection.execute(statement, values).fetchone()
    assert row is not None, "such a statement always returns a row"
    return row
