"""What may be a sign of cheating, for people to look at. Pure; nothing here decides anything about a learner."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats32 = npt.NDArray[np.float32]

FAST_SHARE_OF_USUAL: Final = 0.1
"""A right answer within a tenth of the question's usual time was hardly read …"""
FAST_BELOW_MS: Final = 1_000
"""… and within a second it was not."""
FAST_SHARE: Final = 0.3
"""Share of a sitting's right answers given that fast, from which it is reported."""
FAST_LEAST: Final = 5

SIMILAR_LEAST: Final = 8
"""Identical wrong answers below which a pair is never reported."""
SIMILAR_FALSE: Final = 0.01
"""Pairs of honest sittings that one look at a set may report by chance, at most and on average."""
_BLOCK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Similar:
    """Two sittings (by their places) with improbably many identical wrong answers.

    Attributes:
        identical: wrong answers they share.
        both_wrong: questions that both missed.
        expected: identical ones that two strangers would have among those.
        strength: −log₁₀ of an upper bound on the chance of so many.
    """

    first: int
    second: int
    identical: int
    both_wrong: int
    expected: float
    strength: float


def similar_pairs(
    sittings: int, wrong: Sequence[tuple[int, int, int]], *, least: int = SIMILAR_LEAST, false: float = SIMILAR_FALSE
) -> list[Similar]:
    """Return the pairs of sittings of one form whose wrong answers agree improbably often.

    Two strangers who both miss a question give the same wrong answer with the sum of squares of the shares that its
    wrong answers have. The chance of k or more agreements over n such questions with m expected ones is at most
    exp(−n·KL(k/n ‖ m/n)), whatever the single chances (Hoeffding 1963, J. Am. Stat. Assoc. 58, theorem 1). A pair
    is reported if that, times the pairs there are, is below `false`. Agreeing on right answers says nothing.

    Cost: three products of (sittings × different wrong answers) with itself, a block at a time: 10,000 sittings of 100
    questions take some ten seconds.

    Args:
        sittings: how many there are.
        wrong: sitting, question and answer of each wrong answer, as numbers from 0; an answer's number is its alone.
        least: identical wrong answers that a pair needs besides.
        false: honest pairs that may be reported on average.
    """
    if not wrong:
        return []
    rows, questions, answers = (np.array(column, dtype=np.int64) for column in zip(*wrong, strict=True))
    counts = np.bincount(answers)
    question_of = np.zeros(len(counts), dtype=np.int64)
    question_of[answers] = questions
    by_question = np.bincount(questions)
    shares = counts / np.maximum(by_question[question_of], 1)
    chance = np.bincount(question_of, weights=shares**2, minlength=len(by_question)).astype(np.float32)
    given = _indicator(sittings, rows, answers, len(counts))
    missed = _indicator(sittings, rows, questions, len(by_question))
    needed = math.log(sittings * (sittings - 1) / 2 / false) if sittings > 1 else math.inf
    found = []
    for start in range(0, sittings, _BLOCK):
        block = slice(start, min(start + _BLOCK, sittings))
        later = slice(start, sittings)
        identical = given[block] @ given[later].T
        both = missed[block] @ missed[later].T
        expected = ((missed[block] * chance) @ missed[later].T).astype(np.float32, copy=False)
        exponent = _exponents(identical, both, expected)
        for row, column in np.argwhere((identical >= least) & (exponent >= needed)):
            first, second = start + int(row), start + int(column)
            if first < second:
                found.append(
                    Similar(
                        first,
                        second,
                        identical=int(identical[row, column]),
                        both_wrong=int(both[row, column]),
                        expected=round(float(expected[row, column]), 2),
                        strength=round(float(exponent[row, column]) / math.log(10), 2),
                    )
                )
    return found


def _exponents(identical: Floats32, both: Floats32, expected: Floats32) -> Floats32:
    """Return n·KL(k/n ‖ m/n) where more agree than expected, else 0."""
    count = np.maximum(both, 1)
    share, mean = identical / count, np.clip(expected / count, 1e-6, 1 - 1e-6)
    with np.errstate(divide="ignore", invalid="ignore"):
        same = np.where(share > 0, share * np.log(share / mean), 0)
        other = np.where(share < 1, (1 - share) * np.log((1 - share) / (1 - mean)), 0)
    result: Floats32 = np.where(share > mean, count * (same + other), 0).astype(np.float32)
    return result


def _indicator(sittings: int, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], width: int) -> Floats32:
    result = np.zeros((sittings, width), dtype=np.float32)
    result[rows, columns] = 1
    return result
