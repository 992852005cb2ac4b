"""Runs that an event asked for: one for each event, however often its message is delivered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from worker.jobs.execution import StartedRun, start_run

_STEP: Final = timedelta(microseconds=1)


def start_for_event(job: str, instant: datetime, parameters: Mapping[str, Any]) -> StartedRun:
    """Plan the run of a job for an event that happened at `instant`, unless it has one.

    A job has one run a period, and events of one transaction share their instant. So an event whose instant is taken by
    a run with other parameters has the next free microsecond; delivered again, it finds its run on the same way. Events
    that ask for the same run at the same instant share it.

    Raises:
        UnknownJobError: no such job.
        psycopg.OperationalError: PostgreSQL failed; nothing is recorded.
    """
    period = instant
    while True:
        started = start_run(job, period, trigger="event", parameters=dict(parameters))
        if started.is_new or started.run.parameters == parameters:
            return started
        period += _STEP
