"""Starts the pulse and the outbox's relay in each Celery worker's main process."""

import os
from datetime import timedelta
from typing import Any

from celery import bootsteps

from worker.jobs.messages import Messages
from worker.jobs.pulse import Pulse
from worker.jobs.registry import registry
from worker.jobs.relay import Relay
from worker.jobs.task_publisher import TaskPublisher
from worker.settings import get_settings


class PulseStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint: after its pool, so that the pool's first children are forked without us."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        database_url = get_settings().required_database_url()
        self._pulse = Pulse(database_url, Messages(parent.app), registry)
        self._relay = Relay(
            database_url, TaskPublisher(parent.app), confirm_within=timedelta(seconds=get_settings().outbox_confirm_s)
        )
        for leader in (self._pulse, self._relay):
            os.register_at_fork(after_in_child=leader.forget_connection)

    @property
    def pulse(self) -> Pulse:
        """This worker's candidate for the lead."""
        return self._pulse

    @property
    def relay(self) -> Relay:
        """This worker's candidate for relaying the outbox."""
        return self._relay

    def start(self, parent: Any) -> None:
        """Begin to beat."""
        del parent
        self._pulse.start()
        self._relay.start()

    def stop(self, parent: Any) -> None:
        """Give up the leads, so that another worker takes them at once."""
        del parent
        self._relay.stop()
        self._pulse.stop()

    def terminate(self, parent: Any) -> None:
        """Do the same on a cold shutdown."""
        self.stop(parent)
