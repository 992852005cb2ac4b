"""Real processes in tests: started in a group of their own, killable, and gone when the test ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support import seeded
from worker.embedded import tether
from worker.embedded.process import ProcessMark

ROOT = Path(__file__).parents[2]


def wait_until(condition: Callable[[], object], timeout_s: float = 90.0, what: str = "the condition") -> None:
    """Return as soon as `condition()` is true: patience costs nothing, and machines may be busy.

    Raises:
        TimeoutError: it is still false after `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{what} did not come about within {timeout_s:g} s")
        time.sleep(0.05)


class Program:
    """A program under test, run from the repository's root; `python` as its first word means this interpreter.

    Args:
        command: program and arguments.
        log: the file that gets its output.
        environment: variables over those of this process (which hold the test's ELP_DATABASE_URL and ELP_REDIS_URL).
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
        self.log = log
        self.environment = dict(environment or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.shows_addresses = False
        """True: it tells people how to connect, with passwords made for that; else those are no business of a log."""
        self._secrets: frozenset[str] = frozenset()
        self._searched = 0

    def start(self, ready: Callable[[], object] | None = None, timeout_s: float = 90.0) -> "Program":
        """Start it and wait until `ready()` is true.

        Raises:
            AssertionError: it ended or was not ready in time; the message holds its output.
        """
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **self.environment}
        self._secrets = seeded.secrets_of(environment)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*tether.command(signal.SIGKILL), *self.command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout_s
        while ready is not None and not ready():
            if self.process.poll() is not None or time.monotonic() >= deadline:
                state = "ended" if self.process.poll() is not None else "was not ready in time"
                self.kill()
                raise AssertionError(f"{self.command} {state}; its output:\n{self.output()[-5_000:]}")
            time.sleep(0.05)
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """End it and all its descendants with SIGKILL at once."""
        if self.process is None:
            return
        if mark := ProcessMark.of(self.process.pid):
            mark.kill_with_children()
        self._sweep()

    def stop(self, timeout_s: float = 90.0) -> int:
        """Ask it to end (SIGTERM), wait, and return its exit code; what is left of its group is killed."""
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(timeout_s)
        finally:
            self.kill()
        return code

    def _sweep(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self._search_log()

    def _search_log(self) -> None:
        """Look in what it printed since the last search for what no log may say."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._searched)
                printed = log.read()
            self._searched += len(printed)
            seeded.search_output(
                printed.decode(errors="replace"), " ".join(self.command), self._secrets, masks=not self.shows_addresses
            )
