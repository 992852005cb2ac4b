"""How each learner's cards are scheduled: their days, their scheduler and their wishes."""

from datetime import date
from functools import lru_cache, partial
from typing import Any, Final

import msgspec
from psycopg import Cursor

from worker.db.queries import load_query
from worker.logging import get_logger
from worker.srs.fsrs import DEFAULT_PARAMETERS, InvalidSchedulerError, Scheduler
from worker.srs.leeches import DEFAULT_LAPSES
from worker.srs.spread import FULL_WEEK, Vacation

_log = get_logger(__name__)

DEFAULT_SCHEDULER: Final = Scheduler()


class Learner(msgspec.Struct, frozen=True, kw_only=True):
    """A learner as the schedulers need to know them; what is left out is what a learner without preferences has.

    Attributes:
        timezone: IANA name.
        day_start_hour: hour of the wall clock at which their days begin.
        scheduler: FSRS as they have it; None: SM-2.
        leech_lapses: lapses that make a card a leech; 0: never.
        balances_load: due dates go to the quietest day of the fuzz range, instead of one by chance.
        weekday_weights: share (0–100) of a normal day's cards for each weekday, Monday first.
        vacation: days without a queue.
    """

    timezone: str = "Asia/Jakarta"
    day_start_hour: int = 4
    scheduler: Scheduler | None = DEFAULT_SCHEDULER
    leech_lapses: int = DEFAULT_LAPSES
    balances_load: bool = False
    weekday_weights: tuple[int, ...] = FULL_WEEK
    vacation: Vacation | None = None


def load_learners(cursor: Cursor[Any], user_ids: Any) -> dict[Any, Learner]:
    """Return the learners with these ids who exist, locked against deletion. Cost: a few index probes each.

    Args:
        cursor: whatever form it has ids in (UUIDs, bytes) is the form of the result's keys.
        user_ids: a list of ids, or one of the pipeline's arrays of them.
    """
    rows = cursor.execute(load_query("worker.srs", "learners"), {"user_ids": user_ids})
    return {row[0]: _learner(*row[1:]) for row in rows}


def _learner(
    timezone: str,
    day_start_hour: int,
    on_fsrs: bool,  # noqa: FBT001 - columns of a row
    retention_percent: int,
    learning_steps_s: list[int],
    relearning_steps_s: list[int],
    minimum_interval: int,
    maximum_interval: int,
    leech_lapses: int,
    balance_load: bool,  # noqa: FBT001
    weekday_weights: list[int],
    vacation_from: date | None,
    vacation_until: date | None,
    parameters: list[float] | None,
) -> Learner:
    weights = tuple(weekday_weights)
    return Learner(
        timezone=timezone,
        day_start_hour=day_start_hour,
        scheduler=usable_scheduler(
            DEFAULT_PARAMETERS if parameters is None else tuple(parameters),
            retention_percent,
            tuple(learning_steps_s),
            tuple(relearning_steps_s),
            minimum_interval,
            maximum_interval,
        )
        if on_fsrs
        else None,
        leech_lapses=leech_lapses,
        balances_load=balance_load or weights != FULL_WEEK,
        weekday_weights=weights,
        vacation=None if vacation_from is None or vacation_until is None else (vacation_from, vacation_until),
    )


@lru_cache(maxsize=10_000)
def usable_scheduler(
    parameters: tuple[float, ...],
    retention_percent: int,
    learning_steps_s: tuple[int, ...],
    relearning_steps_s: tuple[int, ...],
    minimum_interval: int,
    maximum_interval: int,
) -> Scheduler:
    """Return the scheduler, one object for all learners who have it so; unusable parameters count as the default."""
    scheduler = partial(
        Scheduler,
        desired_retention=retention_percent / 100,
        learning_steps_s=learning_steps_s,
        relearning_steps_s=relearning_steps_s,
        minimum_interval=minimum_interval,
        maximum_interval=maximum_interval,
    )
    try:
        return scheduler(parameters=parameters)
    except InvalidSchedulerError as error:
        # The schema has checked the rest. A broken fit must not stop the attempts of its learner, or of the lane.
        _log.warning("fitted_parameters_unusable", error=str(error))
        return scheduler()
