"""The refresher: makes an edit searchable some tens of milliseconds after its commit.

A thread beside the pulse's with a lead and a connection of its own: it sleeps in LISTEN until a commit's NOTIFY and
works off what was marked, by set-based SQL. So edits wait neither for Redis nor for a free worker process. The job
`search.refresh` does the same each minute, should no worker run this thread.
"""

from typing import Final

from worker.db import Connection
from worker.jobs.leader import TICK_S, Leader
from worker.logging import get_logger
from worker.metrics import metrics
from worker.search.refresh import START, mark_outdated, refresh_batch
from worker.search.throttle import Limits, wait_while_burdened

_log = get_logger(__name__)

LEADER_LOCK: Final = (0x454C5004, 2)
"""The advisory lock (class, number) of the leader."""
CHANNEL: Final = "elp_search_dirty"
"""Where the triggers say that something was marked."""
_GATHER_S: Final = 0.02
"""After a notice: edits that come together are refreshed together."""
_LOOK_EVERY: Final = 20
"""Full batches between two looks at the server's load: some seconds of bulk work."""


class Refresher(Leader):
    """One worker's candidate for refreshing.

    Args:
        database_url: where lessons and questions are.
        limits: what bulk work may burden the server with.
    """

    def __init__(self, database_url: str, limits: Limits) -> None:
        super().__init__(database_url, name="refresher", lock=LEADER_LOCK)
        self._limits = limits
        self.written = 0
        """Vectors that this worker wrote."""

    def refresh_all(self, connection: Connection) -> int:
        """Work off all marks, and what an older definition made; return how many marks were settled.

        Raises:
            psycopg.Error: PostgreSQL failed; what was not committed keeps its marks.
        """
        settled = batches = held = 0
        after = START
        while not self._stopped.is_set():
            with connection.transaction():
                done = refresh_batch(connection, after)
                is_at_end = done.was_busy or (done.is_complete and not mark_outdated(connection))
            settled += done.marks
            held += done.held
            self._count(done.marks, done.written)
            if is_at_end:
                break
            after = done.last or after
            batches += 1
            if batches % _LOOK_EVERY == 0:
                wait_while_burdened(
                    connection, self._limits, pause=self._stopped.wait, go_on=lambda: not self._stopped.is_set()
                )
        if batches >= _LOOK_EVERY:
            _log.info("search_refreshed", marks=settled, held=held)
        return settled

    def _count(self, marks: int, written: int) -> None:
        self.written += written
        counters = metrics()
        counters.search_marks.inc(marks)
        counters.search_written.inc(written)

    def _lead(self, connection: Connection) -> None:
        self.refresh_all(connection)

    def _connects(self, connection: Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}")

    def _rest(self) -> None:
        """Sleep until something is marked, a tick at most; whoever does not lead looks for the lead once a second."""
        if not self.is_leader or self._connection is None:
            super()._rest()
            return
        # Once for all that came, not for each: a hundred editors send a hundred notices.
        if [*self._connection.notifies(timeout=TICK_S, stop_after=1)]:
            self._stopped.wait(_GATHER_S)
