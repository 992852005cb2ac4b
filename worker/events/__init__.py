"""App events: what happened that the platform's app should hear of, written in the transaction that made it happen."""

from worker.events.event import Event
from worker.events.store import publish

__all__ = ["Event", "publish"]
