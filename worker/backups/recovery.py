"""Starts a server on restored files, has it recover to the target, and yields it; only its own account can connect."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import psycopg

from worker.backups.chains import Target
from worker.backups.errors import RecoveryError, TargetNotReachedError
from worker.backups.programs import Programs
from worker.db import Connection
from worker.embedded import tether
from worker.embedded.account import Account
from worker.embedded.process import server_environment

_PORT: Final = 5432
_NOT_REACHED: Final = "recovery ended before configured recovery target was reached"
_TOO_EARLY: Final = "requested recovery stop point is before consistent recovery point"
_SETTINGS: Final = {
    "listen_addresses": "",
    "hot_standby": "off",  # then the primary's max_connections and the like need not be matched
    "recovery_target_action": "promote",
    "recovery_target_timeline": "latest",
    "restore_command": "false",  # the log stands in pg_wal already
    "archive_mode": "off",
    "primary_conninfo": "",
    "synchronous_standby_names": "",  # nobody would answer, and each commit would wait
    "shared_preload_libraries": "",  # may not be installed here
    "session_preload_libraries": "",
    "ssl": "off",
    "max_connections": "20",
    "max_prepared_transactions": "64",
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "autovacuum": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_min_messages": "log",
    "unix_socket_permissions": "0700",
    "wal_level": "replica",
    "jit": "off",
    "lc_messages": "C",
    "cluster_name": "elp-restored",
}


@dataclass(frozen=True)
class RestoredServer:
    """A recovered server that accepts its account, and root, alone."""

    socket_folder: Path
    superuser: str
    database: str
    recovery_ms: int
    """From its start to the first answer."""

    def connect(self, database: str | None = None) -> Connection:
        """Return a connection, each statement its own transaction."""
        return psycopg.connect(
            host=str(self.socket_folder),
            port=_PORT,
            user=self.superuser,
            dbname=database or self.database,
            autocommit=True,
            connect_timeout=5,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Variables for PostgreSQL's programs."""
        return {
            "PGHOST": str(self.socket_folder),
            "PGPORT": str(_PORT),
            "PGUSER": self.superuser,
            "PGDATABASE": self.database,
        }


@contextmanager
def recovered(
    data: Path,
    programs: Programs,
    account: Account | None,
    target: Target,
    *,
    superuser: str,
    database: str,
    durable: bool,
    timeout_s: float = 24 * 3_600.0,
) -> Iterator[RestoredServer]:
    """Recover `data` to the target and yield the server; at the end it is shut down in order.

    Args:
        data: the restored data directory.
        programs: of its version.
        account: who runs the server; None: as this process.
        target: where to stop.
        superuser: a role to connect as.
        database: the database to connect to.
        durable: whether what the server writes is forced to the disk; False for one that is thrown away.
        timeout_s: how long recovery may take.

    Raises:
        TargetNotReachedError: the log ends before the target.
        RecoveryError: the server does not come up.
    """
    folder = Path(mkdtemp(prefix="elp-r-", dir="/tmp"))
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    try:
        log = folder / "log"
        (folder / "hba.conf").write_text("local all all trust\n", encoding="ascii")
        (folder / "empty").touch()
        settings = {
            **_SETTINGS,
            **target.parameters(),
            "hba_file": str(folder / "hba.conf"),
            "ident_file": str(folder / "empty"),
            "unix_socket_directories": str(folder),
            "port": str(_PORT),
            "fsync": "on" if durable else "off",
        }
        signal_file = data / "recovery.signal"
        signal_file.touch(mode=0o600)
        (data / "standby.signal").unlink(missing_ok=True)
        (data / "postmaster.pid").unlink(missing_ok=True)
        if account is not None:
            os.chown(signal_file, account.uid, account.gid)
        who = f"{account.uid}:{account.gid}" if account else "-"
        command = [*tether.command(signal.SIGINT, who), programs.path("postgres"), "-D", str(data)]
        command += ["-c", f"config_file={folder / 'empty'}"]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own
                command,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
            )
        try:
            _wait(process, folder, log, target, superuser, database, started + timeout_s)
            yield RestoredServer(folder, superuser, database, int((time.monotonic() - started) * 1_000))
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    log: Path,
    target: Target,
    superuser: str,
    database: str,
    deadline: float,
) -> None:
    while process.poll() is None:
        try:
            with psycopg.connect(
                host=str(folder), port=_PORT, user=superuser, dbname=database, autocommit=True, connect_timeout=5
            ) as connection:
                row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
                if row is not None and not row[0]:
                    return
        except psycopg.OperationalError as error:
            if "does not exist" in str(error):
                raise RecoveryError(f"the restored server has no such role or database: {error}") from error
        if time.monotonic() >= deadline:
            raise RecoveryError("recovery took longer than it may")
        time.sleep(0.05)
    said = log.read_text(errors="replace")
    if _NOT_REACHED in said or _TOO_EARLY in said:
        last = next((line for line in reversed(said.splitlines()) if "last completed transaction" in line), "")
        early = "The backup itself ends after it." if _TOO_EARLY in said else last
        raise TargetNotReachedError(str(target), early)
    raise RecoveryError(f"the restored server ended with {process.returncode}; it said:\n{said[-2_000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
