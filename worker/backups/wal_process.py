"""`python -m worker.backups.wal_process`: streams the write-ahead log into the repository until it is told to stop.

pg_receivewal writes into a spool, the shipper carries from there into the repository, several times a second. While the
store is away the spool grows; while the database is away, what the spool has is shipped all the same: that is what is
left of a primary that is lost.
"""

import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from worker import logging
from worker.backups.errors import BackupError, StoreError
from worker.backups.programs import programs_for
from worker.backups.repository import Repository
from worker.backups.server import ServerFacts, connect, read_facts
from worker.backups.wal_archive import WalArchive
from worker.backups.wal_receiver import Receiver
from worker.backups.wal_spool import Shipper
from worker.errors import ConfigurationError
from worker.logging import get_logger
from worker.settings import Settings, get_settings

_log = get_logger(__name__)

TICK_S: Final = 0.2
"""Rest between two looks into the spool: a commit waits for it, then for its upload, and both are within a second."""
_STORE_REST_S: Final = 2.0
_DATABASE_REST_S: Final = 1.0


def spool_root(settings: Settings) -> Path:
    """Return the folder of the spools, one a cluster."""
    return (settings.backup_spool_dir or settings.data_dir / "wal-spool").absolute()


@dataclass
class _Stream:
    """The cluster that is being received."""

    receiver: Receiver
    spool: Path
    system_identifier: str
    archive: WalArchive


class WalStream:
    """Receives and ships, one step after the other.

    Args:
        settings: name the database, the repository, the spool and the slot.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.required_database_url()
        self._repository = Repository.from_settings(settings)
        self._root = spool_root(settings)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shippers: dict[str, Shipper] = {}
        self._stream: _Stream | None = None
        self._look_at = 0.0
        self._store_at = 0.0
        self._store_is_down = False
        self._database_is_down = False

    def step(self) -> None:
        """See that the log is received, and ship what has come."""
        now = time.monotonic()
        if self._stream is None:
            if now >= self._look_at:
                self._connect(now)
        elif not self._stream.receiver.keep_running() and now >= self._look_at:
            self._look_at = now + _DATABASE_REST_S
            self._examine(self._stream)
        if now >= self._store_at:
            self._ship(now)

    def close(self) -> None:
        """Stop receiving, and ship what there is."""
        if self._stream is not None:
            self._stream.receiver.stop()
        self._ship(time.monotonic())

    def _connect(self, now: float) -> None:
        self._look_at = now + _DATABASE_REST_S
        try:
            with connect(self._url, self._settings.backup_slot) as connection:
                facts = read_facts(connection)
                _ensure_slot(connection, self._settings.backup_slot)
        except psycopg.Error as error:
            self._note_database(error)
            return
        self._database_is_down = False
        spool = self._root / facts.system_identifier
        spool.mkdir(mode=0o700, exist_ok=True)
        archive = WalArchive(self._repository, facts.system_identifier, facts.segment_bytes)
        if not any(spool.iterdir()) and not self._seed(archive, spool):
            return
        self._stream = _Stream(self._receiver(facts, spool), spool, facts.system_identifier, archive)
        _log.info("wal_streams", system_identifier=facts.system_identifier, repository=self._repository.location)

    def _receiver(self, facts: ServerFacts, spool: Path) -> Receiver:
        programs = programs_for(facts.major, self._settings)
        return Receiver(
            self._url,
            programs,
            spool,
            self._settings.backup_slot,
            synchronous=self._settings.backup_synchronous,
        )

    def _seed(self, archive: WalArchive, spool: Path) -> bool:
        """Put the newest complete segment into an empty spool, so that pg_receivewal goes on right behind it.

        The slot may be ahead of the repository: of what a lost spool had, the server may still have it all.
        """
        try:
            end = archive.end_of()
            files = [name for name in archive.files() if len(name) == 24]  # noqa: PLR2004 - a segment's
            if end is None:
                return True
            for name in reversed(files):
                data = archive.read(name)
                if len(data) == archive.segment_bytes:
                    part = spool / f"{name}.part"
                    part.write_bytes(data)
                    part.rename(spool / name)
                    _log.info("wal_spool_seeded", segment=name)
                    break
        except StoreError as error:
            self._note_store(error)
            return False
        return True

    def _examine(self, stream: _Stream) -> None:
        """Look why nothing is received: another cluster, a lost slot, or just a server that is away."""
        try:
            with connect(self._url, self._settings.backup_slot) as connection:
                facts = read_facts(connection)
                if facts.system_identifier != stream.system_identifier:
                    _log.warning("wal_of_another_cluster", system_identifier=facts.system_identifier)
                    self._stream = None
                    return
                if stream.receiver.is_lost and self._ship(time.monotonic()):
                    _log.error(
                        "wal_lost",
                        slot=self._settings.backup_slot,
                        remedy="there is a gap in the log: take a full backup (backups.check starts one)",
                    )
                    for path in stream.spool.iterdir():
                        path.unlink()
                    self._shippers.pop(stream.system_identifier, None)
                    _drop_slot(connection, self._settings.backup_slot)
                    stream.receiver.is_lost = False
                _ensure_slot(connection, self._settings.backup_slot)
                self._database_is_down = False
        except psycopg.Error as error:
            self._note_database(error)

    def _ship(self, now: float) -> bool:
        """Ship all spools, also those of clusters that are gone; return whether the store took everything."""
        try:
            for spool in sorted(self._root.iterdir()):
                if not spool.is_dir():
                    continue
                shipper = self._shippers.get(spool.name)
                if shipper is None:
                    sizes = [path.stat().st_size for path in spool.iterdir()]
                    archive = WalArchive(self._repository, spool.name, max(sizes, default=16 << 20))
                    shipper = self._shippers[spool.name] = Shipper(spool, archive)
                shipper.ship()
        except StoreError as error:
            self._store_at = now + _STORE_REST_S
            self._note_store(error)
            return False
        if self._store_is_down:
            _log.info("wal_store_is_back")
        self._store_is_down = False
        return True

    def _note_database(self, error: psycopg.Error) -> None:
        if not self._database_is_down:
            _log.warning("wal_without_database", reason=str(error).strip())
        self._database_is_down = True

    def _note_store(self, error: StoreError) -> None:
        if not self._store_is_down:
            _log.error("wal_not_shipped", reason=str(error))
        self._store_is_down = True


def _ensure_slot(connection: psycopg.Connection, slot: str) -> None:
    connection.execute(
        "SELECT pg_create_physical_replication_slot(%(slot)s, true) WHERE NOT EXISTS"
        " (SELECT FROM pg_replication_slots WHERE slot_name = %(slot)s)",
        {"slot": slot},
    )


def _drop_slot(connection: psycopg.Connection, slot: str) -> None:
    connection.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active",
        [slot],
    )


def main() -> None:
    """Stream until SIGTERM or Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        settings = get_settings()
        logging.configure("wal", settings)
        if settings.backup_repository is None:
            _log.warning("no_backups", remedy="set ELP_BACKUP_REPOSITORY; nothing is streamed")
            stopped.wait()
            return
        stream = WalStream(settings)
    except ConfigurationError as error:
        sys.exit(f"worker.backups.wal_process can't start: {error}")
    try:
        while not stopped.wait(TICK_S):
            stream.step()
    except BackupError as error:
        sys.exit(f"worker.backups.wal_process ends: {error}")
    finally:
        stream.close()


if __name__ == "__main__":
    main()
