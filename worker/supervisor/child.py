"""One supervised process: started, read, restarted when it exits unasked, ended with everything it started."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from worker.embedded import tether
from worker.supervisor.procfile import Entry

_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 30.0
_MARKER: Final = "ELP_SUPERVISED"
_SWEEPS: Final = 50
_STEADY_S: Final = 30.0
"""A process that ran this long had started well: the next restart is quick again."""


def restart_delay(failures: int) -> float:
    """Return the seconds to wait before the restart after `failures` (≥ 1) short runs in a row: 0.5, 1, 2 … 30."""
    return float(min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** min(failures - 1, 10)))


class Child:
    """A process that is kept running until it is told to stop.

    A thread starts it, waits for its end and starts it again; a second one reads its output. It leads a session of its
    own (a terminal's Ctrl-C reaches the supervisor alone, which then stops all in order), and it is tethered to that
    thread: should the supervisor be killed, Linux sends it SIGTERM. Whatever it started is told by a variable that
    descendants inherit, and killed when it has ended.

    Args:
        entry: name and command. `python` and programs of this virtual environment are found without activating it.
        environment: all of its environment variables.
        output: called with name and line for each line it prints, and for each restart.
    """

    def __init__(self, entry: Entry, environment: Mapping[str, str], output: Callable[[str, str], None]) -> None:
        self.entry = entry
        self.starts = 0
        self.last_exit: int | None = None
        """The exit code of its last run; negative: the signal that ended it."""
        self._environment = dict(environment)
        value = secrets.token_hex(8)
        self._environment[_MARKER] = value
        self._marker = f"{_MARKER}={value}"
        self._environment["PATH"] = f"{Path(sys.executable).parent}:{self._environment.get('PATH', os.defpath)}"
        self._output = output
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._state = threading.Lock()  # no start after a stop has looked for what to stop
        self._keeper = threading.Thread(target=self._keep, name=f"keep {entry.name}", daemon=True)

    def start(self) -> None:
        """Start it and keep it running."""
        self._keeper.start()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def running_s(self) -> float:
        """Return for how many seconds it has been running; 0 if it is not."""
        return time.monotonic() - self._started_at if self.pid is not None else 0.0

    def request_stop(self) -> None:
        """Ask it to end (SIGTERM) and don't start it again."""
        with self._state:
            self._stopping.set()
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)

    def finish(self, timeout_s: float) -> bool:
        """Wait for its end; kill it after `timeout_s` seconds, and whatever it left behind in any case.

        Returns:
            Whether it ended by itself.
        """
        process = self._process
        if process is None:
            self._keeper.join(timeout_s)
            return True
        in_time = True
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            in_time = False
            process.kill()
        self._keeper.join(10.0)  # it ends whatever the process left behind
        return in_time

    def _keep(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            failures = 0 if self._run() >= _STEADY_S else failures + 1
            if self._stopping.is_set():
                return
            delay = restart_delay(max(1, failures))
            self._output(self.entry.name, f"[{_describe(self.last_exit)}; restarted in {delay:g} s]")
            self._stopping.wait(delay)

    def _run(self) -> float:
        """Run it once, to its end, and return for how many seconds it ran."""
        with self._state:
            if self._stopping.is_set():
                return 0.0
            self._started_at = time.monotonic()
            self.starts += 1
            process = self._process = subprocess.Popen(  # noqa: S603 - what the Procfile says
                [*tether.command(signal.SIGTERM), *self.entry.command],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert process.stdout is not None
        reader = threading.Thread(
            target=self._read, args=(process.stdout,), name=f"read {self.entry.name}", daemon=True
        )
        reader.start()
        self.last_exit = process.wait()
        _kill_all_with(self._marker)  # children of a crashed process would go on working, and hold its output open
        reader.join(10.0)
        return time.monotonic() - self._started_at

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._output(self.entry.name, line.decode(errors="replace").rstrip())


def _kill_all_with(marker: str) -> None:
    """Kill (SIGKILL) every process that inherited the variable `marker`, whatever session or parent it has by now.

    Costs a look at each process of the machine, about 10 ms for 300; repeated until nobody is left to fork.
    """
    wanted = marker.encode()
    for _ in range(_SWEEPS):
        found = False
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # gone meanwhile, or another user's
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
                    found = True
        if not found:
            return
        time.sleep(0.02)


def _describe(code: int | None) -> str:
    if code is None:
        return "could not be started"
    return f"exited with code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
