"""Periods of jobs that run every few minutes: most find nothing to do, and a year has half a million of them.

Such a period is left out if the job's own planner, asked at its instant, finds nothing, so that a year takes minutes.
What is left out is remembered as decided, as a run without shards would leave it. In a quarter of an hour of each
fourth day, and after an outage or a lost nudge, nothing is left out: the whole way of a period is gone as ever.
"""

from datetime import datetime, timedelta
from typing import Final

from worker.db import Connection
from worker.jobs import ledger
from worker.jobs.definition import Job
from worker.jobs.periods import periods_after
from worker.jobs.planning import bounds_of

OFTEN: Final = timedelta(minutes=15)
"""Jobs whose periods are no further apart than this are asked."""
_AHEAD: Final = timedelta(minutes=30)
"""How far ahead the planner of a job of each five minutes or less is asked: what finds nothing to do then finds nothing
before, as long as nothing happens. (Those of seldom ones mostly find something so far ahead, and are asked twice.)"""
_WHOLE_DAYS: Final = 4
"""Each such day has a quarter of an hour, another each time, in which nothing is left out."""
_QUARTERS: Final = 96
_STRIDE: Final = 29
"""Quarters from one such quarter to the next: prime to the day's, so that all of them come."""


class Idling:
    """Knows which jobs run often, and up to which period their planners found nothing."""

    def __init__(self, jobs: list[Job], begins_at: datetime) -> None:
        """Find the jobs that run often, by their first two periods."""
        self._often = {job.name: job for job in jobs if job.planner and _interval(job, begins_at) <= OFTEN}
        self._very_often = {name for name, job in self._often.items() if _interval(job, begins_at) <= _AHEAD / 6}
        self._behind: set[str] = set()
        self._left_out: dict[str, datetime] = {}
        self._nothing_until: dict[str, datetime] = {}

    def misses(self, job: str) -> None:
        """Note that a period of a job was not started in time: the next one goes the whole way."""
        self._behind.add(job)

    def starts(self, connection: Connection, job: str) -> None:
        """Do what must come before a job is brought up to date: note what was left out as decided."""
        self._behind.discard(job)
        period = self._left_out.pop(job, None)
        if period is not None:
            ledger.cover(connection, job, period, period)

    def settle(self, connection: Connection) -> None:
        """Note for all jobs what was left out as decided: somebody is going to look for missing periods."""
        for job in [*self._left_out]:
            period = self._left_out.pop(job)
            ledger.cover(connection, job, period, period)

    def forget(self) -> None:
        """Ask all planners anew: something happens now."""
        self._nothing_until.clear()

    def leaves_out(self, connection: Connection, job: str, at: datetime) -> bool:
        """Return whether the period of a job that begins now is left out."""
        known = self._often.get(job)
        if known is None or job in self._behind or _is_whole(at):
            return False
        if at > self._nothing_until.get(job, at - _AHEAD):
            if job in self._very_often and not _finds_something(connection, known, at + _AHEAD):
                self._nothing_until[job] = at + _AHEAD
            elif _finds_something(connection, known, at):
                return False
        self._left_out[job] = at
        return True


def _finds_something(connection: Connection, job: Job, period: datetime) -> bool:
    return any(True for _ in bounds_of(connection, job, period, {}))


def _interval(job: Job, at: datetime) -> timedelta:
    if job.schedule is None:
        return timedelta.max
    periods = periods_after(job.schedule, at)
    first = next(periods)
    return next(periods) - first


def _is_whole(at: datetime) -> bool:
    day = at.toordinal()
    return day % _WHOLE_DAYS == 0 and at.hour * 4 + at.minute // 15 == day // _WHOLE_DAYS * _STRIDE % _QUARTERS
