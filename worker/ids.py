"""Identifiers: time-ordered UUIDs and the lane of a learner."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import uuid_utils

from worker import clock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

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

    Args:
        at: the instant it carries, in milliseconds; the present one when left out.
    """
    at = clock.now() if at is None else at
    if _random_bytes is not os.urandom:
        return UUID(bytes=uuid7_series(1, at)[0])
    # Whole numbers: a float timestamp would carry the millisecond before in one case of 160.
    nanoseconds = (at - _EPOCH) // timedelta(milliseconds=1) * 1_000_000
    return UUID(int=uuid_utils.uuid7(nanoseconds=nanoseconds).int)


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
