"""Identifiers: time-ordered UUIDs and the lane of a learner."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from worker import clock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_62_BITS: Final = (1 << 62) - 1

LANES: Final = 16
"""How many lanes the attempt inbox has; one drainer works a lane at a time."""

_random_bytes: Callable[[int], bytes] = os.urandom


@contextmanager
def drawn_from(random_bytes: Callable[[int], bytes]) -> Iterator[None]:
    """Draw the random bits of this process's identifiers from a source inside the block: a simulation's seed."""
    global _random_bytes  # noqa: PLW0603 - as the clock, one a process
    before, _random_bytes = _random_bytes, random_bytes
    try:
        yield
    finally:
        _random_bytes = before


def uuid7(at: datetime | None = None) -> UUID:
    """Return a new UUIDv7 (RFC 9562): time-ordered, so an index grows at its right edge.

    The microsecond stands in the 12 bits after the version (section 6.2, method 3), as in the database's `uuidv7()`:
    ids of one millisecond are in order too, those of one microsecond are not.

    Args:
        at: the instant it carries, in microseconds; the present one when left out.
    """
    # Whole numbers: a float timestamp would carry the millisecond before in one case of 160.
    milliseconds, microseconds = divmod(((clock.now() if at is None else at) - _EPOCH) // _MICROSECOND, 1000)
    random = int.from_bytes(_random_bytes(8)) & _62_BITS
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (microseconds * 4096 // 1000) << 64 | 0b10 << 62 | random)


def uuid7_series(count: int, at: datetime) -> list[bytes]:
    """Return new UUIDv7, each above the one before, as their 16 bytes: keys for rows that are written in bulk.

    A counter of 26 bits follows the instant (RFC 9562, section 6.2, method 1), then 48 random bits.

    Args:
        count: how many, below 2²⁶.
        at: the instant they carry, in milliseconds.
    """
    base = (at - _EPOCH) // timedelta(milliseconds=1) << 80 | 0x7 << 76 | 0b10 << 62
    random = _random_bytes(6 * count)
    return [
        (base | (number >> 14) << 64 | (number & 0x3FFF) << 48).to_bytes(16)[:10] + random[6 * number : 6 * number + 6]
        for number in range(count)
    ]


def lane_of(user_id: UUID) -> int:
    """Return the inbox lane (0–15) of a learner: the low four bits of the id, as `attempt_inbox.lane` computes it."""
    return user_id.int & (LANES - 1)
