"""Whether jobs keep their schedules: what the job list, the metrics and the doctor say about lag."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from worker.db import Connection
from worker.db.queries import load_query
from worker.jobs import control
from worker.jobs.definition import Job
from worker.jobs.periods import latest_period, periods_after

_PACKAGE: Final = "worker.jobs"

BEHIND_MOST: Final = 100
PERIOD_GRACE: Final = timedelta(hours=1)
"""How long a period may take before its job counts as late."""


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How far a job is behind its schedule."""

    job: str
    last_succeeded: datetime | None
    """The latest period it succeeded for."""
    first_planned_at: datetime | None
    latest_state: str | None
    """Of its newest period's run; None: it never ran."""
    last_period: datetime | None
    """The latest one of its schedule; None: it has no schedule."""
    is_paused: bool
    behind: int
    """Periods that began since the last one it succeeded for, counted to `BEHIND_MOST`: 1 is usual while it works."""

    def lag(self, now: datetime) -> timedelta | None:
        """Return how long ago the last period it succeeded for began; without one, its first run. None: never ran."""
        since = self.last_succeeded or self.first_planned_at
        return None if since is None else now - since

    def is_late(self, now: datetime) -> bool:
        """Return whether it lacks two periods, or one for more than an hour."""
        if self.last_period is None or self.is_paused or not self.behind:
            return False
        return self.behind > 1 or now - self.last_period > PERIOD_GRACE


def punctuality_of(connection: Connection, jobs: Sequence[Job], now: datetime) -> list[Punctuality]:
    """Return how punctual each job is."""
    rows = connection.execute(load_query(_PACKAGE, "punctuality"), {"jobs": [job.name for job in jobs]}).fetchall()
    found = {name: (succeeded, first, state) for name, succeeded, first, state in rows}
    paused = control.paused(connection)
    states = []
    for job in jobs:
        succeeded, first, state = found[job.name]
        since = succeeded or first
        last = None if job.schedule is None else latest_period(job.schedule, now)
        behind = 0
        if job.schedule is not None and since is not None:
            periods = takewhile(lambda period: period <= now, periods_after(job.schedule, since))
            behind = sum(1 for _ in islice(periods, BEHIND_MOST))
        states.append(Punctuality(job.name, succeeded, first, state, last, job.name in paused, behind))
    return states
