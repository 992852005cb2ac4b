"""An answer moves a card: by the scheduler of its learner, whichever scheduled it before. Pure."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from worker.srs import fsrs, sm2
from worker.srs.card import CardState
from worker.srs.conversion import from_sm2, to_sm2
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler


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
    fuzz: Callable[[], float] | None,
    day_after: Callable[[int], date] | None,
) -> CardState:
    """Return the card after an answer; the same object if the answer is practice and leaves the schedule alone.

    Args:
        card: as either scheduler left it; what it lacks is converted.
        quality: SM-2's quality (0–5) of the answer.
        answered_on: the learner's local day.
        last_on: the local day of the last review; None if there was none.
        scheduler: FSRS as the learner has it; None: SM-2.
        fuzz: see `fsrs.review`.
        day_after: see `fsrs.review`.
    """
    if scheduler is None:
        before = to_sm2(card)
        after = sm2.review(before, quality, answered_on)
        return card if after is before else after
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
        fuzz=fuzz,
        day_after=day_after,
    )
