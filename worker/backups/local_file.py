"""Objects of a local repository, whole and on the disk or not there at all."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

_SYNC_BYTES: Final = 32 << 20


class LocalFile:
    """Writes an object under another name first, which `obstore` leaves out of its lists.

    What is written goes to the disk meanwhile: nobody waits at the end for gigabytes that the system held back.

    Raises:
        OSError: the disk refuses, here and in each method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._part = path.with_name(f"{path.name}#{os.getpid()}")
        self._file = self._part.open("wb", buffering=0)  # else `abandon` would write once more
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._sync: Future[None] | None = None
        self._unsynced = 0

    def write(self, data: bytes) -> None:
        """Take the bytes."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._unsynced += len(data)
        if self._unsynced >= _SYNC_BYTES and (self._sync is None or self._sync.done()):
            self._raise_sync_error()
            self._sync = self._syncing.submit(os.fdatasync, self._file.fileno())
            self._unsynced = 0

    def close(self) -> None:
        """Have it under its name, on the disk."""
        self._raise_sync_error()
        os.fsync(self._file.fileno())
        self._syncing.shutdown()
        self._file.close()
        self._part.rename(self._path)
        sync(self._path.parent)

    def abandon(self) -> None:
        """Leave nothing of it; after `close` do nothing."""
        self._syncing.shutdown()
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _raise_sync_error(self) -> None:
        if self._sync is not None:
            self._sync.result()


def sync(path: Path) -> None:
    """Have a file or a folder's names on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
