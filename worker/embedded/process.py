"""Processes of embedded servers: started in a session of their own, recognised again later, never mistaken."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from worker.embedded.account import Account
from worker.embedded.tether import command as tether_command
from worker.errors import ElpError


class ServerError(ElpError):
    """An embedded server could not be started, stopped or taken over; the message says where its log is."""


@dataclass(frozen=True)
class ProcessMark:
    """What tells one process from every other one that has had or will have its id."""

    pid: int
    started_ticks: int
    """Clock ticks from the machine's start to the process's: unlike a time of day it is never adjusted."""
    boot_id: str
    """Tells this run of the machine from the others."""

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the mark of the process `pid`, or None if there is none (or only its zombie)."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        if fields[0] in {"Z", "X"}:
            return None
        return cls(pid=pid, started_ticks=int(fields[19]), boot_id=boot_id)

    def is_alive(self) -> bool:
        """Tell whether this very process still runs."""
        return ProcessMark.of(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process; nothing if it is gone."""
        if self.is_alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, timeout_s: float) -> bool:
        """Wait until the process is gone; False if it still runs after `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while self.is_alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def kill_with_children(self, timeout_s: float = 10.0) -> None:
        """Kill this process (SIGKILL) and all its descendants, in or out of its process group."""
        if not self.is_alive():
            return
        try:
            family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        marks = [mark for member in family if (mark := ProcessMark.of(member.pid))]
        for mark in marks:
            mark.send(signal.SIGKILL)
        for mark in marks:
            mark.wait(timeout_s)


@dataclass(frozen=True)
class ServerRecord:
    """What a running server's folder tells about it, in `server.json`."""

    process: ProcessMark
    port: int

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the record in `path`, or None if there is none or it was cut off by a crash."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(process=ProcessMark(**found["process"]), port=int(found["port"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the record to `path`, all or nothing."""
        write_private(path, json.dumps(asdict(self)))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all or nothing."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def try_lock(path: Path) -> int | None:
    """Return a file descriptor that holds the lock `path`, or None if somebody else holds it.

    The lock belongs to the open file, which child processes inherit: it is free only after the last of them has gone.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def lock_within(path: Path, timeout_s: float) -> int | None:
    """Return `try_lock`'s descriptor as soon as it can be had; None if not within `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.02)
    return descriptor


def server_environment() -> Mapping[str, str]:
    """Return the environment for server programs: nothing of ours, above all no secrets and no PG… variables."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def spawn(
    command: Sequence[str],
    *,
    account: Account | None,
    folder: Path,
    log: Path,
    lock: int,
    tether: signal.Signals | None,
) -> "subprocess.Popen[bytes]":
    """Start a server in a session of its own, so that the terminal's Ctrl-C reaches its owner and not the server.

    Args:
        command: program (absolute path) and arguments.
        account: who to run as; None: as the caller.
        folder: the working folder.
        log: the file that its output is added to.
        lock: descriptor of the folder's lock, which the server inherits and so holds as long as it lives.
        tether: the signal that the server gets when this process dies, however it dies; None: it lives on.
    """
    if tether is not None:
        who = "-" if account is None else f"{account.uid}:{account.gid}"
        command = [*tether_command(tether, who), *command]
        account = None  # the script changes it
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - programs of our own wheels
            command,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            cwd=folder,
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[lock],
        )
