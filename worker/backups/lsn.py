"""Positions in the write-ahead log and the names of its segments, as PostgreSQL writes them. Pure.

Source: PostgreSQL, src/include/access/xlog_internal.h (XLogFileName, XLByteToSeg).
"""

import re
from typing import Final

SEGMENT_NAME: Final = re.compile(r"[0-9A-F]{24}")
HISTORY_NAME: Final = re.compile(r"[0-9A-F]{8}\.history")
_LOG_BYTES: Final = 1 << 32


def parse_lsn(text: str) -> int:
    """Return the position in bytes that `16/B374D848` stands for."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) | int(low, 16)


def format_lsn(position: int) -> str:
    """Return a position as PostgreSQL prints it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def segment_name(timeline: int, number: int, segment_bytes: int) -> str:
    """Return the file name of a timeline's segment, counted from 0."""
    per_log = _LOG_BYTES // segment_bytes
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"


def segment_of(position: int, segment_bytes: int) -> int:
    """Return the number of the segment that holds the byte at `position`."""
    return position // segment_bytes


def parse_segment(name: str, segment_bytes: int) -> tuple[int, int]:
    """Return the timeline and the number of a segment from its file name."""
    number = int(name[8:16], 16) * (_LOG_BYTES // segment_bytes) + int(name[16:24], 16)
    return int(name[:8], 16), number
