"""A database with a repository of its own, and what tests do to both."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.processes import wait_until
from tests.support.servers import POSTGRES_SETTINGS, postgres_binaries
from worker.backups.catalogue import Catalogue
from worker.backups.codec import new_key
from worker.backups.entry import Entry
from worker.backups.repository import Repository
from worker.backups.server import mark_log
from worker.backups.wal_archive import WalArchive
from worker.backups.wal_process import WalStream
from worker.db.schema import migrate
from worker.embedded.postgres import PostgresServer
from worker.settings import Settings

PATIENCE_S = 90


class World:
    """One server, one repository and the settings that name both."""

    def __init__(self, folder: Path, *, migrated: bool = True, **parameters: str) -> None:
        self.folder = folder
        self.repository_folder = folder / "repository"
        self.key, self.public_key = new_key()
        self._parameters = {**POSTGRES_SETTINGS, "shared_buffers": "32MB", **parameters}
        self.server = PostgresServer(
            folder / "postgres", binaries=postgres_binaries(), settings=self._parameters, tethered=True
        )
        self.server.start()
        if migrated:
            migrate(self.server.url)

    def settings(self, **values: object) -> Settings:
        return Settings(
            **{
                "database_url": self.server.url,
                "data_dir": self.folder / "data",
                "backup_repository": str(self.repository_folder),
                "backup_key": self.key,
                "backup_postgres_bin": postgres_binaries(),
                "backup_scratch_dir": self.folder / "scratch",
                **values,
            }
        )

    @property
    def major(self) -> int:
        return int((self.server.data / "PG_VERSION").read_text())

    def repository(self, **values: object) -> Repository:
        return Repository.from_settings(self.settings(**values))

    def catalogue(self, **values: object) -> Catalogue:
        return Catalogue(self.repository(**values))

    def entries(self, **values: object) -> list[Entry]:
        return self.catalogue(**values).entries()

    def run(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def copy_repository(self, name: str) -> Path:
        """Return a copy of the repository, to be damaged."""
        copy = self.folder / name
        shutil.copytree(self.repository_folder, copy)
        return copy

    def archive(self, **values: object) -> WalArchive:
        (row,) = self.run("SELECT system_identifier::text FROM pg_control_system()")
        return WalArchive(self.repository(**values), row[0], 16 << 20)

    def archived(self, lsn: str, **values: object) -> bool:
        """Tell whether the repository has the log up to a position."""
        end = self.archive(**values).end_of()
        high, low = lsn.split("/")
        return end is not None and end[1] >= (int(high, 16) << 32) + int(low, 16)

    def wait_archived(self, **values: object) -> None:
        """Wait until the repository has all that is in the log now."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            lsn = mark_log(connection)
        wait_until(lambda: self.archived(lsn, **values), PATIENCE_S, f"log up to {lsn} in the repository")

    @contextmanager
    def streaming(self, **values: object) -> Iterator[WalStream]:
        """Stream the log meanwhile, in a thread."""
        stopped = threading.Event()
        streams: list[WalStream] = []
        errors: list[BaseException] = []

        def stream() -> None:
            try:
                streams.append(WalStream(self.settings(**values)))
                while not stopped.wait(0.05):
                    streams[0].step()
                streams[0].close()
            except BaseException as error:  # noqa: BLE001 - shown by the test
                errors.append(error)

        thread = threading.Thread(target=stream)
        thread.start()
        try:
            wait_until(lambda: streams or errors, PATIENCE_S, "the stream")
            if streams:
                yield streams[0]
        finally:
            stopped.set()
            thread.join(PATIENCE_S)
        assert errors == []

    def close(self) -> None:
        self.server.stop(timeout_s=20)


def damage(path: Path, where: float = 0.5) -> None:
    """Change a byte of a file."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 0xFF
    path.write_bytes(bytes(content))


def eventually(condition: Callable[[], object]) -> None:
    wait_until(condition, PATIENCE_S)


def is_root() -> bool:
    return os.geteuid() == 0
