"""Numbers behind the plots: weeks, intervals of confidence, groups of predictions. Pure."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from math import sqrt
from typing import Final, NamedTuple

from worker.srs.prediction import Prediction
from worker.srs.study import StudyDay

_Z: Final = 1.96
"""95 % of a normal distribution lie within so many standard deviations."""
GROUPS: Final = 10
GROUP_LEAST: Final = 20
"""Reviews in a group of predictions at least; fewer show chance."""


class Share(NamedTuple):
    """A share seen in a sample, with its 95 % interval of confidence."""

    n: int
    value: float
    low: float
    high: float


class Week(NamedTuple):
    """True retention of one week."""

    begins_on: date
    recalled: Share


class Group(NamedTuple):
    """Reviews with alike predictions: their mean, and what share was recalled."""

    predicted: float
    recalled: Share


def share(hits: int, n: int) -> Share:
    """Return hits of n with Wilson's interval, which stays within 0 and 1 for small samples; n is above 0."""
    value = hits / n
    shrink = 1 + _Z * _Z / n
    middle = (value + _Z * _Z / (2 * n)) / shrink
    half = _Z / shrink * sqrt(value * (1 - value) / n + _Z * _Z / (4 * n * n))
    return Share(n, value, max(middle - half, 0.0), min(middle + half, 1.0))


def weeks(days: Iterable[StudyDay]) -> list[Week]:
    """Return true retention by calendar week (from Monday); weeks without reviews are left out."""
    found: dict[date, tuple[int, int]] = {}
    for day in days:
        monday = day.on_day - timedelta(day.on_day.weekday())
        recalled, reviews = found.get(monday, (0, 0))
        found[monday] = recalled + day.recalled, reviews + day.reviews
    return [Week(monday, share(hits, n)) for monday, (hits, n) in sorted(found.items()) if n]


def groups(predictions: Sequence[Prediction]) -> list[Group]:
    """Return the predictions, sorted, in up to `GROUPS` groups of equal size, none below `GROUP_LEAST`."""
    number = min(GROUPS, len(predictions) // GROUP_LEAST)
    ordered = sorted(predictions, key=lambda each: each.probability)
    edges = [len(ordered) * place // number for place in range(number + 1)] if number else [0]
    return [
        Group(
            sum(each.probability for each in ordered[begin:end]) / (end - begin),
            share(sum(each.recalled for each in ordered[begin:end]), end - begin),
        )
        for begin, end in itertools.pairwise(edges)
    ]
