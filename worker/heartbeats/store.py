"""Heartbeats as rows; every function works in the caller's transaction at the caller's instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import class_row

from worker.db import Connection
from worker.db.queries import load_query

_PACKAGE: Final = "worker.heartbeats"

SILENCE: Final = timedelta(seconds=30)
"""A worker that said nothing for so long counts as lost: three heartbeats."""
_FORGOTTEN_AFTER: Final = timedelta(days=1)
"""How long a worker that vanished stays in sight."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker last said of itself; the fields are the table's."""

    worker: str
    pid: int
    version: str
    queues: list[str]
    concurrency: int
    is_consuming: bool
    metrics_address: str | None
    started_at: datetime
    seen_at: datetime

    def is_alive(self, now: datetime) -> bool:
        """Return whether it was heard of lately."""
        return now - self.seen_at < SILENCE


def beat(connection: Connection, heartbeat: Heartbeat) -> None:
    """Write a worker's heartbeat."""
    values = {
        "worker": heartbeat.worker,
        "pid": heartbeat.pid,
        "version": heartbeat.version,
        "queues": heartbeat.queues,
        "concurrency": heartbeat.concurrency,
        "is_consuming": heartbeat.is_consuming,
        "metrics_address": heartbeat.metrics_address,
        "started_at": heartbeat.started_at,
        "now": heartbeat.seen_at,
    }
    connection.execute(load_query(_PACKAGE, "beat"), values)


def forget(connection: Connection, worker: str, now: datetime) -> None:
    """Remove a worker that stops in order, and those that vanished a day ago."""
    connection.execute(load_query(_PACKAGE, "forget"), {"worker": worker, "lost_before": now - _FORGOTTEN_AFTER})


def load_heartbeats(connection: Connection) -> list[Heartbeat]:
    """Return every worker's newest heartbeat, those of vanished workers included, by name."""
    with connection.cursor(row_factory=class_row(Heartbeat)) as cursor:
        return cursor.execute(load_query(_PACKAGE, "all")).fetchall()
