"""What the pulse looks after, a function each: it finds what nobody works on, and nudges. None does work itself.

Each takes an autocommit connection, the present instant and the way to nudge; each is safe to repeat.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from worker.db import Connection
from worker.db.queries import load_query
from worker.ids import LANES
from worker.jobs import ledger
from worker.jobs.definition import Job
from worker.jobs.execution import log_finished
from worker.jobs.ledger import CLOCK_SLACK
from worker.jobs.periods import LatestPeriods
from worker.jobs.registry import Registry
from worker.logging import get_logger

_log = get_logger(__name__)
_PACKAGE: Final = "worker.jobs"

LANE_LOCK_CLASS: Final = 0x454C5001
"""Class of the advisory locks that drainers hold: who drains lane n holds (class, n)."""
PATIENCE: Final = timedelta(seconds=2)
"""How long attempts and shards may wait before the pulse nudges: the usual nudge is far quicker."""
BEAT_GRACE: Final = timedelta(seconds=5)
"""How long beat has the first word on a new period."""
NUDGE_AGAIN: Final = timedelta(seconds=5)
"""The pulse nudges for the same lane or run no sooner than this again."""
START_AGAIN: Final = timedelta(seconds=30)
"""The pulse asks for the same period no sooner than this again: a planner may take its time."""


class Nudges(Protocol):
    """The messages the pulse sends; each method returns whether Redis took it."""

    def start(self, job: str) -> bool:
        """Have a job brought up to date: its periods that are due and undecided started, or skipped by its policy."""

    def shard(self, job: Job, run_id: UUID, number: int) -> bool:
        """Have a run worked on."""

    def lane(self, lane: int) -> bool:
        """Have a lane drained."""


class Reminders:
    """Remembers when it last nudged for what, so that a tick a second is not a message a second."""

    def __init__(self) -> None:
        self._due: dict[object, datetime] = {}
        self.latest = LatestPeriods()

    def is_due(self, key: object, now: datetime) -> bool:
        """Return whether a nudge for `key` may be sent at `now`."""
        return self._due.get(key, now) <= now

    def sent(self, key: object, now: datetime, again_after: timedelta) -> None:
        """Note a nudge that was taken, and forget those whose time has passed."""
        self._due = {known: due for known, due in self._due.items() if due > now}
        self._due[key] = now + again_after


def renudge_lanes(connection: Connection, now: datetime, nudges: Nudges, reminders: Reminders) -> bool:
    """Nudge the lanes whose attempts wait while nobody drains; return False as soon as Redis refuses."""
    values = {"lanes": LANES, "waiting_since": now - PATIENCE, "lock_class": LANE_LOCK_CLASS}
    for (lane,) in connection.execute(load_query(_PACKAGE, "idle_lanes"), values).fetchall():
        key = ("lane", lane)
        if reminders.is_due(key, now):
            if not nudges.lane(lane):
                return False
            reminders.sent(key, now, NUDGE_AGAIN)
    return True


def renudge_shards(
    connection: Connection, now: datetime, nudges: Nudges, reminders: Reminders, registry: Registry
) -> bool:
    """Nudge for runs with shards that wait or whose lease ran out; return False as soon as Redis refuses."""
    known = {job.name: job for job in registry.all()}
    limits = {name: job.concurrency for name, job in known.items() if job.concurrency is not None}
    values = {
        "now": now,
        "waiting_since": now - PATIENCE,
        "limited": list(limits),
        "limits": list(limits.values()),
    }
    for run_id, name, number in connection.execute(load_query(_PACKAGE, "waiting_shards"), values).fetchall():
        key = ("run", run_id)
        # A job that this worker's code does not know is left to a pulse of newer code.
        if name in known and reminders.is_due(key, now):
            if not nudges.shard(known[name], run_id, number):
                return False
            reminders.sent(key, now, NUDGE_AGAIN)
            _log.debug("run_renudged", job=name, run_id=str(run_id), shard=number)
    return True


def start_missing_periods(
    connection: Connection, now: datetime, nudges: Nudges, reminders: Reminders, registry: Registry
) -> bool:
    """Ask for each scheduled job whose latest period is not decided; return False as soon as Redis refuses.

    The cost is that of the jobs, whatever the ledger holds and however much was missed: which periods those are, and
    what becomes of them, whoever starts them finds out.
    """
    rows = connection.execute("SELECT job, paused_at, covered_until FROM job_controls").fetchall()
    marks = {job: (paused_at, covered_until) for job, paused_at, covered_until in rows}
    for job in registry.all():
        if job.schedule is None:
            continue
        paused_at, covered_until = marks.get(job.name, (None, None))
        period = reminders.latest.at(job.schedule, now - BEAT_GRACE)
        is_decided = covered_until is not None and period <= covered_until <= now + CLOCK_SLACK
        key = ("period", job.name, period)
        if paused_at is None and not is_decided and reminders.is_due(key, now):
            if not nudges.start(job.name):
                return False
            reminders.sent(key, now, START_AGAIN)
            _log.warning("period_missing", job=job.name, period=period.isoformat())
    return True


def finish_runs(connection: Connection, now: datetime) -> None:
    """End the runs whose last shard ended while nobody was left to say so."""
    for ended in ledger.finish_runs(connection, now):
        log_finished(ended)
