"""The supervisor: all processes up and healthy, or a message that says which is not; and none left at the end."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from worker.errors import ElpError
from worker.supervisor.child import Child
from worker.supervisor.health import Probe, running_probe
from worker.supervisor.procfile import Entry

GRACE_S: Final = 30.0
"""What a process gets between SIGTERM and SIGKILL: workers hand their shards back within 20 s (celeryconfig)."""
_PROBE_INTERVAL_S: Final = 0.25


class NotHealthyError(ElpError):
    """Some processes did not become healthy in time."""

    def __init__(self, children: Sequence[Child], timeout_s: float) -> None:
        states = []
        for child in children:
            run = "running" if child.pid is not None else f"last exit code {child.last_exit}"
            states.append(f"{child.entry.name} ({run}, {child.starts} starts)")
        super().__init__(f"not healthy after {timeout_s:.0f} s: {', '.join(states)}; their output above says why")
        self.names = [child.entry.name for child in children]


class Supervisor:
    """Keeps the processes of a Procfile running from `__enter__` to `__exit__`.

    Args:
        entries: what to run; stopped in reverse order.
        environment: all of the processes' environment variables.
        output: called with a name and a line for each line of output, from several threads.
        probes: how to tell that a process is healthy, by name; others need only run.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        environment: Mapping[str, str],
        output: Callable[[str, str], None],
        probes: Mapping[str, Probe] | None = None,
    ) -> None:
        self.children = {entry.name: Child(entry, environment, output) for entry in entries}
        self._output = output
        self._probes = probes or {}
        self._hurry = threading.Event()

    def __enter__(self) -> Self:
        for child in self.children.values():
            child.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_healthy(self, timeout_s: float = 120.0, cancelled: threading.Event | None = None) -> bool:
        """Return True as soon as every process is healthy; False if `cancelled` is set meanwhile.

        Raises:
            NotHealthyError: some are not within `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        waiting = list(self.children.values())
        with ThreadPoolExecutor(max_workers=max(1, len(waiting)), thread_name_prefix="probe") as pool:
            while True:
                healthy = list(pool.map(self._is_healthy, waiting))
                waiting = [child for child, is_healthy in zip(waiting, healthy, strict=True) if not is_healthy]
                if not waiting:
                    return True
                if cancelled is not None and cancelled.is_set():
                    return False
                if time.monotonic() >= deadline:
                    raise NotHealthyError(waiting, timeout_s)
                time.sleep(_PROBE_INTERVAL_S)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """End all processes: SIGTERM in reverse order, then SIGKILL for what remains after `grace_s` seconds."""
        children = list(reversed(self.children.values()))
        for child in children:
            child.request_stop()
        deadline = time.monotonic() + grace_s
        for child in children:
            while child.pid is not None and not self._hurry.is_set() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not child.finish(timeout_s=0.1):
                self._output(child.entry.name, "[did not end in time: killed]")

    def hurry(self) -> None:
        """Make `stop`, now or later, kill at once instead of waiting."""
        self._hurry.set()

    def _is_healthy(self, child: Child) -> bool:
        return child.pid is not None and self._probes.get(child.entry.name, running_probe)(child)
