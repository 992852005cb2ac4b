"""Jobs that real worker processes run in tests; a worker loads them with `--include`."""

import os
import signal

from worker.jobs import Bounds, Planning, Shard, job


def _plan(planning: Planning) -> list[Bounds]:
    return [{"n": n} for n in range(planning.parameters.get("shards", 4))]


def _note(shard: Shard) -> int:
    shard.connection.execute("INSERT INTO effects (n) VALUES (%s)", (shard.bounds["n"],))
    return 1


@job("test.kills_its_process", planner=_plan, max_starts=2, lease_s=3)
def kill_process_of_shard_two(shard: Shard) -> int:
    """Note each shard but one, which ends its process as the kernel would when memory runs out."""
    if shard.bounds["n"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return _note(shard)


@job("test.takes_its_time", planner=_plan, lease_s=3)
def take_time(shard: Shard) -> int:
    """Note each shard after a while."""
    items = _note(shard)
    shard.connection.execute("SELECT pg_sleep(%s)", (shard.parameters.get("seconds", 0.5),))
    return items


@job("test.exhausts_memory", planner=_plan, max_starts=1)
def exhaust_memory(shard: Shard) -> int:
    """Run out of memory in one shard of several."""
    if shard.bounds["n"] == 2:
        raise MemoryError
    return _note(shard)
