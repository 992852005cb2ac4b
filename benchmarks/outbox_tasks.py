"""Tasks of the outbox's benchmark, for real workers: `celery -A worker.app worker --include benchmarks.outbox_tasks`.

With BENCHMARK_STARTS set to a file, each start of `benchmarks.stamp` is written there, as its number and the instant.
"""

import os
import time
from functools import cache

from worker.app import task


@cache
def starts_file(process_id: int) -> int:
    """Open this process's file of starts."""
    return os.open(f"{os.environ['BENCHMARK_STARTS']}.{process_id}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@task("benchmarks.stamp")
def stamp(n: int) -> None:
    """Note the start, as the machine's clock has it."""
    os.write(starts_file(os.getpid()), f"{n} {time.time_ns()}\n".encode())


@task("benchmarks.nothing")
def nothing(n: int) -> None:
    """Do nothing."""
