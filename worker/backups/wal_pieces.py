"""Pieces of write-ahead log: which bytes of a segment an object holds, told by its name. Pure.

A segment is stored whole when it is complete. Until then what has been received of it is stored piece by piece, so that
no commit waits for 16 MB to fill. The decoded pieces, put after one another, are the segment's beginning.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from worker.backups.lsn import parse_lsn

_NAME: Final = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{64})(\.[a-z.]+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of a file from `start` up to `end`."""

    start: int
    end: int
    sha256: str
    """Of the stored bytes."""
    suffix: str

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Return what an object's name says, or None if it is no piece's."""
        found = _NAME.fullmatch(name)
        return cls(int(found[1], 16), int(found[2], 16), found[3], found[4]) if found else None

    @property
    def name(self) -> str:
        """The object's name in its segment's folder."""
        return f"{self.start:08x}-{self.end:08x}-{self.sha256}{self.suffix}"


def cover(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the fewest pieces that, one after the other, reach furthest from the beginning."""
    left = list(pieces)
    chosen: list[Piece] = []
    reached = 0
    while True:
        fitting = [piece for piece in left if piece.start <= reached < piece.end]
        if not fitting:
            return chosen
        best = max(fitting, key=lambda piece: (piece.end, -piece.start))
        chosen.append(best)
        reached = best.end


def reach(pieces: Iterable[Piece]) -> int:
    """Return up to which byte pieces cover a segment without a hole."""
    return max((piece.end for piece in cover(pieces)), default=0)


@dataclass(frozen=True, slots=True)
class Switch:
    """The position at which a timeline ended for the next one to begin."""

    timeline: int
    at: int


def parse_history(text: str) -> list[Switch]:
    """Return a timeline's ancestors from its history file, oldest first."""
    lines = (line.split("#", 1)[0].split() for line in text.splitlines())
    return [Switch(int(words[0]), parse_lsn(words[1])) for words in lines if len(words) > 1]


@dataclass(frozen=True, slots=True)
class Path:
    """The timelines that recovery follows from a backup on."""

    timeline: int
    """The last one."""
    ancestors: Sequence[Switch]

    def timelines_of(self, first_byte: int, segment_bytes: int) -> list[int]:
        """Return the timelines whose file may hold a segment, the likeliest first, as PostgreSQL looks for them."""
        older = (switch.timeline for switch in reversed(self.ancestors) if first_byte < switch.at)
        found = [self.timeline, *older]
        begun = [
            timeline
            for timeline in found
            if all(
                first_byte + segment_bytes > switch.at
                for switch in self.ancestors
                if switch.timeline < timeline  # every ancestor had ended before this one's segment did
            )
        ]
        return begun or found


def newest_path(timeline: int, end_lsn: str, histories: Mapping[int, Sequence[Switch]]) -> Path:
    """Return the way to the newest timeline that branched off a backup's one after the backup."""
    end = parse_lsn(end_lsn)
    for candidate in sorted(histories, reverse=True):
        switches = histories[candidate]
        if any(switch.timeline == timeline and switch.at >= end for switch in switches):
            return Path(candidate, switches)
    return Path(timeline, histories.get(timeline, ()))
