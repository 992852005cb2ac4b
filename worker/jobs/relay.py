"""The relay: hands due outbox entries to the broker, the moment they are committed.

A thread beside the pulse's with a lead and a connection of its own: it sleeps in LISTEN between commits, while the
pulse ticks, and a slow duty of one holds up nothing of the other.

An entry's claim commits before its message goes out. Sent first, a message could reach a worker while the claim still
holds the row, and be taken for a copy of one at work. So a relay that dies in between leaves entries that were not
sent; they are due again as any whose task does not confirm them in time.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from worker import clock
from worker.db import Connection
from worker.db.queries import load_query
from worker.jobs.known_tasks import known_tasks, tell_database
from worker.jobs.leader import TICK_S, Leader
from worker.jobs.outbox import PACKAGE
from worker.jobs.registry import registry
from worker.jobs.task_publisher import Outgoing, Published
from worker.logging import get_logger

_log = get_logger(__name__)

LEADER_LOCK: Final = (0x454C5004, 1)
"""The advisory lock (class, number) of the leader."""
CHANNEL: Final = "elp_job_outbox"
BATCH: Final = 500
"""Entries claimed at once: some 100 ms of publishing, so that a stop or a lost lead is noticed in good time."""
LONGEST_CONFIRM: Final = timedelta(minutes=15)
_REFUSED_REST: Final = timedelta(seconds=1)
_LOCKED_REST_S: Final = 0.05
"""Seconds until the next look when what is due is held by someone else."""
_GATHER_S: Final = 0.01
"""Shortest time between two claims that did not fill a batch, in seconds. A commit on its own is relayed at once; of
hundreds a second, those of 10 ms share a claim and a trip to Redis, which cost as much for one."""


class Publisher(Protocol):
    """Hands entries to the broker."""

    def publish(self, batch: Sequence[Outgoing]) -> Published:
        """Send the entries in order, until the broker refuses one."""


class Relay(Leader):
    """One worker's candidate for relaying.

    Args:
        database_url: where the outbox is.
        publisher: how to send.
        confirm_within: how long a task has to commit before its entry is sent again; doubled with each relay.
    """

    def __init__(self, database_url: str, publisher: Publisher, *, confirm_within: timedelta) -> None:
        super().__init__(database_url, name="relay", lock=LEADER_LOCK)
        self._publisher = publisher
        self._confirm_within = confirm_within
        self._is_refused = False
        self.relayed = 0
        """Messages that this worker sent."""
        self.parked = 0
        """Entries that this worker parked, since their task is unknown or they can't be sent."""
        self.refused = 0
        """Entries that this worker took back, since the broker refused."""
        self._claimed_at = 0.0

    def relay_batch(self, connection: Connection, limit: int = BATCH) -> int:
        """Send up to `limit` due entries; return how many were claimed.

        Raises:
            psycopg.Error: PostgreSQL failed; what was claimed and not sent is due again later.
        """
        now = clock.now()
        values = {
            "now": now,
            # One message finds out whether Redis is back; the others keep their place, and their dedupe keys.
            "limit": 1 if self._is_refused else limit,
            "confirm_within": self._confirm_within,
            "longest_confirm": max(LONGEST_CONFIRM, self._confirm_within),
        }
        self._claimed_at = time.monotonic()
        rows = connection.execute(load_query(PACKAGE, "claim_due"), values).fetchall()
        batch = []
        for entry_id, task, payload, relay, queue in rows:
            if queue is None:
                self._count_parked(entry_id, f"there is no task {task}")
            else:
                batch.append(Outgoing(entry_id, task, payload, relay, queue))
        if batch:
            self._send(connection, batch)
        return len(rows)

    def _send(self, connection: Connection, batch: Sequence[Outgoing]) -> None:
        published = self._publisher.publish(batch)
        self.relayed += published.sent
        self.refused += len(published.refused)
        self._is_refused = bool(published.refused)
        if published.refused:
            values = {"ids": published.refused, "due_at": clock.now() + _REFUSED_REST}
            connection.execute(load_query(PACKAGE, "hand_back"), values)
        for entry_id, reason in published.unsendable.items():
            connection.execute(load_query(PACKAGE, "park_entry"), {"id": entry_id, "error": reason, "now": clock.now()})
            self._count_parked(entry_id, reason)

    def _count_parked(self, entry_id: object, reason: str) -> None:
        self.parked += 1
        _log.error("outbox_entry_parked", entry=str(entry_id), reason=reason)

    def _lead(self, connection: Connection) -> None:
        self._stopped.wait(max(0.0, self._claimed_at + _GATHER_S - time.monotonic()))
        for _ in connection.notifies(timeout=0):
            pass  # of commits that the claim sees
        while self.relay_batch(connection) == BATCH and not self._is_refused and not self._stopped.is_set():
            pass

    def _connects(self, connection: Connection) -> None:
        with connection.transaction():
            tell_database(connection, known_tasks(), registry.all())
        # A claim that a crash of the server forgets leaves the entry due: it needs no wait for the disk.
        connection.execute("SET synchronous_commit = off")
        connection.execute(f"LISTEN {CHANNEL}")

    def _rest(self) -> None:
        """Sleep until something is committed or due; whoever does not lead looks for the lead once a second."""
        if not self.is_leader or self._connection is None or self._is_refused:
            super()._rest()
            return
        # While commits come one upon the other, nobody needs to know when the next entry is due: the next claim sees.
        for _ in self._connection.notifies(timeout=_GATHER_S, stop_after=1):
            return
        row = self._connection.execute(load_query(PACKAGE, "next_due")).fetchone()
        wait_s = TICK_S
        if row is not None:
            wait_s = min(max((row[0] - clock.now()).total_seconds(), _LOCKED_REST_S), TICK_S)
        for _ in self._connection.notifies(timeout=wait_s, stop_after=1):
            pass
