"""Calls a job's own code, whatever it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """What a job's own code raised."""

    error: Exception

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


def outcome(call: Callable[[], T]) -> T | Failure:
    """Call a job's own code and return its value, or what it raised.

    The one place that catches every Exception: the code is a job author's, a failure of any kind belongs in the ledger
    (MemoryError and Celery's soft time limit included), and the callers look at what it was.
    """
    try:
        return call()
    except Exception as error:  # noqa: BLE001
        return Failure(error)
