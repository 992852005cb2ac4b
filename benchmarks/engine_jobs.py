"""The job that benchmarks/engine.py runs: as many shards as asked for, each with nothing to do."""

from worker.jobs import Bounds, Planning, Shard, job

JOB = "benchmark.nothing"


def plan_nothings(planning: Planning) -> list[Bounds]:
    """Return the bounds of the shards."""
    return [{"n": n} for n in range(planning.parameters["shards"])]


@job(JOB, planner=plan_nothings, parameters={"shards": "how many"})
def do_nothing(shard: Shard) -> int:
    """Do nothing, a shard at a time."""
    del shard
    return 1
