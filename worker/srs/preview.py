"""What each grade would do to a card, under both schedulers, before the learner answers. Pure."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from worker.srs import fsrs
from worker.srs.answering import answer
from worker.srs.card import CardState, State
from worker.srs.fsrs import Scheduler
from worker.srs.learner import SchedulerName

Grade = Literal["again", "hard", "good", "easy"]

QUALITIES: Final[dict[Grade, int]] = {"again": 1, "hard": 3, "good": 4, "easy": 5}
"""Grade → quality of an answer, the reverse of `fsrs.rating_of`."""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The card after an answer of this grade."""

    grade: Grade
    state: State
    interval_days: Annotated[int, Meta(description="until the next review; 0: again on the same day, after a step")]
    due_on: Annotated[date, Meta(description="the learner's local day")]
    is_practice: Annotated[bool, Meta(description="the answer would leave the schedule alone")] = False
    earliest_on: Annotated[date, Meta(description="FSRS with fuzz: the earliest day it may become")] | None = None
    latest_on: Annotated[date, Meta(description="FSRS with fuzz: the latest day it may become")] | None = None
    stability: Annotated[float, Meta(description="FSRS: days until recall falls to 90 %")] | None = None
    difficulty: Annotated[float, Meta(description="FSRS: 1–10")] | None = None


class SchedulerPreview(msgspec.Struct, frozen=True):
    """What each grade would do under one scheduler."""

    scheduler: SchedulerName
    is_used: Annotated[bool, Meta(description="whether it is the learner's own")]
    grades: list[Outcome]


def preview(
    card: CardState,
    on: date,
    *,
    last_on: date | None,
    scheduler: Scheduler,
    used: SchedulerName,
    day_after: Callable[[int], date] | None = None,
) -> list[SchedulerPreview]:
    """Return what the four grades would do to a card answered on a local day.

    Intervals are exact; with fuzz, or balancing of the load, FSRS may take any day from `earliest_on` to `latest_on`.

    Args:
        card: as it is.
        on: the learner's local day.
        last_on: the local day of its last review; None: there was none.
        scheduler: FSRS as it is for the learner.
        used: the learner's own scheduler; it comes first.
        day_after: see `fsrs.review`.
    """
    order: tuple[SchedulerName, ...] = ("fsrs", "sm2") if used == "fsrs" else ("sm2", "fsrs")
    return [
        SchedulerPreview(
            name,
            name == used,
            [
                _outcome(card, grade, on, last_on, scheduler if name == "fsrs" else None, day_after)
                for grade in QUALITIES
            ],
        )
        for name in order
    ]


def _outcome(
    card: CardState,
    grade: Grade,
    on: date,
    last_on: date | None,
    scheduler: Scheduler | None,
    day_after: Callable[[int], date] | None,
) -> Outcome:
    after = answer(card, QUALITIES[grade], on, last_on=last_on, scheduler=scheduler, day_after=day_after)
    if after is card:
        return Outcome(grade, card.state, card.interval, card.due_on, is_practice=True)
    earliest_on = latest_on = None
    if scheduler is not None and after.state == "review":
        first, last = fsrs.fuzz_range(after.interval, scheduler)
        earliest_on, latest_on = (date.fromordinal(on.toordinal() + days) for days in (first, last))
    return Outcome(
        grade,
        after.state,
        after.interval,
        after.due_on,
        earliest_on=earliest_on,
        latest_on=latest_on,
        stability=after.stability and round(after.stability, 4),
        difficulty=after.difficulty and round(after.difficulty, 4),
    )
