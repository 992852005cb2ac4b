"""Ships what pg_receivewal writes: complete segments, and of the one it writes what has come so far."""

import os
from pathlib import Path
from typing import Final

from worker.backups.lsn import HISTORY_NAME, SEGMENT_NAME
from worker.backups.wal_archive import WalArchive
from worker.backups.wal_pieces import Piece, cover, reach
from worker.logging import get_logger

_log = get_logger(__name__)

_PARTIAL: Final = ".partial"
_PAGE: Final = 8_192
_READ: Final = 256 * 1_024
MERGED_AT: Final = 16
"""Pieces of a segment that are replaced by a single one: a segment never has many, and little is sent twice."""


class Shipper:
    """Ships the spool of one cluster.

    Args:
        spool: pg_receivewal's folder.
        archive: where it goes.
    """

    def __init__(self, spool: Path, archive: WalArchive) -> None:
        self._spool = spool
        self._archive = archive
        self._pieces: dict[str, list[Piece]] = {}
        """What the archive has of the segments that are not complete."""
        self._shipped: set[str] = set()
        """Complete files that are in the archive."""

    def ship(self) -> int:
        """Ship what is new and return how many bytes that was.

        Raises:
            StoreError: the store failed; what is not shipped stays in the spool.
        """
        names = sorted(entry.name for entry in os.scandir(self._spool))
        complete = [name for name in names if SEGMENT_NAME.fullmatch(name)]
        sent = 0
        for name in (name for name in names if HISTORY_NAME.fullmatch(name)):
            sent += self._ship_whole(name)
        for name in complete:
            sent += self._ship_whole(name)
            if name != complete[-1]:  # pg_receivewal finds by the last one where to go on
                (self._spool / name).unlink()
                self._shipped.discard(name)
        for name in (name for name in names if name.endswith(_PARTIAL)):
            sent += self._ship_partial(name.removesuffix(_PARTIAL))
        return sent

    def _ship_whole(self, name: str) -> int:
        if name in self._shipped:
            return 0
        data = (self._spool / name).read_bytes()
        there = self._known(name)
        if not any(piece.start == 0 and piece.end >= len(data) for piece in there):
            whole = self._archive.put(name, 0, data)
        else:
            whole = next(piece for piece in there if piece.start == 0 and piece.end >= len(data))
            data = b""
        self._archive.drop(name, (piece for piece in there if piece != whole))
        self._pieces.pop(name, None)
        self._shipped.add(name)
        return len(data)

    def _ship_partial(self, name: str) -> int:
        pieces = self._known(name)
        begin = reach(pieces)
        try:
            with (self._spool / f"{name}{_PARTIAL}").open("rb") as file:
                end = written_end(file.fileno(), begin)
                if end <= begin:
                    return 0
                # Read again: only what stood there before the end was seen is certain to be complete.
                first = 0 if len(pieces) >= MERGED_AT else begin
                data = os.pread(file.fileno(), end - first, first)
        except FileNotFoundError:
            return 0  # complete since it was listed
        piece = self._archive.put(name, first, data)
        if first == 0:
            self._archive.drop(name, (old for old in pieces if old != piece))
            pieces.clear()
        pieces.append(piece)
        return len(data)

    def _known(self, name: str) -> list[Piece]:
        if name not in self._pieces:
            found = self._archive.pieces(name)
            chosen = cover(found)
            self._archive.drop(name, (piece for piece in found if piece not in chosen))
            self._pieces[name] = chosen
        return self._pieces[name]


def written_end(descriptor: int, begin: int) -> int:
    """Return up to where a segment has been written, looking from `begin` on.

    The file is full of zeros before it is written, and each page of log begins with a magic number: the first page that
    is all zeros is the first that was not begun. Trailing zeros of the last one are no loss: the file is padded anew.
    """
    end = position = begin
    while chunk := os.pread(descriptor, _READ - position % _PAGE, position):
        written = len(chunk.rstrip(b"\0"))
        if written:
            end = position + written
        if len(chunk) - written >= _PAGE:
            break
        position += len(chunk)
    return end
