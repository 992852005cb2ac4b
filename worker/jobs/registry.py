"""Which jobs exist: filled by the `@job` declarations when their modules are imported."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Final

from worker.jobs.definition import Body, Job, Planner, Queue
from worker.jobs.errors import DuplicateJobError, UnknownJobError
from worker.jobs.periods import Schedule


class Registry:
    """The declared jobs by name."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def add(self, declared: Job) -> None:
        """Take a job in.

        Raises:
            DuplicateJobError: another function declared that name before.
        """
        first = self._jobs.get(declared.name)
        if first is not None:
            raise DuplicateJobError(declared.name, _where(first.body), _where(declared.body))
        self._jobs[declared.name] = declared

    def remove(self, name: str) -> None:
        """Forget a job, if it is known."""
        self._jobs.pop(name, None)

    def get(self, name: str) -> Job:
        """Return the job called `name`.

        Raises:
            UnknownJobError: there is none; the message names the closest one.
        """
        try:
            return self._jobs[name]
        except KeyError:
            raise UnknownJobError(name, self._jobs) from None

    def all(self) -> list[Job]:
        """Return every job, by name."""
        return [self._jobs[name] for name in sorted(self._jobs)]


registry: Final = Registry()
"""This process's jobs."""


def job(
    name: str,
    *,
    schedule: str | None = None,
    timezone: str = "UTC",
    queue: Queue = "default",
    planner: Planner | None = None,
    max_starts: int = 5,
    time_limit_s: int = 600,
    lease_s: int = 60,
    from_app: bool = False,
) -> Callable[[Body], Body]:
    """Declare the decorated function as the body of the job `name`. The function itself stays as it is.

    Args:
        name: `<capability>.<what_it_does>`, unique.
        schedule: a cron expression of five fields; None for jobs that run by hand or on an event.
        timezone: the IANA zone in which the expression is meant.
        queue: the Celery queue whose workers work on its shards.
        planner: cuts a run into shards; None for one shard.
        max_starts: starts of a shard, crashes included, after which it is failed and the others go on.
        time_limit_s: seconds a shard may take.
        lease_s: seconds after which a shard whose worker fell silent may be taken over.
        from_app: whether the platform's app may start it by `POST /v1/events`.

    Raises:
        DuplicateJobError: the name is taken.
        InvalidJobError: a value cannot work.
        InvalidScheduleError: the expression or the zone cannot be read.
    """

    def declare(body: Body) -> Body:
        registry.add(
            Job(
                name=name,
                body=body,
                schedule=None if schedule is None else Schedule(schedule, timezone),
                planner=planner,
                queue=queue,
                max_starts=max_starts,
                time_limit_s=time_limit_s,
                lease_s=lease_s,
                from_app=from_app,
            )
        )
        return body

    return declare


def load_jobs(modules: Iterable[str]) -> list[Job]:
    """Import the modules that declare jobs and return all that are declared, by name."""
    for module in modules:
        import_module(module)
    return registry.all()


def _where(body: Body) -> str:
    return f"{body.__module__}.{body.__qualname__}"
