"""How well a scheduler foresees reviews: predicted recall, and the three measures of it. Pure.

Only reviews on a later day than the card's last one are predicted: recall within a day is not what intervals are for.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from math import exp, floor, log, sqrt
from typing import Final, NamedTuple

import fsrs_rs_python as rust
import msgspec

from worker.srs import sm2
from worker.srs.fsrs import Rating, Scheduler, retrievability

QUALITIES: Final = {1: 1, 2: 3, 3: 4, 4: 5}
"""Rating → SM-2's quality, the reverse of `fsrs.rating_of`."""

_CERTAIN: Final = 1e-6
"""Predictions are kept this far from 0 and 1, or one surprise would make the log-loss infinite."""


class Review(NamedTuple):
    """A review: which card (any number), its rating, and the learner's local day as a day number."""

    card: int
    rating: Rating
    day: int


class Prediction(NamedTuple):
    """A foreseen review: where it stands in the list, probability, outcome, and what RMSE(bins) groups by."""

    place: int
    probability: float
    recalled: bool
    elapsed_days: int
    reviews_before: int
    lapses_before: int


class Quality(msgspec.Struct, frozen=True):
    """How good predictions are; smaller log-loss and RMSE and larger AUC are better.

    Attributes:
        reviews: predictions measured.
        log_loss: mean of −ln(probability given to what happened).
        rmse_bins: how far predicted and seen recall lie apart, averaged over groups of alike reviews.
        auc: how often a remembered review had a higher prediction than a forgotten one; 0.5 if there is only one kind.
    """

    reviews: int
    log_loss: float
    rmse_bins: float
    auc: float


Predictor = Callable[[Sequence[Review]], list[float | None]]
"""Returns, for the reviews of one card in order, the probability of each; None for the first."""


def fsrs_predictor(parameters: tuple[float, ...]) -> Predictor:
    """Return the predictor of FSRS with these parameters."""
    model, decay = Scheduler(parameters=parameters).model, parameters[20]

    def predict(history: Sequence[Review]) -> list[float | None]:
        states = model.historical_memory_states(item(history))
        later = (
            retrievability(state.stability, after.day - before.day, decay)
            for state, before, after in zip(states, history, history[1:], strict=False)
        )
        return [None, *later]

    return predict


def predict_sm2(history: Sequence[Review]) -> list[float | None]:
    """Return SM-2's predictions: its interval taken for the time in which recall falls to 90 %, 0.9^(elapsed/interval).

    SM-2 itself predicts nothing; this is how the FSRS project compares it,
    https://github.com/open-spaced-repetition/srs-benchmark.
    """
    predictions: list[float | None] = [None]
    card = sm2.new_card(date.fromordinal(history[0].day))
    for before, after in pairwise(history):
        card = sm2.review(card, QUALITIES[before.rating], date.fromordinal(before.day))
        predictions.append(0.9 ** ((after.day - before.day) / max(card.interval, 1)))
    return predictions


def by_card(reviews: Iterable[Review]) -> dict[int, list[tuple[int, Review]]]:
    """Return each card's reviews, in order, with their places in the whole list."""
    found: dict[int, list[tuple[int, Review]]] = {}
    for index, review in enumerate(reviews):
        found.setdefault(review.card, []).append((index, review))
    return found


def item(history: Sequence[Review]) -> rust.FSRSItem:
    """Return a card's history as the library takes it."""
    days = [history[0].day, *(review.day for review in history)]
    return rust.FSRSItem(
        [
            rust.FSRSReview(review.rating, max(review.day - before, 0))
            for before, review in zip(days, history, strict=False)
        ]
    )


def predictions(reviews: Sequence[Review], predict: Predictor, since: int = 0) -> Iterator[Prediction]:
    """Return the predictions of reviews from place `since` on; what came before only serves as history."""
    for history in by_card(reviews).values():
        if history[-1][0] < since or len(history) == 1:
            continue
        probabilities = predict([review for _, review in history])
        lapses = 0
        for number, ((index, review), probability) in enumerate(zip(history, probabilities, strict=True)):
            if number:
                before = history[number - 1][1]
                elapsed = review.day - before.day
                if index >= since and elapsed > 0 and probability is not None:
                    yield Prediction(index, probability, review.rating > 1, elapsed, number, lapses)
                lapses += review.rating == 1 and elapsed > 0


def measure(found: Sequence[Prediction]) -> Quality:
    """Return the measures of predictions; the cost is that of sorting them."""
    if not found:
        return Quality(0, 0.0, 0.0, 0.5)
    loss = 0.0
    for each in found:
        likely = min(max(each.probability, _CERTAIN), 1 - _CERTAIN)
        loss -= log(likely if each.recalled else 1 - likely)
    return Quality(len(found), loss / len(found), _rmse_bins(found), _auc(found))


def _rmse_bins(found: Iterable[Prediction]) -> float:
    """Return the weighted root mean square of (predicted − seen) recall over bins.

    Bins and constants: srs-benchmark; elapsed days, reviews and lapses before, each in steps that grow by a factor.
    """
    bins: dict[tuple[float, float, float], tuple[int, float]] = {}
    for each in found:
        key = (
            _step(each.elapsed_days, 2.48, 3.62),
            _step(each.reviews_before + 1, 1.99, 1.89),
            _step(each.lapses_before, 1.65, 1.73) if each.lapses_before else 0.0,
        )
        count, distance = bins.get(key, (0, 0.0))
        bins[key] = count + 1, distance + each.probability - each.recalled
    total = sum(count for count, _ in bins.values())
    return sqrt(sum(distance * distance / count for count, distance in bins.values()) / total)


def _step(value: int, scale: float, factor: float) -> float:
    return scale * exp(floor(log(value) / log(factor)) * log(factor))


def _auc(found: Iterable[Prediction]) -> float:
    """Return the area under the ROC curve; ties count half."""
    forgotten = sorted(each.probability for each in found if not each.recalled)
    recalled = [each.probability for each in found if each.recalled]
    if not forgotten or not recalled:
        return 0.5
    below = 0.0
    for probability in recalled:
        first = bisect_left(forgotten, probability)
        below += first
        while first < len(forgotten) and forgotten[first] == probability:
            below += 0.5
            first += 1
    return below / len(forgotten) / len(recalled)
