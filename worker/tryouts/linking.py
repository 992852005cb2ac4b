"""Putting a new calibration on the scale of the earlier one, through the questions both have. Pure.

Abilities are standard normal in each calibration of its own, so the numbers of two calibrations mean different things
until θ_old = A·θ_new + B is found from common items: here by the characteristic curves (Stocking and Lord 1983,
Applied Psychological Measurement 7, 201–210), starting from the mean/sigma method.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from worker.tryouts.irt import NODES, Floats, Items, normal_weights, probabilities

MIN_COMMON: Final = 5
"""Common questions below which a link would rest on chance."""
_STEPS: Final = 50


@dataclass(frozen=True, slots=True)
class Link:
    """θ_old = `slope`·θ_new + `shift`."""

    slope: float
    shift: float

    def apply(self, items: Items) -> Items:
        """Return items of the new scale on the old one: their curves stay what they are."""
        slope = items.slope / self.slope
        return Items(slope, items.intercept - slope * self.shift)


def link_scales(new: Items, old: Items) -> Link:
    """Return the link that makes the expected scores on the common items agree best.

    Gauss–Newton on the test characteristic curve, weighted by the reference group's density.

    Args:
        new: the common items, newly calibrated.
        old: the same items in the same order, as they were.
    """
    spread = float(np.std(new.difficulty))
    slope = float(np.std(old.difficulty)) / spread if spread > 0 else 1.0
    slope = min(max(slope, 0.2), 5.0)
    shift = float(np.mean(old.difficulty) - slope * np.mean(new.difficulty))
    target = probabilities(old, NODES).sum(axis=1)
    weight = np.sqrt(normal_weights(NODES))

    def residual(at: Floats) -> Floats:
        moved = Link(float(at[0]), float(at[1])).apply(new)
        result: Floats = weight * (probabilities(moved, NODES).sum(axis=1) - target)
        return result

    at = np.array([slope, shift])
    for _ in range(_STEPS):
        here = residual(at)
        width = 1e-6
        jacobian = np.stack([(residual(at + width * unit) - here) / width for unit in np.eye(2)], axis=1)
        step = np.linalg.lstsq(jacobian, -here, rcond=None)[0]
        if not np.all(np.isfinite(step)):
            break
        # Halve a step that leads uphill; ten halvings are next to none.
        factor = 1.0
        while factor > 1e-3 and (  # noqa: PLR2004
            at[0] + factor * step[0] <= 0 or np.sum(residual(at + factor * step) ** 2) > np.sum(here**2)
        ):
            factor /= 2
        at = at + factor * step if at[0] + factor * step[0] > 0 else at
        if np.abs(factor * step).max() < 1e-8:  # noqa: PLR2004
            break
    return Link(float(at[0]), float(at[1]))


def components(responses_by_form: list[set[int]]) -> list[int]:
    """Return, for each form (the set of its items), the number of the group it is linked with by common items.

    Forms of different groups share no scale but by the assumption that their examinees are alike.
    """
    groups = list(range(len(responses_by_form)))
    seen: dict[int, int] = {}

    def root(form: int) -> int:
        while groups[form] != form:
            form = groups[form]
        return form

    for form, items in enumerate(responses_by_form):
        for item in items:
            other = seen.setdefault(item, form)
            groups[root(form)] = root(other)
    return [root(form) for form in range(len(groups))]
