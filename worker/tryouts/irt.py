"""The two-parameter logistic model: items calibrated by marginal maximum likelihood, with standard errors.

P(right | θ) = 1 / (1 + exp(−(a·θ + d))), difficulty b = −d / a, abilities standard normal. EM over fixed quadrature
nodes after Bock and Aitkin (1981, Psychometrika 46, 443–459), accelerated by SQUAREM (Varadhan and Roland 2008,
Scandinavian Journal of Statistics 35, 335–353); standard errors from the cross-products of the examinees' scores.
Pure: arrays in, arrays out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from worker.tryouts.errors import CalibrationError

Floats = npt.NDArray[np.float64]
Responses = npt.NDArray[np.int8]
"""Examinees × items: 1 right, 0 wrong, −1 not administered."""

NODES: Final = np.linspace(-5.0, 5.0, 61)
"""Fine enough that doubling them moves estimates by less than 0.001 (tests/tryouts/test_irt.py)."""
LARGEST_SLOPE: Final = 8.0
LARGEST_INTERCEPT: Final = 12.0
"""Beyond these an item is at the edge of what a calibration can tell (all right, all wrong, or a perfect step)."""
_NEWTON_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Items:
    """Parameters of items on a common scale.

    Attributes:
        slope: a, discrimination.
        intercept: d = −a·b.
    """

    slope: Floats
    intercept: Floats

    @property
    def difficulty(self) -> Floats:
        """b, the ability at which half answer right."""
        return -self.intercept / self.slope


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a calibration found.

    Attributes:
        items: the estimates, abilities being standard normal.
        slope_error, difficulty_error: standard errors; NaN where the information matrix gives none.
        infit, outfit: mean squares of the residuals, expected to be 1, over the posterior of each examinee's ability.
        log_likelihood: marginal, of the whole data.
        cycles: EM cycles done.
        has_converged: whether no parameter moved by more than the tolerance in the last one.
    """

    items: Items
    slope_error: Floats
    difficulty_error: Floats
    infit: Floats
    outfit: Floats
    log_likelihood: float
    cycles: int
    has_converged: bool


def probabilities(items: Items, abilities: Floats) -> Floats:
    """Return P(right), abilities × items."""
    logits = np.outer(abilities, items.slope) + items.intercept
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(logits, -35.0, 35.0)))
    return result


def normal_weights(nodes: Floats) -> Floats:
    """Return the standard normal density at the nodes, scaled to sum to 1."""
    density = np.exp(-0.5 * nodes**2)
    result: Floats = density / density.sum()
    return result


def log_likelihoods(right: Floats, wrong: Floats, items: Items, nodes: Floats) -> Floats:
    """Return each examinee's log-likelihood at each node.

    Args:
        right: 1 where an item was answered right, else 0 (examinees × items).
        wrong: 1 where it was answered wrong, else 0.
        items: the parameters.
        nodes: abilities.
    """
    chances = probabilities(items, nodes)
    result: Floats = right @ np.log(chances).T + wrong @ np.log1p(-chances).T
    return result


def calibrate(responses: Responses, *, tolerance: float = 1e-4, max_cycles: int = 500) -> Calibration:
    """Estimate the parameters of all items from responses that may come from several linked forms.

    Cost: a cycle is three matrix products of examinees × items × 61; 10,000 × 100 take some seconds on one core.

    Args:
        responses: one row an examinee.
        tolerance: largest move of a slope or intercept in a cycle at which the estimates count as found.
        max_cycles: after so many the estimates are returned as they are.

    Raises:
        CalibrationError: there is nothing to estimate from, or an item has only right or only wrong answers.
    """
    right = (responses == 1).astype(np.float64)
    wrong = (responses == 0).astype(np.float64)
    rights, counts = right.sum(axis=0), (right + wrong).sum(axis=0)
    if responses.size == 0 or bool(np.any((rights == 0) | (rights == counts))):
        raise CalibrationError("each item needs right and wrong answers: leave the others out")
    shares = rights / counts
    parameters = np.concatenate([np.ones(len(shares)), np.log(shares / (1 - shares))])
    prior = normal_weights(NODES)

    def cycle(current: Floats) -> tuple[Floats, float]:
        items = Items(*np.split(current, 2))
        posterior, likelihood = _posterior(right, wrong, items, prior)
        moved = _maximise(items, posterior, right, wrong)
        return np.concatenate([moved.slope, moved.intercept]), likelihood

    cycles, has_converged = 0, False
    while cycles < max_cycles and not has_converged:
        first, likelihood = cycle(parameters)
        second, _ = cycle(first)
        cycles += 2
        has_converged = bool(np.abs(second - first).max() < tolerance)
        step, bend = first - parameters, (second - first) - (first - parameters)
        length = -np.sqrt((step @ step) / max(float(bend @ bend), 1e-300))
        leap = second
        if length < -1.0 and not has_converged:
            leap = _bounded(parameters - 2 * length * step + length**2 * bend)
            leap, reached = cycle(leap)
            cycles += 1
            if reached < likelihood:  # the leap went past the top: stay with plain EM
                leap = second
        parameters = leap
    items = Items(*np.split(parameters, 2))
    posterior, likelihood = _posterior(right, wrong, items, prior)
    slope_error, difficulty_error = _errors(items, posterior, right, wrong)
    infit, outfit = _fit(items, posterior, right, wrong)
    return Calibration(
        items, slope_error, difficulty_error, infit, outfit, likelihood, cycles, has_converged=has_converged
    )


def _bounded(parameters: Floats) -> Floats:
    slope, intercept = np.split(parameters, 2)
    return np.concatenate(
        [
            np.clip(slope, -LARGEST_SLOPE, LARGEST_SLOPE),
            np.clip(intercept, -LARGEST_INTERCEPT, LARGEST_INTERCEPT),
        ]
    )


def _posterior(right: Floats, wrong: Floats, items: Items, prior: Floats) -> tuple[Floats, float]:
    """Return each examinee's posterior over the nodes, and the marginal log-likelihood."""
    weights = log_likelihoods(right, wrong, items, NODES)
    weights += np.log(prior)
    highest = weights.max(axis=1, keepdims=True)
    np.exp(weights - highest, out=weights)
    sums = weights.sum(axis=1, keepdims=True)
    likelihood = float(np.sum(np.log(sums) + highest))
    weights /= sums
    return weights, likelihood


def _maximise(items: Items, posterior: Floats, right: Floats, wrong: Floats) -> Items:
    """Return the items that fit the expected counts best: Newton steps on all items at once."""
    expected_right = posterior.T @ right
    expected = expected_right + posterior.T @ wrong
    slope, intercept = items.slope.copy(), items.intercept.copy()
    node = NODES[:, None]
    for _ in range(_NEWTON_STEPS):
        chances = probabilities(Items(slope, intercept), NODES)
        residual = expected_right - expected * chances
        weight = expected * chances * (1 - chances)
        gradient_slope, gradient_intercept = (node * residual).sum(axis=0), residual.sum(axis=0)
        h_ss, h_si, h_ii = (node**2 * weight).sum(axis=0), (node * weight).sum(axis=0), weight.sum(axis=0)
        determinant = np.maximum(h_ss * h_ii - h_si**2, 1e-9)
        # A full Newton step from far away may overshoot; one unit a time is enough to arrive.
        slope += np.clip((h_ii * gradient_slope - h_si * gradient_intercept) / determinant, -1, 1)
        intercept += np.clip((h_ss * gradient_intercept - h_si * gradient_slope) / determinant, -1, 1)
        np.clip(slope, -LARGEST_SLOPE, LARGEST_SLOPE, out=slope)
        np.clip(intercept, -LARGEST_INTERCEPT, LARGEST_INTERCEPT, out=intercept)
    return Items(slope, intercept)


def _errors(items: Items, posterior: Floats, right: Floats, wrong: Floats) -> tuple[Floats, Floats]:
    """Return the standard errors of slopes and difficulties (the latter by the delta method)."""
    chances = probabilities(items, NODES)
    administered = right + wrong
    mean = posterior @ NODES
    by_slope = right * mean[:, None] - administered * (posterior @ (NODES[:, None] * chances))
    by_intercept = right - administered * (posterior @ chances)
    scores = np.hstack([by_slope, by_intercept])
    information = scores.T @ scores
    count = len(items.slope)
    try:
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        nothing = np.full(count, np.nan)
        return nothing, nothing.copy()
    variance = np.diag(covariance)
    var_slope, var_intercept = variance[:count], variance[count:]
    both = np.diag(covariance[:count, count:])
    difficulty = items.difficulty
    var_difficulty = (var_intercept + difficulty**2 * var_slope + 2 * difficulty * both) / items.slope**2
    with np.errstate(invalid="ignore"):
        return np.sqrt(var_slope), np.sqrt(var_difficulty)


def _fit(items: Items, posterior: Floats, right: Floats, wrong: Floats) -> tuple[Floats, Floats]:
    """Return infit and outfit: over the posterior, so that their expectation is 1 whatever the length of the test."""
    chances = probabilities(items, NODES)
    expected_right = posterior.T @ right
    expected_wrong = posterior.T @ wrong
    squares = expected_right * (1 - chances) ** 2 + expected_wrong * chances**2
    variance = chances * (1 - chances)
    expected = expected_right + expected_wrong
    infit: Floats = squares.sum(axis=0) / (expected * variance).sum(axis=0)
    outfit: Floats = (squares / np.maximum(variance, 1e-9)).sum(axis=0) / expected.sum(axis=0)
    return infit, outfit
