"""The three messages there are: look at this job, at this run, at this lane."""

from typing import Final
from uuid import UUID

from celery import Celery

from worker.jobs.definition import Job
from worker.jobs.execution import LOOP_S
from worker.jobs.nudges import send_nudge

EXPIRES_S: Final = 60
"""Seconds after which a worker drops a nudge unread. The pulse repeats what is still needed, so nudges don't pile up
while no worker runs."""

FAN_OUT: Final = 16
"""Workers woken at the start of a run, at most: each goes on claiming shards, so a message a shard is not needed."""


class Messages:
    """Publishes through one Celery application; each method returns whether Redis took the message."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def start(self, job: str) -> bool:
        """Have a worker bring a job up to date: start or skip its periods that are due and undecided."""
        return send_nudge(self._app, "jobs.start", job, queue="default", expires_s=EXPIRES_S)

    def shard(self, job: Job, run_id: UUID, number: int) -> bool:
        """Have a worker of the job's queue work on the shards of a run, from `number` on."""
        return send_nudge(
            self._app,
            "jobs.run_shard",
            str(run_id),
            number,
            queue=job.queue,
            expires_s=EXPIRES_S,
            time_limit_s=job.time_limit_s + int(LOOP_S),
        )

    def run(self, job: Job, run_id: UUID, shards: int) -> None:
        """Have up to `FAN_OUT` workers work on a new run, spread over its shards."""
        workers = min(shards, FAN_OUT, job.concurrency or FAN_OUT)
        for worker in range(workers):
            if not self.shard(job, run_id, worker * shards // workers):
                return

    def lane(self, lane: int) -> bool:
        """Have a worker drain a lane of the attempt inbox."""
        return send_nudge(self._app, "attempts.drain", lane, queue="attempts", expires_s=EXPIRES_S)
