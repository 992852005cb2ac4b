"""Barman (GPL, of the group `bench`) on the same server: `barman backup` over pg_basebackup, `barman recover`.

As its documentation sets it up: backup_method = postgres, the log streamed by pg_receivewal into its own slot. It runs
as the same account and with the same programs of PostgreSQL as ours.
"""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg

from worker.backups.chains import LATEST
from worker.backups.programs import Programs, connection_of
from worker.backups.recovery import recovered
from worker.embedded.account import Account, server_account

_SERVER = "elp"
_CONFIGURATION = """\
[barman]
barman_user = {user}
barman_home = {home}
barman_lock_directory = {home}
configuration_files_directory = {home}/conf.d
log_file = {home}/barman.log
log_level = INFO

[{server}]
description = benchmark
conninfo = {conninfo}
streaming_conninfo = {conninfo}
backup_method = postgres
streaming_archiver = on
slot_name = barman
path_prefix = {programs}
"""


def missing() -> str | None:
    """Return why Barman can't be measured here; None: it can."""
    try:
        version("barman")
    except PackageNotFoundError:
        return "Barman is not installed (`pip install --group bench`, which needs libpq-dev and a C compiler)"
    return None if shutil.which("rsync") else "Barman cannot restore here: rsync is not installed"


@dataclass(frozen=True)
class Barman:
    """A Barman that knows one server."""

    home: Path
    programs: Programs
    account: Account | None

    def run(self, *arguments: str) -> str:
        """Run a command of Barman to its end.

        Raises:
            RuntimeError: it failed.
        """
        process = self.start(*arguments)
        said, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"barman {' '.join(arguments)} ended with {process.returncode}:\n{said}")
        return said

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command of Barman."""
        return subprocess.Popen(
            [sys.executable, "-m", "barman.cli", "-c", str(self.home / "barman.conf"), *arguments],
            env={"PATH": f"{self.programs.folder}:{os.environ['PATH']}", "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
        )

    def backup(self) -> float:
        """Make a full backup and return the seconds until it is on the disk with the log that it needs."""
        began = time.perf_counter()
        self.run("backup", _SERVER, "--wait")
        subprocess.run(["sync", "-f", str(self.home)], check=True)
        return time.perf_counter() - began

    def restore(self, directory: Path, *, superuser: str, database: str) -> float:
        """Restore the newest backup and return the seconds until a server on it answers."""
        began = time.perf_counter()
        self.run("recover", _SERVER, "latest", str(directory))
        if self.account is not None:  # ours unpacks as the servers' account
            for path in (directory, *directory.rglob("*")):
                os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        with recovered(
            directory, self.programs, self.account, LATEST, superuser=superuser, database=database, durable=True
        ):
            return time.perf_counter() - began

    def forget(self) -> None:
        """Delete its backups."""
        self.run("delete", _SERVER, "latest")


@contextmanager
def barman(folder: Path, url: str, programs: Programs) -> Iterator[Barman]:
    """Set Barman up for a server, have it receive the log, and yield it.

    Args:
        folder: for its files, new.
        url: of the server.
        programs: of the server's version.

    Raises:
        RuntimeError: it does not work with this server.
    """
    folder.mkdir(mode=0o700)
    conninfo, secret = connection_of(url, "barman")
    if "PGPASSWORD" in secret:
        conninfo += f" password={secret['PGPASSWORD']}"
    (folder / "barman.conf").write_text(
        _CONFIGURATION.format(
            user=pwd.getpwuid(os.geteuid()).pw_name,
            home=folder,
            server=_SERVER,
            conninfo=conninfo,
            programs=programs.folder,
        ),
        encoding="utf-8",
    )
    there = Barman(folder, programs, server_account())
    there.run("receive-wal", "--create-slot", _SERVER)
    receiver = there.start("receive-wal", _SERVER)
    try:
        _until_receiving(url)
        there.run("switch-wal", "--force", "--archive", "--archive-timeout", "60", _SERVER)
        yield there
    finally:
        receiver.terminate()
        receiver.communicate()
        with psycopg.connect(url, autocommit=True) as connection:
            _drop_slot(connection)


def _until_receiving(url: str) -> None:
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            row = connection.execute("SELECT active FROM pg_replication_slots WHERE slot_name = 'barman'").fetchone()
            if row is not None and row[0]:
                return
            if time.monotonic() > deadline:
                raise RuntimeError("barman receive-wal does not receive")
            time.sleep(0.1)


def _drop_slot(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    for _ in range(50):
        try:
            connection.execute("SELECT pg_drop_replication_slot('barman')")
        except psycopg.errors.ObjectInUse:
            time.sleep(0.1)
        else:
            return
