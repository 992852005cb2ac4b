"""The pulse: once a second, one leader among all workers looks for what nobody works on and nudges.

It is a plain thread with a connection of its own, because a worker's timers stop while Redis is down. The leader is
whoever holds a session advisory lock: PostgreSQL frees it the moment the leader's connection ends, however it died.
"""

import os
import threading
from datetime import timedelta
from typing import Final

import psycopg
import structlog

from worker import clock
from worker.db import Connection
from worker.db.engines import libpq_url
from worker.db.queries import load_query
from worker.jobs import duties
from worker.jobs.duties import Nudges, Reminders
from worker.jobs.registry import Registry
from worker.logging import get_logger

_log = get_logger(__name__)

LEADER_LOCK: Final = (0x454C5004, 0)
"""The advisory lock (class, number) of the leader."""
TICK_S: Final = 1.0
_STATEMENT_TIMEOUT_MS: Final = 5_000
_SILENT_AFTER: Final = timedelta(seconds=7)
"""A leader whose session did nothing for this long is frozen (a stopped process, a suspended machine): no statement of
it takes longer, and it has one each second. With the tick of whoever notices, another leads within 10 s."""


class Pulse:
    """One worker's candidate for the lead.

    Args:
        database_url: where the ledger is.
        nudges: how to send messages.
        registry: the jobs to look after.
    """

    def __init__(self, database_url: str, nudges: Nudges, registry: Registry) -> None:
        self._database_url = database_url
        self._nudges = nudges
        self._registry = registry
        self._reminders = Reminders()
        self._connection: Connection | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.is_leader = False
        self.ticks = 0
        """Ticks that this worker did as the leader."""
        self.publish_errors = 0
        """Ticks that ended early because Redis refused a message; the next one tries again."""
        self.database_errors = 0
        """Ticks that failed because PostgreSQL did."""

    def start(self) -> None:
        """Begin to beat, in a daemon thread."""
        context = structlog.contextvars.get_contextvars()
        self._thread = threading.Thread(target=self._run, args=(context,), name="pulse", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Give up the lead and end the thread, or leave it behind when it does not end in time."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def beat(self) -> bool:
        """Do one beat: get or keep the lead, and look after everything once. Return whether this worker leads.

        Raises:
            psycopg.Error: PostgreSQL failed; the lead is lost with the connection.
        """
        connection = self._connected()
        if not self.is_leader:
            row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", LEADER_LOCK).fetchone()
            self.is_leader = row is not None and row[0]
            if self.is_leader:
                _log.info("pulse_leads")
            else:
                self._depose_silent(connection)
        if self.is_leader:
            self.ticks += 1
            self._look_after_all(connection)
        return self.is_leader

    def close(self) -> None:
        """Drop the connection, and the lead with it."""
        self.is_leader = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def forget_connection(self) -> None:
        """Close this process's copy of the socket, in a forked child: the session itself belongs to the parent.

        Otherwise a child that outlives its parent would keep the session, and the lead, of a dead worker.
        """
        if self._connection is not None and not self._connection.closed:
            os.close(self._connection.fileno())
            self._connection = None

    def _look_after_all(self, connection: Connection) -> None:
        now = clock.now()
        duties.finish_runs(connection, now)
        nudges, reminders, registry = self._nudges, self._reminders, self._registry
        # In the order of urgency; when Redis refuses one message the others would only wait for it in vain.
        taken = (
            duties.renudge_lanes(connection, now, nudges, reminders)
            and duties.start_missing_periods(connection, now, nudges, reminders, registry)
            and duties.renudge_shards(connection, now, nudges, reminders, registry)
        )
        self.publish_errors += not taken

    def _depose_silent(self, connection: Connection) -> None:
        """End the session of a leader that fell silent: the lock is free then, and the next beat takes it.

        The clock is the server's. A leader that wakes up finds its connection closed and begins again as a candidate.
        """
        classid, objid = LEADER_LOCK
        values = {"class": classid, "number": objid, "silent_after": _SILENT_AFTER}
        if connection.execute(load_query("worker.jobs", "depose_silent_leader"), values).fetchall():
            _log.warning("pulse_leader_deposed", silent_s=_SILENT_AFTER.total_seconds())

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self.is_leader = False
            self._connection = psycopg.connect(
                libpq_url(self._database_url),
                autocommit=True,
                application_name="elp-pulse",
                connect_timeout=5,
                # Either side notices within about 8 s that the other's machine is gone.
                keepalives_idle=4,
                keepalives_interval=2,
                keepalives_count=2,
                options=(
                    f"-c statement_timeout={_STATEMENT_TIMEOUT_MS}"
                    " -c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2"
                ),
            )
        return self._connection

    def _run(self, context: dict[str, object]) -> None:
        structlog.contextvars.bind_contextvars(**context)
        is_down = False
        while not self._stopped.wait(TICK_S):
            try:
                self.beat()
            except psycopg.Error as error:
                self.database_errors += 1
                self.close()
                if not is_down:
                    _log.warning("pulse_lost_database", error=str(error))
                is_down = True
            else:
                if is_down:
                    _log.info("pulse_found_database")
                is_down = False
        self.close()
