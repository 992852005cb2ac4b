"""The Celery application: `celery -A worker.app worker`, `celery -A worker.app beat`.

Importing it is cheap and needs no settings; they are read when something first publishes or consumes. Whoever wants
a worker to look at PostgreSQL calls `nudge` after its commit.
"""

import sys
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import structlog
from celery import Celery, current_task, signals

from worker import logging, tracing
from worker.acknowledgements import AcknowledgementsStep
from worker.errors import ConfigurationError, ElpError
from worker.heartbeats.bootstep import HeartbeatStep
from worker.jobs.bootstep import PulseStep
from worker.jobs.definition import Queue
from worker.jobs.delivery import deliver, message_of
from worker.jobs.known_tasks import declare_task
from worker.jobs.nudges import send_nudge, send_nudges
from worker.metrics import metrics, serving
from worker.metrics.bootstep import MetricsStep
from worker.search.bootstep import SearchStep
from worker.settings import get_settings
from worker.task_events import TaskEventsStep

P = ParamSpec("P")
R = TypeVar("R")

app: Final = Celery("elp", set_as_current=True)
app.config_from_object("celeryconfig")
task_names: Final[set[str]] = set()
"""The tasks that were declared so far; unlike Celery's own list, to be had without a broker's address."""
app.steps["worker"].update((AcknowledgementsStep, PulseStep, SearchStep, MetricsStep, HeartbeatStep))
app.steps["consumer"].add(TaskEventsStep)


class TaskOutOfMemoryError(ElpError):
    """A task needed more memory than it could get.

    Celery stops the whole worker on a bare MemoryError, and with late acknowledgement the same message then stops the
    next one; as an ordinary error it fails this task only.
    """

    def __init__(self, task: str) -> None:
        super().__init__(f"task {task} ran out of memory: lower its batch size or raise the memory limit")
        self.task = task


class DuplicateTaskError(ConfigurationError):
    """Two functions are declared as the same task."""

    def __init__(self, name: str) -> None:
        super().__init__(f"task {name!r} is declared twice: rename one of them")
        self.name = name


def task(
    name: str, *, queue: Queue = "default", from_app: bool = False, max_starts: int = 5, **options: Any
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that makes a function the Celery task `name`.

    The function stays callable as it is; only messages reach it through Celery. Each line it logs carries the task's
    name and id. The outbox may send it, too (docs/outbox.md): then its entry is done with what the function commits.

    Args:
        name: what messages call it, such as `attempts.drain`.
        queue: the queue to which the outbox sends it.
        from_app: whether the platform's app may enqueue it by `POST /v1/events`.
        max_starts: starts for one outbox entry, crashes included, after which the entry is parked.
        options: Celery's options for this task.

    Raises:
        DuplicateTaskError: there is a task of that name.
    """
    # Not `app.tasks`: looking there would read the settings.
    if name in task_names:
        raise DuplicateTaskError(name)
    task_names.add(name)

    def register(body: Callable[P, R]) -> Callable[P, R]:
        known = declare_task(name, body, queue=queue, from_app=from_app, max_starts=max_starts)

        @wraps(body)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
            message = message_of(current_task.request)
            try:
                with tracing.span(name, parent=_trace_of_message()):
                    if message is not None:
                        return deliver(known, message, body, kwargs)
                    return body(*args, **kwargs)
            except MemoryError as error:
                raise TaskOutOfMemoryError(name) from error

        app.task(name=name, **options)(guarded)
        return body

    return register


def nudge(name: str, *arguments: Any, queue: str, expires_s: int | None = 60, trace: str | None = None) -> bool:
    """Ask some worker to run the task `name`: call it after COMMIT, and never rely on it.

    Args:
        name: the task's name.
        arguments: ids only, as JSON values.
        queue: one of the queues in celeryconfig.
        expires_s: seconds after which a worker drops it unread; the pulse repeats what is still needed, so nudges don't
            pile up while no worker runs. None: never.

        trace: the trace context to continue; the present span's when left out.

    Returns:
        Whether Redis took it. When not, it was logged and counted, and the pulse will nudge in its stead.
    """
    return send_nudge(app, name, *arguments, queue=queue, expires_s=expires_s, trace=trace)


def nudge_each(name: str, each: Mapping[int, str | None], *, queue: str, expires_s: int = 60) -> bool:
    """Ask workers to run the task `name` once an argument, as `nudge` does, with one exchange for all messages.

    Args:
        name: the task's name.
        each: the arguments, each with the trace context to continue.
        queue: as for `nudge`.
        expires_s: as for `nudge`.

    Returns:
        Whether Redis took them; when not, some may have arrived.
    """
    return send_nudges(app, name, each, queue=queue, expires_s=expires_s)


_started: Final[dict[str, float]] = {}
"""When this process began the tasks it works on, by id."""


def _trace_of_message() -> str | None:
    """Return the trace context that came with the present task's message, if any."""
    if not tracing.is_on() or not current_task:
        return None
    return (current_task.request.headers or {}).get(tracing.HEADER)


def _configure_logging(**_: Any) -> None:
    # Connected to this signal, Celery leaves logging alone altogether.
    logging.configure("beat" if "beat" in sys.argv else "worker", get_settings())


def _prepare_worker(sender: str, **_: Any) -> None:
    """Do what must come before the pool forks."""
    serving.prepare(get_settings(), sender)
    structlog.contextvars.bind_contextvars(worker=sender)


def _start_tracing(**_: Any) -> None:
    tracing.start("worker", get_settings())


def _stop_tracing(**_: Any) -> None:
    tracing.stop()


def _begin_task(task_id: str, task: Any, **_: Any) -> None:
    _started[task_id] = time.perf_counter()
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)


def _end_task(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    started = _started.pop(task_id, None)
    if started is not None:
        outcome = (state or "unknown").lower()
        metrics().task_seconds.labels(task.name, outcome).observe(time.perf_counter() - started)
    structlog.contextvars.unbind_contextvars("task", "task_id")


signals.setup_logging.connect(_configure_logging)
signals.celeryd_init.connect(_prepare_worker)
signals.worker_process_init.connect(_start_tracing)
signals.worker_process_shutdown.connect(_stop_tracing)
signals.task_prerun.connect(_begin_task)
signals.task_postrun.connect(_end_task)
