"""Looks at the invariants at their times, with what the simulation knows about the span since the last look."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from worker import clock
from worker.db import Connection
from worker.jobs.definition import Job
from worker.simulate.errors import InvariantBrokenError
from worker.simulate.invariants import INVARIANTS, Counts, Due, Each, Look
from worker.simulate.population import Resident
from worker.simulate.scenario import Outcome, Scenario

_SETTLED: Final = timedelta(minutes=2)
"""What was due so long ago must be done: the pulse needs seconds."""


class Inspector:
    """Knows what was due, and how far each kind of look has come."""

    def __init__(
        self, scenario: Scenario, outcome: Outcome, jobs: Mapping[str, Job], residents: Mapping[UUID, Resident]
    ) -> None:
        self._scenario = scenario
        self._outcome = outcome
        self._jobs = jobs
        self._residents = residents
        self._due: list[Due] = []
        self._looked_until: dict[Each, datetime] = {"day": scenario.begins_at, "month": scenario.begins_at}

    def note(self, due: Due) -> None:
        """Take down that a period began."""
        self._due.append(due)

    def look(self, connection: Connection, each: Each, last_job: str | None) -> None:
        """Look at the invariants of a day or of a month.

        Raises:
            InvariantBrokenError: one does not hold.
        """
        until = clock.now() - _SETTLED
        look = Look(
            connection=connection,
            since=self._looked_until[each],
            until=until,
            begun_at=self._scenario.begins_at,
            due=[due for due in self._due if due.period <= until],
            jobs=self._jobs,
            residents=self._residents,
            outages=self._scenario.outages,
            counts=Counts(self._outcome.sent, self._outcome.accepted, self._outcome.duplicates),
        )
        for one in INVARIANTS:
            if one.each == each:
                self._outcome.looks[one.name] += 1
                if broken := list(one.check(look)):
                    raise InvariantBrokenError(one.name, broken, clock.now(), last_job)
        self._looked_until[each] = until
        if each == "day":
            self._due = [due for due in self._due if due.period > until]
