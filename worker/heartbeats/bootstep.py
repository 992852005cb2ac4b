"""Each Celery worker's main process beats: a thread of its own, since a worker's timers stop while Redis is down."""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

import psycopg
from celery import bootsteps

from worker import clock
from worker.db.engines import libpq_url
from worker.heartbeats import store
from worker.heartbeats.store import Heartbeat
from worker.logging import get_logger
from worker.metrics import serving
from worker.metrics.bootstep import MetricsStep
from worker.settings import get_settings

_log = get_logger(__name__)

INTERVAL_S: Final = 10.0
_TIMEOUT_MS: Final = 5_000


class HeartbeatThread:
    """Writes what `describe` says every `INTERVAL_S`; a database that is away is tried again at the next beat.

    Each beat has a connection of its own, so that no session is held for a row every ten seconds.
    """

    def __init__(self, database_url: str, describe: Callable[[datetime], Heartbeat]) -> None:
        self._database_url = database_url
        self._describe = describe
        self._stopped = threading.Event()
        self._is_down = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat, at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Say that this worker is gone, and end."""
        if self._stopped.is_set() or not self._thread.is_alive():
            return
        self._stopped.set()
        self._thread.join(timeout_s)
        now = clock.now()
        self._write(lambda connection: store.forget(connection, self._describe(now).worker, now))

    def _run(self) -> None:
        while not self._stopped.is_set():
            heartbeat = self._describe(clock.now())
            self._write(lambda connection, beat=heartbeat: store.beat(connection, beat))  # type: ignore[misc]
            self._stopped.wait(INTERVAL_S)

    def _write(self, work: Callable[[Any], None]) -> None:
        try:
            with psycopg.connect(
                libpq_url(self._database_url),
                application_name="elp-heartbeat",
                connect_timeout=5,
                options=f"-c statement_timeout={_TIMEOUT_MS}",
            ) as connection:
                work(connection)
        except psycopg.Error as error:
            if not self._is_down:
                _log.warning("heartbeat_not_written", error=str(error).strip())
            self._is_down = True
        else:
            self._is_down = False


class HeartbeatStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint, after its pool and the metrics, whose address it tells."""

    requires = ("celery.worker.components:Pool", MetricsStep)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._thread: HeartbeatThread | None = None

    def start(self, parent: Any) -> None:
        """Begin to beat."""
        started_at, product = clock.now(), version("elp-worker")

        def describe(now: datetime) -> Heartbeat:
            consumer = getattr(parent, "consumer", None)
            return Heartbeat(
                worker=parent.hostname,
                pid=os.getpid(),
                version=product,
                queues=sorted(parent.app.amqp.queues.consume_from),
                concurrency=parent.concurrency or 0,
                is_consuming=getattr(consumer, "connection", None) is not None,
                metrics_address=serving.address(),
                started_at=started_at,
                seen_at=now,
            )

        self._thread = HeartbeatThread(get_settings().required_database_url(), describe)
        self._thread.start()

    def stop(self, parent: Any) -> None:
        """Say goodbye."""
        del parent
        if self._thread is not None:
            self._thread.stop()

    def terminate(self, parent: Any) -> None:
        """Do the same on a cold shutdown."""
        self.stop(parent)
