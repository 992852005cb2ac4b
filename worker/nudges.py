"""Tells workers that inbox lanes have something: few messages, off the request's way, and never its failure."""

import threading
from collections.abc import Callable
from typing import Final

from worker import tracing
from worker.ids import LANES

QUEUE: Final = "attempts"
TASK: Final = "attempts.drain"
_RETRY_S: Final = 1.0
"""After Redis refused: how long until the next try. What is pending stays pending, so nothing is forgotten."""


def publish_drain(lanes: int) -> bool:
    """Publish nudges for these lanes (a bit mask); return whether Redis took them (a refusal is counted there)."""
    from worker.app import nudge_each  # noqa: PLC0415  reads the broker's settings: only where something is published

    marked = (lane for lane in range(LANES) if lanes >> lane & 1)
    return nudge_each(TASK, {lane: tracing.take_lane(lane) for lane in marked}, queue=QUEUE)


def publish_scoring(_lanes: int = 1) -> bool:
    """Publish a nudge for scorers of tryouts, who all take from one pile; return whether Redis took it."""
    from worker.app import nudge  # noqa: PLC0415  as above

    return nudge("tryouts.score_waiting", queue=QUEUE)


class LaneNudger:
    """Publishes at most one nudge per lane and interval, from a thread of its own.

    A mark is cleared before its nudge goes out, so whatever is committed later marks its lane again: the rows
    committed last always get a nudge after them, at most one interval later.
    """

    def __init__(self, interval_ms: int, publish: Callable[[int], bool] = publish_drain) -> None:
        """Prepare.

        Args:
            interval_ms: the shortest time between two nudges of one lane.
            publish: sends the nudges of lanes (a bit mask) and returns whether the broker took them.
        """
        self._interval_s = interval_ms / 1_000
        self._publish = publish
        self._marked = threading.Condition()
        self._pending = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lane nudger", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Publish what is pending, once, and end the thread; a broker that does not answer is not waited for longer."""
        self._stopping.set()
        with self._marked:
            self._marked.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def mark(self, lanes: int) -> None:
        """Ask for a nudge of these lanes (a bit mask). Returns at once, from any thread."""
        if self._pending & lanes == lanes:  # without the lock: a mark that is seen will be published after this
            return
        with self._marked:
            self._pending |= lanes
            self._marked.notify()

    def _run(self) -> None:
        while True:
            with self._marked:
                while not self._pending and not self._stopping.is_set():
                    self._marked.wait()
                lanes, self._pending = self._pending, 0
            stopping = self._stopping.is_set()
            taken = not lanes or self._publish(lanes)
            if stopping:
                return
            if not taken:
                self.mark(lanes)
            self._stopping.wait(self._interval_s if taken else _RETRY_S)
