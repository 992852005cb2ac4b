"""The write-ahead log in the repository: `wal/<system identifier>/<file>/<start>-<end>-<sha256>.zst[.age]`."""

import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from worker.backups.entry import Entry
from worker.backups.errors import ObjectMissingError, WalGapError
from worker.backups.lsn import HISTORY_NAME, SEGMENT_NAME, parse_lsn, parse_segment, segment_name, segment_of
from worker.backups.repository import Repository, StoredObject
from worker.backups.wal_pieces import Path, Piece, Switch, cover, newest_path, parse_history, reach

FOLDER: Final = "wal"
_LISTINGS: Final = 5
_ALIGNMENT: Final = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that recovery needs."""

    name: str
    number: int
    is_complete: bool


def _aligned(position: int) -> int:
    """Return where the next record begins: trailing zeros of a record, its padding among them, are not stored."""
    return -(-position // _ALIGNMENT) * _ALIGNMENT


def first_after(entry: Entry) -> int:
    """Return the number of the first segment that a backup does not hold itself."""
    assert entry.end_lsn is not None, "physical"
    return segment_of(parse_lsn(entry.end_lsn) - 1, entry.segment_bytes) + 1


class WalArchive:
    """The log of one cluster.

    Args:
        repository: where it is.
        system_identifier: the cluster's.
        segment_bytes: what its segments have.
    """

    def __init__(self, repository: Repository, system_identifier: str, segment_bytes: int) -> None:
        self.repository = repository
        self.segment_bytes = segment_bytes
        self.folder = f"{FOLDER}/{system_identifier}"

    def put(self, file: str, start: int, data: bytes) -> Piece:
        """Store the bytes of a segment, or of a history file, from `start` on."""
        sealed = io.BytesIO()
        codec = self.repository.codec
        codec.seal(io.BytesIO(data), sealed, len(data))
        stored = sealed.getvalue()
        piece = Piece(start, start + len(data), sha256(stored).hexdigest(), codec.suffix)
        self.repository.put_sealed(f"{self.folder}/{file}/{piece.name}", stored)
        return piece

    def drop(self, file: str, pieces: Iterable[Piece]) -> None:
        """Delete pieces that others cover."""
        self.repository.delete(f"{self.folder}/{file}/{piece.name}" for piece in pieces)

    def pieces(self, file: str) -> list[Piece]:
        """Return the pieces of a file."""
        names = (key.rpartition("/")[2] for key, _ in self.repository.keys(f"{self.folder}/{file}"))
        return [piece for name in names if (piece := Piece.parse(name))]

    def read(self, file: str) -> bytes:
        """Return a file as far as it is stored, each piece checked.

        Raises:
            ObjectMissingError: nothing of it is there.
            ObjectCorruptError, WrongKeyError: a piece can't be read.
        """
        for _ in range(_LISTINGS):
            chosen = cover(self.pieces(file))
            try:
                data = self._joined(file, chosen)
            except ObjectMissingError:
                time.sleep(0.1)  # pieces were replaced by a longer one since they were listed
                continue
            if data:
                return data
            break
        raise ObjectMissingError(f"{self.folder}/{file}")

    def files(self) -> list[str]:
        """Return the names of the segments and history files of which something is stored, in order."""
        return self.repository.folders(self.folder)

    def histories(self) -> dict[int, list[Switch]]:
        """Return the ancestors of each timeline that has any."""
        names = [name for name in self.files() if HISTORY_NAME.fullmatch(name)]
        return {int(name[:8], 16): parse_history(self.read(name).decode()) for name in names}

    def end_of(self, files: Iterable[str] | None = None) -> tuple[int, int] | None:
        """Return the newest timeline and the position up to which its log is stored; None: nothing is."""
        names = [name for name in (self.files() if files is None else files) if SEGMENT_NAME.fullmatch(name)]
        if not names:
            return None
        newest = max(names)
        timeline, number = parse_segment(newest, self.segment_bytes)
        return timeline, number * self.segment_bytes + _aligned(reach(self.pieces(newest)))

    def path_from(self, timeline: int, end_lsn: str) -> Path:
        """Return the timelines that lead from a backup to the newest instant."""
        return newest_path(timeline, end_lsn, self.histories())

    def segments(self, path: Path, first: int, last: int | None) -> Iterator[Segment]:
        """Yield what recovery needs, in order, from the segment number `first` on, to `last` or to the end.

        Raises:
            WalGapError: a segment is missing or incomplete while there are later ones.
        """
        names = {name for name in self.files() if SEGMENT_NAME.fullmatch(name)}
        numbers = [
            number
            for timeline, number in (parse_segment(name, self.segment_bytes) for name in names)
            if timeline == path.timeline or any(timeline == switch.timeline for switch in path.ancestors)
        ]
        newest = max(numbers, default=-1)
        for number in range(first, min(newest, newest if last is None else last) + 1):
            timelines = path.timelines_of(number * self.segment_bytes, self.segment_bytes)
            expected = [segment_name(timeline, number, self.segment_bytes) for timeline in timelines]
            found = next((name for name in expected if name in names), None)
            if found is None:
                raise WalGapError(expected[0])
            is_complete = reach(self.pieces(found)) >= self.segment_bytes
            if not is_complete and number < newest:
                raise WalGapError(found)
            yield Segment(found, number, is_complete)

    def reaches(self, entry: Entry, lsn: str) -> bool:
        """Tell whether the log leads without a gap from a backup's end to a position."""
        assert entry.timeline is not None, "physical"
        assert entry.end_lsn is not None, "physical"
        position = parse_lsn(lsn)
        last = segment_of(position - 1, self.segment_bytes)
        try:
            path = self.path_from(entry.timeline, entry.end_lsn)
            names = [each.name for each in self.segments(path, first_after(entry), last)]
        except WalGapError:
            return False
        if not names:
            return last < first_after(entry)
        _, number = parse_segment(names[-1], self.segment_bytes)
        return number * self.segment_bytes + _aligned(reach(self.pieces(names[-1]))) >= position

    def first_gap(self, entry: Entry) -> str | None:
        """Return the first segment that is missing between a backup's end and the newest one; None: there is no gap.

        One listing, whatever the log's length: it goes by names, and does not look into the pieces.
        """
        assert entry.timeline is not None, "physical"
        assert entry.end_lsn is not None, "physical"
        names = {name for name in self.files() if SEGMENT_NAME.fullmatch(name)}
        if not names:
            return None
        path = self.path_from(entry.timeline, entry.end_lsn)
        _, newest = parse_segment(max(names), self.segment_bytes)
        for number in range(first_after(entry), newest + 1):
            timelines = path.timelines_of(number * self.segment_bytes, self.segment_bytes)
            expected = [segment_name(timeline, number, self.segment_bytes) for timeline in timelines]
            if not names.intersection(expected):
                return expected[0]
        return None

    def _joined(self, file: str, pieces: list[Piece]) -> bytes:
        data = bytearray()
        for piece in pieces:
            content = io.BytesIO()
            stored = StoredObject(
                key=f"{self.folder}/{file}/{piece.name}",
                sha256=piece.sha256,
                stored_bytes=0,
                size_bytes=piece.end - piece.start,
            )
            self.repository.get_stream(stored, content)
            data[piece.start :] = content.getvalue()
        return bytes(data)
