"""The schedule as beat sees it: times of day in UTC at which it nudges, a superset of the real firings.

Beat keeps no time for us. Its nudge says "look at this job"; `jobs.start` then computes the latest period from the
job's own expression and zone, and a period that has its run makes the nudge a no-op. So an entry need only fire
whenever a period may begin: days are left out, and a local time of day becomes each of the UTC times it has in a year.
Celery's own crontab in a zone with daylight saving skips and repeats firings (celery#10107).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import crontab
from cronsim import CronSim

from worker import clock
from worker.jobs.definition import Job
from worker.jobs.periods import Schedule

_DAY_MINUTES = 24 * 60
_NUDGE_EXPIRES_S = 300


def beat_entries(jobs: Iterable[Job]) -> dict[str, dict[str, Any]]:
    """Return Celery's `beat_schedule` for the jobs that have a schedule: static entries, one each."""
    return {
        job.name: {
            "task": "jobs.start",
            "schedule": _crontab(job.schedule),
            "args": (job.name,),
            "options": {"queue": "default", "expires": _NUDGE_EXPIRES_S},
        }
        for job in jobs
        if job.schedule is not None
    }


def firing_times(schedule: Schedule, since: datetime) -> set[int]:
    """Return the minutes of the UTC day (0–1439) at which the schedule may fire in the two years from `since`."""
    fields = CronSim(schedule.cron, datetime(2024, 1, 1, tzinfo=UTC))
    local_times = {hour * 60 + minute for hour in fields.hours for minute in fields.minutes}
    zone = clock.zone(schedule.zone)
    offsets = {(since + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(2 * 366)}
    shifts = {int(offset.total_seconds()) // 60 for offset in offsets if offset is not None}
    return {(local_time - shift) % _DAY_MINUTES for local_time in local_times for shift in shifts}


def _crontab(schedule: Schedule) -> crontab:
    times = firing_times(schedule, clock.now())
    return crontab(
        minute=",".join(str(minute) for minute in sorted({time % 60 for time in times})),
        hour=",".join(str(hour) for hour in sorted({time // 60 for time in times})),
    )
