"""Which questions editors should look at, from what a calibration found. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from worker.tryouts.irt import LARGEST_INTERCEPT, LARGEST_SLOPE, Floats, Responses

Flag = Literal[
    "negative_discrimination",
    "low_discrimination",
    "low_point_biserial",
    "misfit",
    "overfit",
    "too_easy",
    "too_hard",
    "imprecise",
]

MIN_RESPONSES: Final = 200
"""Fewer give a slope a standard error beyond 0.3, the width of what one calls a good question."""
MIN_EACH: Final = 10
"""Right answers and wrong ones that a question needs besides."""
_LOW_SLOPE: Final = 0.4
_LOW_CORRELATION: Final = 0.15
_MISFIT: Final = 1.3
_OVERFIT: Final = 0.7
_EASY: Final = 0.95
_HARD: Final = 0.05
_LARGE_ERROR: Final = 0.5

REFUSED: Final[frozenset[Flag]] = frozenset({"negative_discrimination", "imprecise"})
"""With one of these the parameters are not taken over into the question."""


@dataclass(frozen=True, slots=True)
class ItemFindings:
    """What is known about one item."""

    responses: int
    right: int
    slope: float
    slope_error: float
    intercept: float
    difficulty_error: float
    infit: float
    outfit: float
    point_biserial: float


def point_biserials(responses: Responses) -> Floats:
    """Return each item's correlation with the share right of the examinee's other items; NaN where nothing varies."""
    right = (responses == 1).astype(np.float64)
    administered = (responses >= 0).astype(np.float64)
    rest_count = np.maximum(administered.sum(axis=1, keepdims=True) - administered, 1)
    rest = (right.sum(axis=1, keepdims=True) - right) / rest_count * administered
    counts = np.maximum(administered.sum(axis=0), 1)
    mean_item, mean_rest = right.sum(axis=0) / counts, rest.sum(axis=0) / counts
    covariance = (right * rest).sum(axis=0) / counts - mean_item * mean_rest
    var_item = mean_item * (1 - mean_item)
    var_rest = (rest**2).sum(axis=0) / counts - mean_rest**2
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(
            (var_item > 0) & (var_rest > 1e-12),  # noqa: PLR2004
            np.clip(covariance / np.sqrt(var_item * np.maximum(var_rest, 0)), -1, 1),
            np.nan,
        )
    return result


def flags_of(item: ItemFindings) -> list[Flag]:
    """Return why an editor should look at an item, the gravest reason first; empty: nothing is wrong with it."""
    share = item.right / item.responses
    at_the_edge = abs(item.slope) >= LARGEST_SLOPE or abs(item.intercept) >= LARGEST_INTERCEPT
    unsure = at_the_edge or not item.slope_error < _LARGE_ERROR or not item.difficulty_error < 2 * _LARGE_ERROR
    found: list[tuple[Flag, bool]] = [
        ("negative_discrimination", item.slope < 0),
        ("low_discrimination", 0 <= item.slope < _LOW_SLOPE),
        ("low_point_biserial", item.point_biserial < _LOW_CORRELATION),
        ("misfit", max(item.infit, item.outfit) > _MISFIT),
        ("overfit", min(item.infit, item.outfit) < _OVERFIT),
        ("too_easy", share > _EASY),
        ("too_hard", share < _HARD),
        ("imprecise", unsure),
    ]
    return [flag for flag, holds in found if holds]
