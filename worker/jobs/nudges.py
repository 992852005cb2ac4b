"""Nudges: small messages that make some worker look into PostgreSQL. Losing one costs time, never work."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

from celery import Celery
from kombu.exceptions import KombuError

from worker.logging import get_logger

_log = get_logger(__name__)
_SAY_AGAIN_S: Final = 60.0


@dataclass(slots=True)
class NudgeCounts:
    """What this process published, and how often Redis refused. While Redis is down it is said once a minute."""

    sent: int = 0
    failed: int = 0
    said_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def succeeded(self, messages: int = 1) -> None:
        """Count what Redis took."""
        with self.lock:
            self.sent += messages
            recovered, self.said_at = self.said_at is not None, None
        if recovered:
            _log.info("nudges_recovered", failed=self.failed)

    def refused(self, error: Exception) -> None:
        """Count a nudge that Redis did not take."""
        with self.lock:
            self.failed += 1
            instant = time.monotonic()
            due = self.said_at is None or instant - self.said_at >= _SAY_AGAIN_S
            if due:
                self.said_at = instant
        if due:
            _log.warning("nudge_refused", error=str(error), failed=self.failed)


counts: Final = NudgeCounts()
"""This process's nudges."""


def send_nudge(
    app: Celery, name: str, *arguments: Any, queue: str, expires_s: int | None = None, time_limit_s: int | None = None
) -> bool:
    """Publish a message for the task `name` and return whether Redis took it; a refusal is counted, never raised.

    It goes to the queue by name, never through an exchange: bindings don't survive FLUSHALL.

    Args:
        app: the Celery application.
        name: the task's name.
        arguments: ids only, as JSON values.
        queue: the queue's name.
        expires_s: seconds after which a worker drops it unread; None: never.
        time_limit_s: seconds the task may take, 60 more before its process is killed; None: celeryconfig's.
    """
    limits = {} if time_limit_s is None else {"soft_time_limit": time_limit_s, "time_limit": time_limit_s + 60}
    try:
        app.send_task(name, args=arguments, queue=queue, expires=expires_s, retry=False, ignore_result=True, **limits)
    except KombuError as error:
        counts.refused(error)
        return False
    counts.succeeded()
    return True
