"""Runs pg_receivewal: it holds the replication slot and writes the stream into the spool."""

import subprocess
import time
from pathlib import Path
from typing import Final

from worker.backups.programs import Programs, client_environment, connection_of
from worker.logging import get_logger

_log = get_logger(__name__)

_REST_S: Final = 1.0
_LOST: Final = ("has already been removed", "invalidated", "can no longer", "is not in this server's history")
"""What pg_receivewal says when it can never go on from where it was."""


class Receiver:
    """Keeps pg_receivewal running.

    Args:
        database_url: the primary.
        programs: of its version.
        spool: the folder that it writes.
        slot: the replication slot, which must exist.
        synchronous: flush at once what has come, and tell the server.
    """

    def __init__(self, database_url: str, programs: Programs, spool: Path, slot: str, *, synchronous: bool) -> None:
        target, self._secret = connection_of(database_url, slot)
        arguments = ["-d", target, "-D", str(spool), "-S", slot, "--no-loop", "--no-password", "-s", "1"]
        if synchronous:
            arguments.append("--synchronous")
        self._command = programs.tethered("pg_receivewal", *arguments)
        self._errors = spool.parent / f"{spool.name}.log"
        self._program: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")
        self._said = ""
        self.is_lost = False
        """The server no longer has what comes next: the slot must be made anew, and there will be a gap."""

    def keep_running(self) -> bool:
        """Start it if it does not run, at most once a second, and tell whether it runs."""
        if self._program is not None:
            if self._program.poll() is None:
                return True
            self._note_end(self._program.returncode)
            self._program = None
        if self.is_lost or time.monotonic() - self._started_at < _REST_S:
            return False
        self._started_at = time.monotonic()
        with self._errors.open("wb") as errors:
            self._program = subprocess.Popen(  # noqa: S603 - PostgreSQL's own
                self._command,
                env={**client_environment(), **self._secret},
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd="/",
            )
        return True

    def stop(self, timeout_s: float = 10.0) -> None:
        """End it in order."""
        if self._program is None:
            return
        self._program.terminate()
        try:
            self._program.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
        self._program = None

    def _note_end(self, code: int) -> None:
        said = self._errors.read_text(errors="replace").strip()[-500:]
        self.is_lost = any(words in said for words in _LOST)
        if said != self._said:  # not once a second while the server is away
            _log.warning("wal_receiver_ended", code=code, said=said, lost=self.is_lost)
        self._said = said
