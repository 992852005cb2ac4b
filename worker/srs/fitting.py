"""Fitting FSRS to one learner: parameters from earlier reviews, accepted only if they foresee later ones better. Pure.

The optimiser is `fsrs-rs-python`'s. The split is by time: what is held out is newer than all that was learnt from.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from worker.errors import ElpError
from worker.srs import prediction
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler
from worker.srs.prediction import (
    Prediction,
    Predictor,
    Quality,
    Review,
    fsrs_predictor,
    measure,
    predict_sm2,
    predictions,
)

MIN_REVIEWS: Final = 400
"""Fewer say too little about 21 parameters."""
HELD_OUT: Final = 0.20
"""The newest share of the reviews, which decides about acceptance."""
MIN_HELD_OUT: Final = 40
"""Predictable reviews that must be held out, or the decision would be chance."""


class FittingError(ElpError):
    """The optimiser found no parameters for these reviews."""


class Fit(msgspec.Struct, frozen=True):
    """The outcome of a fit.

    Attributes:
        parameters: fitted to the earlier reviews alone, so that the measures below are theirs.
        is_accepted: whether they foresaw the held-out reviews better (log-loss) than `current` did.
        trained_on: reviews learnt from.
        fitted: measures on the held-out reviews with the parameters fitted.
        current: the same with the parameters that the learner would keep.
        sm2: the same for SM-2.
    """

    parameters: tuple[float, ...]
    is_accepted: bool
    trained_on: int
    fitted: Quality
    current: Quality
    sm2: Quality


def fit(learners: Sequence[Sequence[Review]], current: tuple[float, ...] = DEFAULT_PARAMETERS) -> Fit | None:
    """Return parameters for one learner, or for several together, and whether to take them; None: too few reviews.

    Args:
        learners: the reviews of each, sorted by time; each is split on its own.
        current: what they have without this fit: an earlier one, the population's, or the library's.

    Raises:
        FittingError: the optimiser failed.
    """
    if sum(map(len, learners)) < MIN_REVIEWS:
        return None
    splits = [split_at(len(reviews)) for reviews in learners]
    if len(_foreseen(learners, splits, predict_sm2)) < MIN_HELD_OUT:
        return None
    parameters = optimise([reviews[:split] for reviews, split in zip(learners, splits, strict=True)])
    fitted, kept, sm2 = (
        measure(_foreseen(learners, splits, predict))
        for predict in (fsrs_predictor(parameters), fsrs_predictor(current), predict_sm2)
    )
    return Fit(parameters, fitted.log_loss < kept.log_loss, sum(splits), fitted, kept, sm2)


def _foreseen(learners: Sequence[Sequence[Review]], splits: Sequence[int], predict: Predictor) -> list[Prediction]:
    pairs = zip(learners, splits, strict=True)
    return [each for reviews, split in pairs for each in predictions(reviews, predict, split)]


def split_at(reviews: int, held_out: float = HELD_OUT) -> int:
    """Return the place of the first review that is held out."""
    return reviews - round(reviews * held_out)


def optimise(learners: Iterable[Sequence[Review]]) -> tuple[float, ...]:
    """Return the parameters that foresee the reviews of these learners best: one's own, or a population's.

    Cost: about 1 ms for ten reviews; memory grows with the square of the reviews of one card.

    Raises:
        FittingError: there are too few reviews, or the optimiser failed.
    """
    items = []
    for reviews in learners:
        for history in prediction.by_card(reviews).values():
            answers = [review for _, review in history]
            # One item for each review that is to be foreseen: all answers up to it.
            items += [
                prediction.item(answers[: number + 1])
                for number in range(1, len(answers))
                if answers[number].day > answers[number - 1].day
            ]
    if not items:
        raise FittingError("no review comes a day or more after another")
    try:
        found = tuple(Scheduler().model.compute_parameters(items))
    except (ValueError, RuntimeError) as error:
        raise FittingError(f"the optimiser failed: {error}") from error
    if len(found) != len(DEFAULT_PARAMETERS):
        raise FittingError(f"the optimiser returned {len(found)} parameters")
    return found
