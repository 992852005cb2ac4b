"""What may be a sign of cheating, for people to look at. Pure; nothing here decides anything about a learner."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FAST_SHARE_OF_USUAL: Final = 0.1
"""A right answer within a tenth of the question's usual time was hardly read …"""
FAST_BELOW_MS: Final = 1_000
"""… and within a second it was not."""
FAST_SHARE: Final = 0.3
"""Share of a sitting's right answers given that fast, from which it is reported."""
FAST_LEAST: Final = 5

SIMILAR_LEAST: Final = 8
"""Identical wrong answers below which a pair is never reported."""
SIMILAR_Z: Final = 7.0
"""Standard deviations above what two strangers' wrong answers have in common. With 10,000 sittings there are 5·10⁷
pairs; at 7 the normal approximation leaves far less than one false pair among them."""
_BLOCK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Similar:
    """Two sittings (by their places) with improbably many identical wrong answers."""

    first: int
    second: int
    identical: int
    both_wrong: int
    expected: float
    z: float


def similar_pairs(
    sittings: int,
    wrong: Sequence[tuple[int, int, int]],
    *,
    least: int = SIMILAR_LEAST,
    least_z: float = SIMILAR_Z,
) -> list[Similar]:
    """Return the pairs of sittings of one form whose wrong answers agree improbably often.

    For two strangers who are both wrong on a question, the chance of the same wrong answer is the sum of squares of the
    shares that its wrong answers have; agreement over all questions is compared with the mean and deviation of that.
    Agreeing on right answers says nothing: both may simply know.

    Cost: two products of (sittings × different wrong answers) with itself, a block at a time: 10,000 sittings of 100
    questions take some seconds.

    Args:
        sittings: how many there are.
        wrong: sitting, question and answer of each wrong answer, as numbers from 0; an answer's number is its alone.
        least: identical wrong answers that a pair needs.
        least_z: standard deviations that it needs.
    """
    if not wrong:
        return []
    rows, questions, answers = (np.array(column, dtype=np.int64) for column in zip(*wrong, strict=True))
    counts = np.bincount(answers)
    question_of = np.zeros(len(counts), dtype=np.int64)
    question_of[answers] = questions
    by_question = np.bincount(questions)
    shares = counts / by_question[question_of]
    chance = np.bincount(question_of, weights=shares**2, minlength=len(by_question))
    given = _indicator(sittings, rows, answers, len(counts))
    missed = _indicator(sittings, rows, questions, len(by_question))
    chances, variances = chance.astype(np.float32), (chance * (1 - chance)).astype(np.float32)
    found = []
    for start in range(0, sittings, _BLOCK):
        block = slice(start, min(start + _BLOCK, sittings))
        later = slice(start, sittings)
        identical = given[block] @ given[later].T
        expected = (missed[block] * chances) @ missed[later].T
        deviation = np.sqrt(np.maximum((missed[block] * variances) @ missed[later].T, 1e-6))
        z = (identical - expected) / deviation
        hits = np.argwhere((identical >= least) & (z >= least_z))
        for row, column in hits:
            first, second = start + int(row), start + int(column)
            if first < second:
                both = int(missed[first] @ missed[second])
                found.append(
                    Similar(
                        first,
                        second,
                        identical=int(identical[row, column]),
                        both_wrong=both,
                        expected=round(float(expected[row, column]), 2),
                        z=round(float(z[row, column]), 2),
                    )
                )
    return found


def _indicator(
    sittings: int, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], width: int
) -> npt.NDArray[np.float32]:
    result = np.zeros((sittings, width), dtype=np.float32)
    result[rows, columns] = 1
    return result
