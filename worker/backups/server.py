"""The server that is backed up: who it is, its backup lock, and the WAL it must not recycle meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import psycopg
from psycopg.rows import class_row

from worker.backups.errors import BackupError
from worker.db import Connection
from worker.db.engines import libpq_url
from worker.db.queries import load_query

PACKAGE: Final = "worker.backups"
BACKUP_LOCK: Final = (0x454C5008, 0)
"""Advisory lock (class, number) of who makes a backup: one at a time, others wait."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a backup must know of its server."""

    system_identifier: str
    server_version: str
    major: int
    timeline: int
    segment_bytes: int
    summarizes_wal: bool | None
    """None: the version has no summaries (before 17)."""
    database: str
    superuser: str
    size_bytes: int
    clock_at: datetime
    """The server's clock: commits bear its times, so backups that serve an instant are told by it, too."""


def connect(database_url: str, application: str = "elp-backup") -> Connection:
    """Return a connection without an open transaction.

    Raises:
        psycopg.OperationalError: the server cannot be reached.
    """
    return psycopg.connect(
        libpq_url(database_url),
        autocommit=True,
        application_name=application,
        connect_timeout=10,
        keepalives_idle=5,
        keepalives_interval=3,
        keepalives_count=3,
    )


def read_facts(connection: Connection) -> ServerFacts:
    """Return what a backup must know of the server.

    Raises:
        BackupError: the role may not read it.
    """
    try:
        with connection.cursor(row_factory=class_row(ServerFacts)) as cursor:
            (facts,) = cursor.execute(load_query(PACKAGE, "server")).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        raise BackupError(
            f"the database role may not read what a backup needs: {error.diag.message_primary}"
        ) from error
    return facts


@contextmanager
def backup_lock(database_url: str, on_wait: Callable[[], object]) -> Iterator[Connection]:
    """Hold the right to make a backup, and yield the connection that holds it; who comes second waits.

    Raises:
        BackupError: the connection was lost meanwhile: another backup may have run beside this one.
    """
    with connect(database_url) as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", BACKUP_LOCK).fetchone()
        if row is None or not row[0]:
            on_wait()
            connection.execute("SELECT pg_advisory_lock(%s, %s)", BACKUP_LOCK)
        yield connection
        try:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", BACKUP_LOCK)
        except psycopg.OperationalError as error:
            raise BackupError(f"the connection that held the backup lock was lost: {error}") from error


def mark_log(connection: Connection) -> str:
    """Write a little into the log and return the position behind it, once it is flushed.

    Unlike a position at random, the bytes before it are no zeros (but for the padding to eight): whoever looks into a
    segment that is padded with zeros can tell that it has come.
    """
    row = connection.execute("SELECT pg_logical_emit_message(true, 'elp', 'backups mark')::text").fetchone()
    assert row is not None, "a function's value"
    return str(row[0])


def keep_wal(connection: Connection, label: str) -> None:
    """Have the server keep the write-ahead log from now on, as long as this connection lives (a temporary slot)."""
    name = "elp_backup_" + "".join(letter for letter in label.lower() if letter.isalnum())[-40:]
    connection.execute("SELECT pg_create_physical_replication_slot(%s, true, true)", [name])
