"""Brings a backup's files back: unpacked, combined and with the write-ahead log that leads to the target."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from worker.backups.chains import Target, candidates
from worker.backups.entry import Entry
from worker.backups.errors import BackupError, NoBackupError, NoRoomError, ToolError
from worker.backups.lsn import parse_lsn, segment_of
from worker.backups.programs import Programs, widen
from worker.backups.repository import Repository, StoredObject
from worker.backups.wal_archive import WalArchive
from worker.backups.wal_archive import first_after as first_after_backup
from worker.embedded.account import Account, make_reachable
from worker.logging import get_logger

_log = get_logger(__name__)

_LINKS_SINCE: Final = 18
"""PostgreSQL's version whose pg_combinebackup can link files instead of copying them."""
_TAR_BLOCKS: Final = "512"
"""Of 512 bytes: how much tar reads at a time."""
_SPARE: Final = 64 << 20
"""Room beyond the files: pg_wal of the server that recovers."""

Progress = Callable[[str, int, int], object]
"""Called with a step in words, what of it is done, and all of it."""


def no_progress(step: str, done: int, total: int) -> None:
    """Say nothing."""
    del step, done, total


@dataclass(frozen=True)
class Restorer:
    """Restores from one repository.

    Args:
        repository: where the backups are.
        programs: of the version that made them.
        account: whom the files will belong to; None: who runs this.
        progress: hears how far it is.
    """

    repository: Repository
    programs: Programs
    account: Account | None
    progress: Progress = no_progress

    def restore(self, chain: list[Entry], target: Target, directory: Path, later: Entry | None) -> int:
        """Put a data directory into `directory`, ready to recover to `target`; return the segments that were fetched.

        Args:
            chain: the full backup first.
            target: where recovery will end.
            directory: must not exist or be empty.
            later: a backup that began after the target: no log beyond its end is needed. None: all there is.

        Raises:
            BackupError: the directory is in use, there is no room, or an object is missing, damaged or not to be read.
        """
        self._prepare(directory, chain)
        if len(chain) == 1:
            self._unpack(chain[0], directory)
        else:
            self._combine(chain, directory)
        return self._fetch_log(chain[-1], target, directory, later)

    def _prepare(self, directory: Path, chain: list[Entry]) -> None:
        if directory.exists() and any(directory.iterdir()):
            raise BackupError(f"{directory} is not empty: a restore begins in a new folder")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        needed = sum(link.size_bytes for link in chain) + _SPARE
        if len(chain) > 1 and self.programs.major < _LINKS_SINCE:
            needed += chain[0].size_bytes
        check_room(directory, needed)
        self._own(directory)
        make_reachable(directory, self.account)

    def _own(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _unpack(self, entry: Entry, directory: Path) -> None:
        stored = entry.objects["base"]
        with self._tar(directory) as tar:
            self._stream(stored, tar, entry.label)

    def _stream(self, stored: StoredObject, tar: "subprocess.Popen[bytes]", label: str) -> None:
        assert tar.stdin is not None, "piped"
        sink = _Counting(tar.stdin, lambda done: self.progress(f"unpack {label}", done, stored.size_bytes))
        self.repository.get_stream(stored, sink)

    @contextmanager
    def _tar(self, directory: Path) -> "Iterator[subprocess.Popen[bytes]]":
        """Run tar, which unpacks what is written to it."""
        tar = subprocess.Popen(  # noqa: S603 - a fixed command
            ["tar", "-x", "-b", _TAR_BLOCKS, "-f", "-", "-C", str(directory), "--no-same-owner", "--same-permissions"],  # noqa: S607
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        assert tar.stdin is not None, "piped"
        assert tar.stderr is not None, "piped"
        widen(tar.stdin)
        try:
            yield tar
            tar.stdin.close()
            said = tar.stderr.read().decode(errors="replace")
            if tar.wait() != 0:
                raise ToolError("tar", tar.returncode, said)
        except BrokenPipeError:
            raise ToolError("tar", tar.wait(), tar.stderr.read().decode(errors="replace")) from None
        finally:
            if tar.poll() is None:
                tar.kill()
                tar.wait()

    def _combine(self, chain: list[Entry], directory: Path) -> None:
        """Unpack each link beside the others, and have pg_combinebackup make one of them."""
        staging = directory / ".elp-chain"
        staging.mkdir(mode=0o700)
        self._own(staging)
        parts = []
        for number, entry in enumerate(chain):
            part = staging / str(number)
            part.mkdir(mode=0o700)
            self._own(part)
            self._unpack(entry, part)
            parts.append(str(part))
        self.progress("combine the chain", 0, len(chain))
        combined = staging / "combined"
        how = ["--link"] if self.programs.major >= _LINKS_SINCE else []
        self.programs.run("pg_combinebackup", *how, "-o", str(combined), *parts, account=self.account)
        self.progress("combine the chain", len(chain), len(chain))
        for path in combined.iterdir():
            path.rename(directory / path.name)
        shutil.rmtree(staging)

    def _fetch_log(self, entry: Entry, target: Target, directory: Path, later: Entry | None) -> int:
        assert entry.timeline is not None, "physical"
        assert entry.end_lsn is not None, "physical"
        archive = WalArchive(self.repository, entry.system_identifier, entry.segment_bytes)
        wal = directory / "pg_wal"
        path = archive.path_from(entry.timeline, entry.end_lsn)
        last = None
        if target.is_backup_end:
            return 0
        if later is not None and later.timeline == path.timeline and later.end_lsn is not None:
            last = segment_of(parse_lsn(later.end_lsn), entry.segment_bytes)
        for timeline in [*(switch.timeline for switch in path.ancestors), path.timeline]:
            if timeline > 1:
                self._write(wal / f"{timeline:08X}.history", archive.read(f"{timeline:08X}.history"))
        fetched = 0
        for segment in archive.segments(path, first_after_backup(entry), last):
            check_room(directory, entry.segment_bytes + _SPARE)
            self._write(wal / segment.name, archive.read(segment.name).ljust(entry.segment_bytes, b"\0"))
            fetched += 1
            self.progress("fetch write-ahead log", fetched, 0)
        return fetched

    def _write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        path.chmod(0o600)
        self._own(path)


class _Counting:
    def __init__(self, sink: IO[bytes], heard: Callable[[int], object]) -> None:
        self._sink = sink
        self._heard = heard
        self._done = 0

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self._done += len(data)
        self._heard(self._done)
        return len(data)


def chains_for(entries: list[Entry], target: Target, label: str | None) -> list[list[Entry]]:
    """Return the chains to try, the best first; of a label, that one's alone.

    Raises:
        NoBackupError: there is none.
    """
    named = next((entry for entry in entries if entry.label == label), None)
    if named is None:
        found = candidates(entries, target)
    else:  # also one of a cluster that was upgraded since
        same = [entry for entry in entries if entry.system_identifier == named.system_identifier]
        found = [chain for chain in candidates(same, target) if chain[-1].label == label]
    if not found:
        which = f"the backup {label} is not one from which" if label else "there is no sound backup from which"
        raise NoBackupError(f"{which} {target} could be restored: `elp backups list` shows what there is")
    return found


def first_after(entries: list[Entry], entry: Entry, instant: datetime | None) -> Entry | None:
    """Return the first backup that began after an instant, which is after the end of `entry`."""
    if instant is None:
        return None
    later = [
        other
        for other in entries
        if other.is_physical
        and other.system_identifier == entry.system_identifier
        and other.started_at > instant
        and other.timeline == entry.timeline
    ]
    return min(later, key=lambda other: other.started_at, default=None)


def check_room(folder: Path, needed: int) -> None:
    """Refuse to begin what cannot end.

    Raises:
        NoRoomError: the file system has less than `needed` bytes free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoomError(folder, needed, free)
