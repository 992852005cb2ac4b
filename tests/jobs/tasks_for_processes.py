"""Tasks that real worker processes run in tests; a worker loads them with `--include`."""

import os
import signal
import time

from worker.app import task
from worker.jobs.delivery import Delivery


@task("test.note")
def note(n: int, delivery: Delivery | None = None) -> None:
    """Note a number, in the transaction that makes the entry done."""
    assert delivery is not None
    delivery.connection.execute("INSERT INTO effects (n) VALUES (%s)", (n,))


@task("test.note_slowly")
def note_slowly(n: int, seconds: float, delivery: Delivery | None = None) -> None:
    """Note a number and take some time before it commits."""
    note(n, delivery)
    time.sleep(seconds)


@task("test.fail", max_starts=2)
def fail(n: int, delivery: Delivery | None = None) -> None:
    """Note a number and fail."""
    note(n, delivery)
    raise ValueError(f"nothing to be done about {n}")


@task("test.kill_worker", max_starts=2)
def kill_worker(n: int, delivery: Delivery | None = None) -> None:
    """Note a number and end the process as the kernel would when memory runs out."""
    note(n, delivery)
    os.kill(os.getpid(), signal.SIGKILL)
