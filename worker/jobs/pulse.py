"""The pulse: once a second, one leader among all workers looks for what nobody works on and nudges."""

from typing import Final

from worker import clock
from worker.db import Connection
from worker.jobs import duties
from worker.jobs.duties import Nudges, Reminders
from worker.jobs.leader import Leader
from worker.jobs.registry import Registry

LEADER_LOCK: Final = (0x454C5004, 0)
"""The advisory lock (class, number) of the leader."""


class Pulse(Leader):
    """One worker's candidate for the lead.

    Args:
        database_url: where the ledger is.
        nudges: how to send messages.
        registry: the jobs to look after.
    """

    def __init__(self, database_url: str, nudges: Nudges, registry: Registry) -> None:
        super().__init__(database_url, name="pulse", lock=LEADER_LOCK)
        self._nudges = nudges
        self._registry = registry
        self._reminders = Reminders()
        self.ticks = 0
        """Ticks that this worker did as the leader."""
        self.publish_errors = 0
        """Ticks that ended early because Redis refused a message; the next one tries again."""

    def _lead(self, connection: Connection) -> None:
        self.ticks += 1
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
