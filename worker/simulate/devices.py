"""Learners' devices: they hand sittings over to the real inbox, some of them twice."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from worker import clock
from worker.attempts.inbox_rows import NewAttempt, lanes_of
from worker.attempts.inbox_store import InboxStore
from worker.db import Connection
from worker.db.queries import load_query
from worker.demo import store
from worker.simulate.errors import InvariantBrokenError
from worker.simulate.population import Resident, Sitting
from worker.simulate.scenario import Outcome, Scenario
from worker.simulate.studying import Students

_RESENT_SHARE: Final = 0.05
"""Share of deliveries that a device repeats, since it got no answer."""
_QUEUE_CARDS: Final = 60
"""Of a due queue, a sitting never gets further."""
_STATEMENT_TIMEOUT_S: Final = 60.0


class Devices:
    """All devices together; what they were told is counted."""

    def __init__(self, connection: Connection, database_url: str, scenario: Scenario, outcome: Outcome) -> None:
        """Read what can be studied, and open the inbox; `close` it."""
        self._chance = scenario.chance("devices")
        self.catalogue = store.read_catalogue(connection)
        self._students = Students(self.catalogue, scenario.chance("answers"))
        self._outcome = outcome
        self._runner = asyncio.Runner()
        self._inbox = InboxStore(database_url, _STATEMENT_TIMEOUT_S)

    def deliver(self, connection: Connection, sittings: Sequence[Sitting]) -> int:
        """Make the attempts of these sittings and hand them over; return the lanes they are in, as a bit mask.

        Raises:
            InvariantBrokenError: the inbox refused one.
        """
        attempts: list[NewAttempt] = []
        due = _due_questions(connection, sittings)
        for sitting in sittings:
            made = self._students.study(sitting, due[sitting.resident.learner.id])
            attempts += made * (2 if self._chance.random() < _RESENT_SHARE else 1)
        exceptions = self._runner.run(self._inbox.store(attempts))
        if refused := [str(exception) for exception in exceptions.values() if exception is not None]:
            raise InvariantBrokenError("the inbox takes every well-formed attempt", refused, clock.now(), None)
        outcome = self._outcome
        outcome.deliveries += len(sittings)
        outcome.sent += len(attempts)
        outcome.duplicates += len(exceptions)
        outcome.accepted += len(attempts) - len(exceptions)
        return lanes_of(attempts)

    def close(self) -> None:
        """Hang up."""
        self._inbox.close()
        self._runner.close()


def enrol(connection: Connection, residents: Sequence[Resident]) -> None:
    """Insert the learners with their wishes."""
    store.enrol(connection, [resident.learner for resident in residents])
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE user_preferences SET day_start_hour = %s, scheduler = %s WHERE user_id = %s",
            [(resident.day_start_hour, resident.scheduler, resident.learner.id) for resident in residents],
        )


def _due_questions(connection: Connection, sittings: Sequence[Sitting]) -> defaultdict[UUID, list[UUID]]:
    values = {"user_ids": [sitting.resident.learner.id for sitting in sittings], "cards": _QUEUE_CARDS}
    rows = connection.execute(load_query("worker.simulate", "due_questions"), values)
    return defaultdict(list, rows.fetchall())
