"""What a job is: the values its author gives once, and what its planner and its body receive."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from worker.db import Connection
from worker.jobs.errors import InvalidJobError
from worker.jobs.periods import Schedule

Queue = Literal["attempts", "default", "batch", "billing", "backups"]

Bounds = dict[str, Any]
"""What one shard covers, as JSON values that the planner chose: for example `{"first": …, "last": …}`."""

Trigger = Literal["schedule", "catch_up", "manual", "event"]

_FIRST_RETRY: Final = timedelta(seconds=10)
_LONGEST_RETRY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Planning:
    """What a planner receives. It only reads: the run and its shards are written in the same transaction after it."""

    connection: Connection
    period: datetime
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shard:
    """What a job's body receives: one piece of a run, and the transaction in which it is worked on.

    The engine commits that transaction together with the shard's done mark, so a body neither commits nor rolls back.
    A rule takes `period` as its present instant: then a retry, or a run that is late, decides as the first start would.
    """

    connection: Connection
    run_id: UUID
    number: int
    period: datetime
    bounds: Bounds
    parameters: dict[str, Any]
    callbacks: list[Callable[[], object]] = field(default_factory=list)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Have `callback` called once the shard's work is committed: for caches and other effects one may lose.

        Callbacks run in the order given, in no transaction, on the worker whose commit counted. If one fails, that is
        logged and the others run; the shard stays done. A crash between commit and callback drops it: work that must
        happen belongs in the transaction.
        """
        self.callbacks.append(callback)


Planner = Callable[[Planning], Iterable[Bounds]]
Body = Callable[[Shard], int]
"""A body returns how many items it handled, for the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One declared job.

    Raises:
        InvalidJobError: a number is out of range or the body has no docstring.
    """

    name: str
    body: Body
    schedule: Schedule | None
    """None: it runs by hand or on an event only."""
    planner: Planner | None
    """None: the run is one shard with empty bounds."""
    queue: Queue
    max_starts: int
    """Starts of a shard, crashes included, after which it is failed."""
    time_limit_s: int
    """Seconds a shard may take."""
    lease_s: int
    """Seconds after which a shard whose worker fell silent may be taken over; a live worker extends it."""
    from_app: bool = False
    """Whether the platform's app may start it over HTTP."""

    def __post_init__(self) -> None:
        for label in ("max_starts", "time_limit_s", "lease_s"):
            if getattr(self, label) < 1:
                raise InvalidJobError(self.name, f"{label} must be at least 1")
        if not self.body.__doc__:
            raise InvalidJobError(self.name, f"{self.body.__qualname__} needs a docstring: operators read it")

    @property
    def summary(self) -> str:
        """The first line of the body's docstring."""
        return (self.body.__doc__ or "").strip().splitlines()[0]


def retry_delay(starts: int) -> timedelta:
    """Return how long a shard rests after its `starts`-th start failed: 10 s, doubled each time, at most 10 minutes."""
    return min(_FIRST_RETRY * (1 << (min(starts, 20) - 1)), _LONGEST_RETRY)
