"""Holds bulk work back while replicas lag or the server is busy. Single edits are never held back."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.db import Connection
from worker.search.refresh import query
from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server may be burdened with, beyond which bulk work pauses. 0: no limit.

    Attributes:
        lag_bytes: WAL that the slowest replica has not replayed.
        active_sessions: sessions of this database at work, one's own not counted.
    """

    lag_bytes: int
    active_sessions: int

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        """Return the limits that the settings name."""
        return cls(settings.search_max_replica_lag_mb * 1_048_576, settings.search_max_active_sessions)


def burden(connection: Connection, limits: Limits) -> str | None:
    """Return what is beyond its limit at this moment, in words; None: bulk work may go on."""
    row = connection.execute(query("load")).fetchone()
    assert row is not None, "a SELECT without FROM always returns a row"
    lag_bytes, active = row
    if limits.lag_bytes and lag_bytes > limits.lag_bytes:
        return f"a replica is {lag_bytes / 1_048_576:,.0f} MiB behind"
    if limits.active_sessions and active > limits.active_sessions:
        return f"{active} sessions are at work"
    return None


def wait_while_burdened(
    connection: Connection,
    limits: Limits,
    *,
    pause: Callable[[float], object] = time.sleep,
    tell: Callable[[str], None] | None = None,
    pause_s: float = 1.0,
    go_on: Callable[[], bool] = lambda: True,
) -> float:
    """Pause until nothing is beyond its limit; return the seconds of pause asked for.

    Args:
        connection: in autocommit mode, so that no snapshot is held meanwhile.
        limits: the limits.
        pause: waits for some seconds.
        tell: is told why, at each pause.
        pause_s: seconds until the next look.
        go_on: asked before each pause; False ends the wait.
    """
    waited_s = 0.0
    while (reason := burden(connection, limits)) is not None and go_on():
        if tell is not None:
            tell(reason)
        pause(pause_s)
        waited_s += pause_s
    return waited_s
