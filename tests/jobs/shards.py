"""Runs of jobs of a test's own, and what happens to workers at their shards."""

from datetime import UTC, datetime
from uuid import UUID

from worker import clock
from worker.db import transaction
from worker.jobs import ledger as rows
from worker.jobs.execution import start_run
from worker.jobs.registry import registry

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def plan(name: str = "test.count") -> UUID:
    return start_run(name, PERIOD).run.run_id


def take(run_id: UUID, number: int = 0) -> rows.Claim:
    """Claim a shard as another worker would, and go silent."""
    with transaction() as connection:
        run = rows.load_run(connection, run_id)
        claim = rows.claim_shard(connection, run, registry.get(run.job), number, now=clock.now())
    assert claim is not None
    return claim


def expire_leases(ledger) -> None:
    ledger.query("UPDATE job_shards SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")


def end_rests(ledger) -> None:
    ledger.query("UPDATE job_shards SET run_after = NULL")
