"""What a sitting says about its learner: ability with its error, scaled score, CEFR level with an interval. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from worker.models.base import Level
from worker.tryouts.irt import NODES, Floats, Items, Responses, log_likelihoods, normal_weights
from worker.tryouts.scheme import LEVELS

MIN_ITEMS: Final = 5
"""Calibrated questions below which a sitting says too little: the estimate would be the reference group's mean."""
INTERVAL: Final = 1.96
"""Standard errors to either side of a 95 % interval."""
SCALE_MEAN: Final = 500
SCALE_SD: Final = 100


@dataclass(frozen=True, slots=True)
class Abilities:
    """Expected a posteriori estimates, and the posterior standard deviations as their standard errors."""

    estimate: Floats
    error: Floats


def estimate_abilities(responses: Responses, items: Items) -> Abilities:
    """Return the abilities of examinees, given calibrated items.

    The prior is the standard normal distribution of the reference group, so an estimate exists for every answer
    pattern, all right or all wrong included (Bock and Mislevy 1982, Applied Psychological Measurement 6, 431–444).
    """
    weights = log_likelihoods(
        (responses == 1).astype(np.float64), (responses == 0).astype(np.float64), items, NODES
    ) + np.log(normal_weights(NODES))
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    mean = weights @ NODES
    variance = weights @ NODES**2 - mean**2
    return Abilities(mean, np.sqrt(np.maximum(variance, 1e-12)))


def scaled(ability: float) -> int:
    """Return an ability as learners see it: 500 is the reference group's mean, 100 its standard deviation."""
    return round(SCALE_MEAN + SCALE_SD * ability)


def level_of(ability: float, cuts: Mapping[str, float]) -> Level:
    """Return the CEFR level that begins at or below an ability."""
    return max((level for level in LEVELS[1:] if ability >= cuts[level]), key=LEVELS.index, default=LEVELS[0])


def describe(ability: float, error: float, cuts: Mapping[str, float]) -> dict[str, Any]:
    """Return what the result says of an ability: scaled score and CEFR level, each with its 95 % interval."""
    low, high = ability - INTERVAL * error, ability + INTERVAL * error
    return {
        "scaled": {"score": scaled(ability), "low": scaled(low), "high": scaled(high)},
        "level": {
            "estimate": level_of(ability, cuts),
            "low": level_of(low, cuts),
            "high": level_of(high, cuts),
        },
    }
