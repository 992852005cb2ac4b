"""Which day within the fuzz range a card comes back: by chance, or where the learner has the fewest cards. Pure.

Cards learnt together would come back together for ever. Chance (fuzz) draws them apart; balancing looks at the
calendar, and at the weekdays that the learner wants easy. Either moves a due date within `fsrs.fuzz_range`, no further.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from zlib import crc32

from worker.srs.fsrs import IntervalChoice

FULL_WEEK: Final = (100,) * 7
"""Weekday weights of a learner without easy days."""

Vacation = tuple[date, date]
"""First and last local day without a queue."""


def fuzzed(seed: bytes) -> IntervalChoice:
    """Return a choice by chance, each day of the range as likely; the same seed (an attempt's id) chooses alike.

    The chance is a checksum of the seed and not a generator's: a batch that is done again must schedule as it did, and
    setting up a generator for each attempt would cost more than the memory model.
    """

    def choose(first: int, last: int, _exact: int) -> int:
        return first + crc32(seed) * (last - first + 1) // 2**32

    return choose


def balanced(
    reviewed_on: date,
    load: Mapping[date, int],
    weekday_weights: Sequence[int] = FULL_WEEK,
    vacation: Vacation | None = None,
) -> IntervalChoice:
    """Return a choice of the day with the fewest cards for its weight, the nearest to the exact one of equals.

    Days of weight 0 and of the vacation are taken only when the range has no others: then the exact one.

    Args:
        reviewed_on: the learner's local day of the review, from which intervals count.
        load: cards due on each day ahead; days that are missing have none.
        weekday_weights: share (0–100) of a normal day's cards for each weekday, Monday first.
        vacation: days without a queue.
    """

    def choose(first: int, last: int, exact: int) -> int:
        best, least = exact, None
        for interval in range(first, last + 1):
            day = reviewed_on + timedelta(interval)
            weight = weekday_weights[day.weekday()]
            if not weight or (vacation is not None and vacation[0] <= day <= vacation[1]):
                continue
            burden = ((load.get(day, 0) + 1) / weight, abs(interval - exact), interval)
            if least is None or burden < least:
                best, least = interval, burden
        return best

    return choose
