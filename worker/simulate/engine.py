"""The platform in one process, in virtual time: the real engine, pulse and drain; messages arrive at once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from worker import clock
from worker.attempts.drain import drain_lane
from worker.jobs.definition import Job
from worker.jobs.execution import start_due, work_on_run
from worker.jobs.registry import registry
from worker.settings import get_settings
from worker.simulate.scenario import Outcome

_NO_LIMIT_S: Final = 86_400.0
"""Real seconds: in virtual time nobody needs a turn."""
_LOOK_AGAIN: Final = timedelta(seconds=11)
"""The pulse looks again so long after a failure: a shard's first rest is 10 s."""


class InProcess:
    """Takes nudges and does at once, in this process, what a worker would do."""

    def __init__(self, outcome: Outcome) -> None:
        """Count what is done in `outcome`."""
        self._outcome = outcome
        self.job: str | None = None
        """The job that ran last."""
        self.look_again_at: datetime | None = None
        """When the pulse should look at what failed; None: nothing did."""

    def start(self, job: str) -> bool:
        """Bring a job up to date by its policy, and work on each run that this starts to its end."""
        for started in start_due(job, budget_s=_NO_LIMIT_S).started:
            if started.is_new:
                self.job = job
                self._outcome.runs += 1
                self.run(registry.get(job), started.run.run_id, started.run.shards_total)
        return True

    def run(self, job: Job, run_id: UUID, shards: int) -> None:
        """Work on a new run to its end, unless it has no shard."""
        if shards:
            self.shard(job, run_id, 0)

    def shard(self, job: Job, run_id: UUID, number: int) -> bool:
        """Work on a run's shards, from `number` on."""
        self.job = job.name
        work = work_on_run(run_id, number, budget_s=_NO_LIMIT_S)
        self._outcome.shards += work.done
        if work.failed:
            self.look_again_at = clock.now() + _LOOK_AGAIN
        return True

    def lane(self, lane: int) -> bool:
        """Drain a lane."""
        self._outcome.drains += 1
        drain_lane(lane, batch_size=get_settings().drain_batch_size)
        return True
