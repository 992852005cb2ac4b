"""What a job is: the values its author gives once, and what its planner and its body receive."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Literal, get_args
from uuid import UUID

from worker.db import Connection
from worker.jobs.errors import InvalidJobError, NotByHandError, UnknownParameterError
from worker.jobs.periods import Schedule

Queue = Literal["attempts", "default", "batch", "billing", "backups"]

CatchUp = Literal["all", "latest", "none"]
"""Which periods run that nobody started in time: each of them, the newest, or none (`worker.jobs.catch_up`)."""

Bounds = dict[str, Any]
"""What one shard covers, as JSON values that the planner chose: for example `{"first": …, "last": …}`."""

Trigger = Literal["schedule", "catch_up", "manual", "event"]

SAMPLES: Final = 20
"""What a dry run shows of what a job would do, at most."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How long a shard rests after a start that failed: `first`, doubled with each start, up to `longest`."""

    first: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(minutes=10)
    jitter: float = 0.2
    """The share of a rest that chance may take off, 0–1: shards that failed together don't come back together."""

    def rest(self, starts: int, random: Random) -> timedelta:
        """Return the rest after the `starts`-th start (from 1) failed."""
        doublings = min(starts - 1, (self.longest // self.first).bit_length())  # enough to be there, and no overflow
        full = min(self.first * (1 << doublings), self.longest)
        return full * (1 - self.jitter * random.random())


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
    is_dry_run: bool = False
    """The transaction will be rolled back: a body with effects outside PostgreSQL leaves them out."""
    samples: list[Any] = field(default_factory=list)
    """What `show` was given in a dry run; the shards of one share the list."""

    def show(self, item: object) -> None:
        """Tell a dry run's reader about one thing that this shard does, as a JSON value; the first 20 are kept.

        Outside a dry run it does nothing.
        """
        if self.is_dry_run and len(self.samples) < SAMPLES:
            self.samples.append(item)

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
    """One declared job: what beat, the pulse, the command line, the metrics and the documentation know of it.

    Raises:
        InvalidJobError: a value cannot work or the body has no docstring.
    """

    name: str
    body: Body
    schedule: Schedule | None
    """None: it runs by hand or on an event only."""
    catch_up: CatchUp
    horizon: timedelta
    """A period that is older is not caught up."""
    planner: Planner | None
    """None: the run is one shard with empty bounds."""
    queue: Queue
    max_starts: int
    """Starts of a shard, crashes included, after which it is failed."""
    retry: Retry
    time_limit_s: int
    """Seconds a shard may take."""
    lease_s: int
    """Seconds after which a shard whose worker fell silent may be taken over; a live worker extends it."""
    concurrency: int | None
    """Most shards of the job at work at once, over all its runs and all workers; None: as many as there are workers."""
    manual: bool
    """Whether it may be started by hand."""
    parameters: Mapping[str, str] | None
    """The parameters it takes, each with its meaning in words; None: they are not checked."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise InvalidJobError(self.name, problem)

    def _problems(self) -> Iterable[str]:
        if not _NAME.fullmatch(self.name):
            yield "a name is <capability>.<what_it_does>, in small letters, digits and underscores"
        if self.queue not in get_args(Queue):
            yield f"there is no queue {self.queue!r}: {', '.join(get_args(Queue))}"
        if self.catch_up not in get_args(CatchUp):
            yield f"there is no catch-up policy {self.catch_up!r}: {', '.join(get_args(CatchUp))}"
        for label in ("max_starts", "time_limit_s", "lease_s", "concurrency"):
            number = getattr(self, label)
            if number is not None and number < 1:
                yield f"{label} must be at least 1"
        if self.horizon <= timedelta(0):
            yield "horizon must be longer than nothing"
        if not timedelta(0) < self.retry.first <= self.retry.longest:
            yield "retry.first must be longer than nothing, and no longer than retry.longest"
        if not 0 <= self.retry.jitter <= 1:
            yield "retry.jitter must be a share from 0 to 1"
        if not self.body.__doc__:
            yield f"{self.body.__qualname__} needs a docstring: operators read it"

    @property
    def summary(self) -> str:
        """The first line of the body's docstring."""
        return (self.body.__doc__ or "").strip().splitlines()[0]

    def check_start(self, trigger: Trigger, parameters: Mapping[str, Any]) -> None:
        """Refuse a start that the declaration does not allow.

        Raises:
            NotByHandError: the job may not be started by hand.
            UnknownParameterError: it takes no such parameter.
        """
        if trigger == "manual" and not self.manual:
            raise NotByHandError(self.name)
        if self.parameters is not None:
            for name in parameters:
                if name not in self.parameters:
                    raise UnknownParameterError(self.name, name, self.parameters)
