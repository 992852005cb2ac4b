"""Starts the refresher in each Celery worker's main process."""

import os
from typing import Any

from celery import bootsteps

from worker.search.refresher import Refresher
from worker.search.throttle import Limits
from worker.settings import get_settings


class SearchStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery is untyped
    """A step of the worker's blueprint: after its pool, so that the pool's first children are forked without us."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        settings = get_settings()
        self._refresher = Refresher(settings.required_database_url(), Limits.from_settings(settings))
        os.register_at_fork(after_in_child=self._refresher.forget_connection)

    def start(self, parent: Any) -> None:
        """Begin to refresh."""
        del parent
        self._refresher.start()

    def stop(self, parent: Any) -> None:
        """Give up the lead, so that another worker takes it at once."""
        del parent
        self._refresher.stop()

    def terminate(self, parent: Any) -> None:
        """Do the same on a cold shutdown."""
        self.stop(parent)
