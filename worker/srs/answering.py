"""An answer moves a card: by the scheduler of its learner, whichever scheduled it before. Pure."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from worker.srs import fsrs, sm2
from worker.srs.card import CardState
from worker.srs.conversion import from_sm2, to_sm2
from worker.srs.fsrs import DEFAULT_PARAMETERS, IntervalChoice, Rating, Scheduler, fuzz_range

_QUALITIES: Final[dict[Rating, int]] = {fsrs.AGAIN: 1, fsrs.HARD: 3, fsrs.GOOD: 4, fsrs.EASY: 5}
_SM2_BOUNDS: Final = Scheduler(maximum_interval=sm2.MAX_INTERVAL)
"""What bounds the fuzz range of SM-2's intervals."""


@lru_cache(maxsize=10_000)
def fsrs_scheduler(desired_retention: float, parameters: tuple[float, ...] = DEFAULT_PARAMETERS) -> Scheduler:
    """Return FSRS for a learner; the steps are the default ones."""
    return Scheduler(desired_retention=desired_retention, parameters=parameters)


def answer(
    card: CardState,
    quality: int,
    answered_on: date,
    *,
    last_on: date | None,
    scheduler: Scheduler | None,
    choose: IntervalChoice | None = None,
    day_after: Callable[[int], date] | None = None,
) -> CardState:
    """Return the card after an answer; the same object if the answer is practice and leaves the schedule alone.

    Args:
        card: as either scheduler left it; what it lacks is converted.
        quality: SM-2's quality (0–5) of the answer.
        answered_on: the learner's local day.
        last_on: the local day of the last review; None if there was none.
        scheduler: FSRS as the learner has it; None: SM-2.
        choose: picks the interval within the fuzz range; the interval is exact when it is left out.
        day_after: see `fsrs.review`.
    """
    if scheduler is None:
        before = to_sm2(card)
        after = sm2.review(before, quality, answered_on)
        if after is before:
            return card
        return after if choose is None or after.state != "review" else _moved(after, answered_on, choose)
    rating = fsrs.rating_of(quality)
    elapsed_days = 0 if last_on is None else (answered_on - last_on).days
    if fsrs.is_practice(card, rating, elapsed_days):
        return card
    return fsrs.review(
        from_sm2(card, scheduler),
        rating,
        answered_on,
        elapsed_days=elapsed_days,
        scheduler=scheduler,
        choose=choose,
        day_after=day_after,
    )


def _moved(card: CardState, answered_on: date, choose: IntervalChoice) -> CardState:
    """Return SM-2's card with the interval that was chosen within the fuzz range."""
    interval = choose(*fuzz_range(card.interval, _SM2_BOUNDS), card.interval)
    return msgspec.structs.replace(card, interval=interval, due_on=answered_on + timedelta(interval))


def preview(
    card: CardState,
    answered_on: date,
    *,
    last_on: date | None,
    scheduler: Scheduler | None,
    day_after: Callable[[int], date] | None = None,
) -> dict[Rating, CardState]:
    """Return the card after each rating, with exact intervals; the arguments are those of `answer`."""
    return {
        rating: answer(card, quality, answered_on, last_on=last_on, scheduler=scheduler, day_after=day_after)
        for rating, quality in _QUALITIES.items()
    }
