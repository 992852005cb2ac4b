"""What an object's bytes pass through on their way: counted, hashed, handed from thread to thread."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, Final, Protocol

CHUNK: Final = 1 << 20
"""Bytes that go through at a time: memory stays flat whatever an object's size."""
_ENDING_S: Final = 5.0
"""How long a thread whose reader has left may take to its next piece, in seconds."""
_CHUNKS_AHEAD: Final = 8
"""So many may wait between two threads."""


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes."""


class Counted:
    """Counts what is read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        data = self._source.read(size)
        self.bytes += len(data)
        return data


class Hashed:
    """Takes the checksum of what goes by, in either direction."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Pass bytes on."""
        self.digest.update(data)
        self.bytes += len(data)
        self._inner.write(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        data: bytes = self._inner.read(size)
        self.digest.update(data)
        self.bytes += len(data)
        return data


class Chunks:
    """Reads from an iterator of pieces."""

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._pieces = iter(pieces)
        self._left = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; none when there are no more pieces."""
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        if size < 0:
            size = len(self._left)
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)


class Watched:
    """Remembers the error of what it wraps, for a library between us and it that makes another one of it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        with self._watching():
            data: bytes = self._inner.read(size)
        return data

    def write(self, data: bytes) -> int:
        """Pass bytes on."""
        with self._watching():
            self._inner.write(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: the owner of what is wrapped does."""

    @contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.error = error
            raise


class _GoneError(Exception):
    """Nobody reads any more."""


class _Handed:
    """Hands bytes to another thread, in pieces of about a chunk; none of them is the end."""

    def __init__(self, gone: Event) -> None:
        self.pieces: Queue[bytes] = Queue(_CHUNKS_AHEAD)
        self._gone = gone
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, data: bytes) -> int:
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= CHUNK:
            self.hand_over()
        return len(data)

    def hand_over(self) -> None:
        if self._gone.is_set():
            raise _GoneError
        if self._held:
            self.pieces.put(b"".join(self._held))
            self._held.clear()
            self._held_bytes = 0


@contextmanager
def written_by(work: Callable[[Sink], object]) -> Iterator[Iterator[bytes]]:
    """Run `work` in a thread of its own and yield the pieces of what it writes.

    The work's error is raised where its last piece would have come. When the block is left early, the work ends with
    its next piece.
    """
    gone = Event()
    handed = _Handed(gone)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work(handed)
            handed.hand_over()
        except _GoneError:
            return
        except BaseException as error:  # noqa: BLE001 - raised again by who reads
            errors.append(error)
        handed.pieces.put(b"")

    def pieces() -> Iterator[bytes]:
        while piece := handed.pieces.get():
            yield piece
        if errors:
            raise errors[0]

    thread = Thread(target=run, name="written-by", daemon=True)
    thread.start()
    try:
        yield pieces()
    finally:
        gone.set()
        # Not for ever: a source that is silent is ended by its owner, after this.
        until = time.monotonic() + _ENDING_S
        while thread.is_alive() and time.monotonic() < until:
            with suppress(Empty):
                handed.pieces.get(timeout=0.05)
