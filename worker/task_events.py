"""Task events for Flower: gathered for a moment and sent together, since a message costs as much as a task."""

from typing import Any, Final

from celery import bootsteps

INTERVAL_S: Final = 0.25
"""How long an event waits for others at most, in seconds: soon enough for eyes."""
LARGEST: Final = 1_000
"""Events of one message, some 400 bytes each."""


class TaskEventsStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the consumer's blueprint: it makes the dispatcher of task events, new with each connection, patient.

    Celery itself sends what one turn of its loop brought: three messages a task, unless many tasks end at once.
    """

    requires = ("celery.worker.consumer.events:Events",)

    def start(self, parent: Any) -> None:
        """Replace the dispatcher's wish to send at once by a timer."""
        dispatcher, hub = parent.event_dispatcher, parent.hub
        if hub is None or dispatcher is None or not dispatcher.buffer_group:
            return
        is_waiting = False

        def flush() -> None:
            nonlocal is_waiting
            is_waiting = False
            dispatcher.flush()

        def gather() -> None:
            nonlocal is_waiting
            if not is_waiting:
                is_waiting = True
                hub.call_later(INTERVAL_S, flush)

        dispatcher.buffer_limit = LARGEST
        dispatcher.on_send_buffered = gather

    def stop(self, parent: Any) -> None:
        """Send what waits; while Redis is away the dispatcher keeps it for the next connection."""
        if parent.event_dispatcher is not None:
            parent.event_dispatcher.flush()
