"""Which tasks there are: declared beside each task, and told to the database so that producers are checked there."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, get_args

from worker.db import Connection
from worker.db.queries import load_query
from worker.errors import ConfigurationError
from worker.jobs.definition import Job, Queue

DELIVERY: Final = "delivery"
"""A task with a parameter of this name gets its `Delivery`, when it comes from the outbox."""


class InvalidTaskError(ConfigurationError):
    """A task's declaration cannot work."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"task {name!r}: {problem}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTask:
    """A declared task.

    Raises:
        InvalidTaskError: a value cannot work.
    """

    name: str
    queue: Queue
    from_app: bool
    """Whether the platform's app may enqueue it over HTTP."""
    max_starts: int
    """Starts of one outbox entry, crashes included, after which it is parked."""
    requires: tuple[str, ...]
    """Parameters without a default."""
    accepts: tuple[str, ...] | None
    """All its parameters; None: any."""
    takes_delivery: bool

    def __post_init__(self) -> None:
        if self.max_starts < 1:
            raise InvalidTaskError(self.name, "max_starts must be at least 1")
        if self.queue not in get_args(Queue):
            raise InvalidTaskError(self.name, f"there is no queue {self.queue!r}: {', '.join(get_args(Queue))}")


_known: Final[dict[str, KnownTask]] = {}
_bodies: Final[dict[str, Callable[..., Any]]] = {}


def declare_task(name: str, body: Callable[..., Any], *, queue: Queue, from_app: bool, max_starts: int) -> KnownTask:
    """Take a task in, with the parameters that its function has.

    Raises:
        InvalidTaskError: a value cannot work.
    """
    parameters = list(inspect.signature(body).parameters.values())
    named = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    given = [one for one in named if one.name != DELIVERY]
    task = KnownTask(
        name=name,
        queue=queue,
        from_app=from_app,
        max_starts=max_starts,
        requires=tuple(one.name for one in given if one.default is one.empty),
        accepts=None if takes_any else tuple(one.name for one in given),
        takes_delivery=len(given) < len(named),
    )
    _known[name] = task
    _bodies[name] = body
    return task


def body_of(name: str) -> Callable[..., Any]:
    """Return the function of a declared task, to be called without a message."""
    return _bodies[name]


def known_tasks() -> list[KnownTask]:
    """Return the tasks that this process has declared, by name."""
    return [_known[name] for name in sorted(_known)]


def tell_database(
    connection: Connection, tasks: Iterable[KnownTask], jobs: Iterable[Job], *, forget_others: bool = False
) -> int:
    """Write the tasks and jobs of this code into `job_tasks`; return how many rows changed.

    Args:
        connection: in any transaction.
        tasks: the tasks.
        jobs: the jobs.
        forget_others: also remove those that this code does not have. Only `elp migrate` does so: a worker at its start
            may be of an older version than its neighbours.
    """
    rows: list[tuple[str, str, str, list[str], list[str] | None, bool]] = [
        (
            "task",
            task.name,
            task.queue,
            [*task.requires],
            None if task.accepts is None else [*task.accepts],
            task.from_app,
        )
        for task in tasks
    ]
    rows += [
        ("job", job.name, job.queue, [], None if job.parameters is None else [*job.parameters], job.from_app)
        for job in jobs
    ]
    changed = 0
    for row in rows:
        names = ("kind", "name", "queue", "requires", "accepts", "from_app")
        values = dict(zip(names, row, strict=True))
        changed += connection.execute(load_query("worker.jobs", "tell_task"), values).rowcount
    if forget_others:
        changed += connection.execute(
            "DELETE FROM job_tasks WHERE (kind, name) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            ([row[0] for row in rows], [row[1] for row in rows]),
        ).rowcount
    return changed
