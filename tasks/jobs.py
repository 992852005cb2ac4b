"""The engine's two messages: plan a run, and work on a run's shards."""

from datetime import datetime
from typing import Any
from uuid import UUID

from worker.app import app, task
from worker.jobs.definition import Trigger
from worker.jobs.delivery import Delivery
from worker.jobs.events import start_for_event
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.messages import Messages
from worker.jobs.registry import registry

_messages = Messages(app)


@task("jobs.start", from_app=True)
def start(
    job: str,
    period: str | None = None,
    parameters: dict[str, Any] | None = None,
    delivery: Delivery | None = None,
) -> None:
    """Plan the run of a job for a period (ISO 8601; the latest of its schedule when left out), and wake workers.

    From the outbox it is an event's: without a period the run's is the instant at which the event was enqueued.
    """
    if delivery is not None and period is None:
        started = start_for_event(job, delivery.enqueued_at, parameters or {})
    else:
        trigger: Trigger = "schedule" if delivery is None else "event"
        instant = None if period is None else datetime.fromisoformat(period)
        started = start_run(job, instant, trigger=trigger, parameters=parameters)
    if started.is_new:
        _messages.run(registry.get(job), started.run.run_id, started.run.shards_total)


@task("jobs.run_shard")
def run_shard(run_id: str, number: int) -> None:
    """Work on the shards of a run, from `number` on, and hand over when others should have their turn."""
    work = work_on_run(UUID(run_id), number)
    if work.next_number is not None:
        _messages.shard(registry.get(work.job), UUID(run_id), work.next_number)
