"""Jobs whose every effect is a row in a table without a unique key: whatever happens twice is seen to have.

Each process under faults declares them (`launch.py`), so beat and the pulses know the schedules as well.
"""

import os
import signal
from datetime import timedelta

from worker.jobs import Bounds, Planning, Shard, job
from worker.jobs.definition import CatchUp

MINUTELY: dict[str, CatchUp] = {
    "test.faults_each_period": "all",
    "test.faults_each_period_too": "all",
    "test.faults_latest_period": "latest",
    "test.faults_in_time_only": "none",
}
"""Scheduled each minute; every period of theirs must have one finished run, or be skipped if the policy says so."""
HORIZON = timedelta(minutes=20)
"""How far back their periods are caught up."""
BY_HAND = "test.faults_by_hand"
KILLER = "test.faults_kills_its_process"
POISONED = "test.faults_always_raises"

_SHARDS = 4


def plan(planning: Planning) -> list[Bounds]:
    """Return as many shards as asked for."""
    return [{"n": n} for n in range(planning.parameters.get("shards", _SHARDS))]


def note(shard: Shard) -> int:
    """Leave a trace of each shard, and take some time over it."""
    shard.connection.execute("INSERT INTO effects (run_id, n) VALUES (%s, %s)", (shard.run_id, shard.bounds["n"]))
    shard.connection.execute("SELECT pg_sleep(%s)", (shard.parameters.get("seconds", 0.15),))
    return 1


def kill_process(shard: Shard) -> int:
    """Note each shard but the second, which ends its process as the kernel would when memory runs out."""
    if shard.bounds["n"] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return note(shard)


def always_raise(shard: Shard) -> int:
    """Note each shard, and then fail the second: its note must not stay."""
    items = note(shard)
    if shard.bounds["n"] == 1:
        raise ValueError("poison")
    return items


def declare() -> None:
    """Declare the jobs in this process; the process that runs the tests does not, for it shares its registry."""
    for name, policy in MINUTELY.items():
        job(name, schedule="* * * * *", catch_up=policy, horizon=HORIZON, planner=plan, lease_s=5, max_starts=50)(note)
    job(BY_HAND, planner=plan, lease_s=5, max_starts=50, queue="batch")(note)
    job(KILLER, planner=plan, lease_s=2, max_starts=2, queue="batch")(kill_process)
    job(POISONED, planner=plan, lease_s=5, max_starts=2, queue="batch")(always_raise)
