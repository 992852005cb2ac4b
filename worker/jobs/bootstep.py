"""Starts the pulse in each Celery worker's main process."""

import os
from typing import Any

from celery import bootsteps

from worker.jobs.messages import Messages
from worker.jobs.pulse import Pulse
from worker.jobs.registry import registry
from worker.settings import get_settings


class PulseStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint: after its pool, so that the pool's first children are forked without us."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._pulse = Pulse(get_settings().required_database_url(), Messages(parent.app), registry)
        os.register_at_fork(after_in_child=self._pulse.forget_connection)

    @property
    def pulse(self) -> Pulse:
        """This worker's candidate for the lead."""
        return self._pulse

    def start(self, parent: Any) -> None:
        """Begin to beat."""
        del parent
        self._pulse.start()

    def stop(self, parent: Any) -> None:
        """Give up the lead, so that another worker takes it at once."""
        del parent
        self._pulse.stop()

    def terminate(self, parent: Any) -> None:
        """Do the same on a cold shutdown."""
        self.stop(parent)
