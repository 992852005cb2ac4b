"""A thread in each worker that does something once, in one of them: whoever holds a PostgreSQL advisory lock leads.

It is a plain thread with a connection of its own, because a worker's timers stop while Redis is down. PostgreSQL frees
a session's lock the moment its connection ends, however its process died.
"""

import os
import threading
from typing import Final

import psycopg
import structlog

from worker.db import Connection
from worker.db.engines import libpq_url
from worker.logging import get_logger

_log = get_logger(__name__)

TICK_S: Final = 1.0
_STATEMENT_TIMEOUT_MS: Final = 5_000


class Leader:
    """One worker's candidate for a lead.

    Args:
        database_url: where the lock is, and the work.
        name: names the thread, its connection and its lines in the log.
        lock: the advisory lock (class, number) of whoever leads.
    """

    def __init__(self, database_url: str, *, name: str, lock: tuple[int, int]) -> None:
        self._database_url = database_url
        self._name = name
        self._lock = lock
        self._connection: Connection | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.is_leader = False
        self.database_errors = 0
        """Beats that failed because PostgreSQL did."""

    def start(self) -> None:
        """Begin to beat, in a daemon thread."""
        context = structlog.contextvars.get_contextvars()
        self._thread = threading.Thread(target=self._run, args=(context,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Give up the lead and end the thread, or leave it behind when it does not end in time."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def beat(self) -> bool:
        """Get or keep the lead and do what leading means, once. Return whether this worker leads.

        Raises:
            psycopg.Error: PostgreSQL failed; the lead is lost with the connection.
        """
        connection = self._connected()
        if not self.is_leader:
            row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", self._lock).fetchone()
            self.is_leader = row is not None and row[0]
            if self.is_leader:
                _log.info(f"{self._name}_leads")
        if self.is_leader:
            self._lead(connection)
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

    def _lead(self, connection: Connection) -> None:
        """Do what the leader does in one beat."""
        raise NotImplementedError

    def _connects(self, connection: Connection) -> None:
        """Prepare a new connection."""

    def _rest(self) -> None:
        """Wait for the next beat."""
        self._stopped.wait(TICK_S)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self.is_leader = False
            self._connection = psycopg.connect(
                libpq_url(self._database_url),
                autocommit=True,
                application_name=f"elp-{self._name}",
                connect_timeout=5,
                # Either side notices within about 10 s that the other's machine is gone.
                keepalives_idle=4,
                keepalives_interval=2,
                keepalives_count=3,
                options=(
                    f"-c statement_timeout={_STATEMENT_TIMEOUT_MS}"
                    " -c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
                ),
            )
            self._connects(self._connection)
        return self._connection

    def _run(self, context: dict[str, object]) -> None:
        structlog.contextvars.bind_contextvars(**context)
        is_down = False
        self._stopped.wait(TICK_S)
        while not self._stopped.is_set():
            try:
                self.beat()
                if is_down:
                    _log.info(f"{self._name}_found_database")
                is_down = False
                self._rest()
            except psycopg.Error as error:
                self.database_errors += 1
                self.close()
                if not is_down:
                    _log.warning(f"{self._name}_lost_database", error=str(error))
                is_down = True
                self._stopped.wait(TICK_S)
        self.close()
