"""Planning: what a run consists of. The run and its shards commit together."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from worker.db import Connection
from worker.jobs import ledger
from worker.jobs.definition import Bounds, Job, Planning


def bounds_of(connection: Connection, job: Job, period: datetime, parameters: dict[str, Any]) -> Iterable[Bounds]:
    """Return what each shard of a run covers, from the job's planner; one shard without bounds if it has none."""
    return [{}] if job.planner is None else job.planner(Planning(connection, period, parameters))


def plan_shards(
    connection: Connection, job: Job, run_id: UUID, period: datetime, parameters: dict[str, Any], now: datetime
) -> int:
    """Write the shards of a run that has none and return how many; a run with nothing to do is ended at once."""
    # All of them before the first is written: a planner reads on the same connection that COPY would occupy.
    shards = list(bounds_of(connection, job, period, parameters))
    if not shards:
        ledger.finish_runs(connection, now, run_id)
        return 0
    return ledger.add_shards(connection, run_id, shards, now)
