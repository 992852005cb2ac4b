"""How one learner's cards are scheduled: their days, their scheduler, their limits. Pure."""

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from worker import clock
from worker.srs.answering import fsrs_scheduler
from worker.srs.due_queue import DEFAULT_ZONE
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler

SchedulerName = Literal["sm2", "fsrs"]


class LearnerRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner's preferences and fits say.

    Attributes:
        timezone: IANA name.
        day_start_hour: hour of the wall clock at which the local day begins.
        scheduler: who schedules the next answer.
        desired_retention: FSRS's aim, 0.70–0.99.
        review_limit: due cards a local day at most.
        new_limit: new cards a local day at most.
        parameters: FSRS's, the learner's own or the population's; None: the published ones.
    """

    timezone: str
    day_start_hour: int
    scheduler: SchedulerName
    desired_retention: float
    review_limit: int
    new_limit: int
    parameters: tuple[float, ...] | None = None

    def local_day(self, at: datetime) -> date:
        """Return the learner's local day at an instant; in a zone that this machine does not know, Jakarta's."""
        try:
            return clock.local_day(at, self.timezone, self.day_start_hour)
        except (ZoneInfoNotFoundError, ValueError):  # as the builder of the queues takes it
            return clock.local_day(at, DEFAULT_ZONE, self.day_start_hour)

    def fsrs(self) -> Scheduler:
        """Return FSRS as it is for this learner, whether it schedules their cards or not."""
        return fsrs_scheduler(self.desired_retention, self.parameters or DEFAULT_PARAMETERS)
