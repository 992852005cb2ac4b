"""What both embedded servers share: a folder that can have one server at a time, and its life from start to stop."""

import logging
import os
import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from worker.embedded.account import Account, make_reachable, server_account
from worker.embedded.ports import free_port
from worker.embedded.process import ProcessMark, ServerError, ServerRecord, lock_within, spawn, try_lock, write_private
from worker.errors import ConfigurationError

_log = logging.getLogger(__name__)

_PORT_ATTEMPTS: Final = 10
_START_SECONDS: Final = 60.0
_LOCK_SECONDS: Final = 10.0
"""A killed postmaster's backends hold the lock for some moments longer."""
_LOG_BYTES: Final = 10 * 1_024 * 1_024
_ANSWER_SECONDS: Final = 30.0


class EmbeddedServer(ABC):
    """A server on 127.0.0.1 whose data, password and log live in one folder.

    Whoever holds the folder's lock owns the folder; the server process itself inherits the lock. So "is one running
    here" is answered by the kernel, whatever became of process ids, state files and the process that started it.

    Args:
        home: the folder; created when missing.
        port: 0 picks a free port at the first start and keeps it for restarts.
        tethered: the server ends when the process that started it does, even by kill -9.
    """

    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, home: Path, *, port: int = 0, tethered: bool = False) -> None:
        self.home = home.absolute()
        self.port = port
        self.tethered = tethered
        self.log_path = self.home / "server.log"
        self._record_path = self.home / "server.json"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address with user and password, as clients of this project read it."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server accepts a client with this folder's password."""

    @abstractmethod
    def _prepare(self, account: Account | None) -> None:
        """Make everything that the first start needs; does nothing when it is there. Called with the lock held."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]:
        """Return the program and its arguments."""

    def _finish_start(self) -> None:  # noqa: B027 - not every server has something to do here
        """Do what needs the running server."""

    @property
    def password(self) -> str:
        """The random password, made at first use and kept in a file that only its owner can read."""
        path = self.home / "password"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            write_private(path, secrets.token_hex(24))
        return path.read_text(encoding="ascii")

    def record(self) -> ServerRecord | None:
        """Return what the folder tells about its server, while that runs."""
        record = ServerRecord.read(self._record_path)
        return record if record and record.process.is_alive() else None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        mark = self._mark()
        return mark.pid if mark else None

    def is_running(self) -> bool:
        """Tell whether this folder's server process is there (it may still be starting)."""
        return self._mark() is not None

    def start(self) -> None:
        """Start the server, or take over the one that a crashed owner left running here, and wait until it answers.

        Raises:
            ServerError: it does not start, or the folder is in use by a process that is not recognised.
            ConfigurationError: the account for servers can't be had or can't reach the folder, or the folder is
                somebody else's.
        """
        account = self._take_home()
        lock = try_lock(self.home / "lock")
        if lock is None:
            if self.take_over():
                return
            lock = lock_within(self.home / "lock", _LOCK_SECONDS)
        if lock is None:
            raise ServerError(f"{self.home} is in use by a process that is not this folder's {self.title}")
        try:
            self._prepare(account)
            self._start_on_a_port(account, lock)
        finally:
            os.close(lock)  # the server has its own copy
        self._finish_start()

    def take_over(self) -> bool:
        """Make a server that already runs in this folder this object's; False if there is none that answers.

        One that is recognised by its record but does not answer within 30 seconds is killed.
        """
        record = self.record()
        if record is None:
            return False
        self.port = record.port
        deadline = time.monotonic() + _ANSWER_SECONDS
        while record.process.is_alive():
            if self.answers():
                return True
            if time.monotonic() >= deadline:
                _log.warning("%s (process %d) does not answer: killed", self.title, record.process.pid)
                record.process.kill_with_children()
            time.sleep(0.05)
        return False

    def stop(self, timeout_s: float = 30.0) -> None:
        """Shut the server down in order; kill it if it takes longer than `timeout_s`. Nothing if it does not run."""
        if mark := self._mark():
            mark.send(self.stop_signal)
            if not self._gone(mark, timeout_s):
                _log.warning("%s did not stop within %.0f s: killed", self.title, timeout_s)
                mark.kill_with_children()
        self._forget()

    def kill(self) -> None:
        """End the server and its children with SIGKILL, as a crash would. Nothing if it does not run."""
        if mark := self._mark():
            mark.kill_with_children()
        self._forget()

    def restart(self) -> None:
        """Stop and start again on the same port, with the same data and password."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log_tail(self, since: int = 0) -> str:
        """Return the last 2,000 bytes of the log, none before position `since`."""
        with suppress(FileNotFoundError), self.log_path.open("rb") as log:
            log.seek(max(since, self.log_path.stat().st_size - 2_000))
            return log.read().decode(errors="replace")
        return ""

    def _take_home(self) -> Account | None:
        """Make the folder, hand it to the account that the server will run as, and return that account."""
        account = server_account()
        self.home.mkdir(parents=True, exist_ok=True)
        owner, ours = self.home.stat().st_uid, os.geteuid() if account is None else account.uid
        if owner not in {ours, os.geteuid()}:
            raise ConfigurationError(f"{self.home} belongs to user {owner}: run as that user, or remove the folder")
        if account is not None:
            os.chown(self.home, account.uid, account.gid)
        self.home.chmod(0o700)
        make_reachable(self.home, account)
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return account

    def _start_on_a_port(self, account: Account | None, lock: int) -> None:
        for _ in range(_PORT_ATTEMPTS):
            port = self.port or free_port()
            log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
            self._child = spawn(
                self._command(port),
                account=account,
                folder=self.home,
                log=self.log_path,
                lock=lock,
                tether=self.stop_signal if self.tethered else None,
            )
            mark = ProcessMark.of(self._child.pid)
            if mark is not None:
                ServerRecord(mark, port).write(self._record_path)
            if self._becomes_ready(port, self._child):
                return
            said = self.log_tail(log_start)
            if self.port or "already in use" not in said:
                raise ServerError(f"{self.title} did not start; {self.log_path} ends with:\n{said}")
        raise ServerError(f"{self.title} found no free port in {_PORT_ATTEMPTS} attempts")

    def _becomes_ready(self, port: int, child: "subprocess.Popen[bytes]") -> bool:
        wanted, self.port = self.port, port
        deadline = time.monotonic() + _START_SECONDS
        while child.poll() is None:
            if self.answers() and child.poll() is None:
                return True
            if time.monotonic() >= deadline:
                self.kill()
                self.port = wanted
                raise ServerError(f"{self.title} did not answer within {_START_SECONDS:.0f} s; see {self.log_path}")
            time.sleep(0.02)
        self.port = wanted
        return False

    def _mark(self) -> ProcessMark | None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        record = self.record()
        return record.process if record else None

    def _gone(self, mark: ProcessMark, timeout_s: float) -> bool:
        if self._child is not None and self._child.pid == mark.pid:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout_s)
                return True
            return False
        return mark.wait(timeout_s)

    def _forget(self) -> None:
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(5.0)
            self._child = None
        self._record_path.unlink(missing_ok=True)
