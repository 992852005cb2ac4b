"""How one learner's cards are scheduled: their days, their scheduler, their limits. Pure."""

from datetime import date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from worker import clock
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR, DEFAULT_ZONE
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler
from worker.srs.learners import usable_scheduler
from worker.srs.queue_policy import DEFAULT_NEW_LIMIT, DEFAULT_REVIEW_LIMIT

RULE_DEFAULTS: Final = {
    "day_start_hour": DEFAULT_DAY_START_HOUR,
    "review_limit": DEFAULT_REVIEW_LIMIT,
    "new_limit": DEFAULT_NEW_LIMIT,
}
"""What a learner without preferences has, as the parameters of `queries/learner_rules.sql`."""

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
        learning_steps_s: FSRS's delays of a new card.
        relearning_steps_s: the same of a forgotten card.
        minimum_interval: FSRS's shortest interval of days.
        maximum_interval: its longest.
        parameters: FSRS's, the learner's own or the population's; None: the published ones.
    """

    timezone: str
    day_start_hour: int
    scheduler: SchedulerName
    desired_retention: float
    review_limit: int
    new_limit: int
    learning_steps_s: tuple[int, ...]
    relearning_steps_s: tuple[int, ...]
    minimum_interval: int
    maximum_interval: int
    parameters: tuple[float, ...] | None = None

    def local_day(self, at: datetime) -> date:
        """Return the learner's local day at an instant; in a zone that this machine does not know, Jakarta's."""
        try:
            return clock.local_day(at, self.timezone, self.day_start_hour)
        except (ZoneInfoNotFoundError, ValueError):  # as the builder of the queues takes it
            return clock.local_day(at, DEFAULT_ZONE, self.day_start_hour)

    def fsrs(self) -> Scheduler:
        """Return FSRS as it is for this learner, whether it schedules their cards or not."""
        return usable_scheduler(
            self.parameters or DEFAULT_PARAMETERS,
            round(self.desired_retention * 100),
            self.learning_steps_s,
            self.relearning_steps_s,
            self.minimum_interval,
            self.maximum_interval,
        )
