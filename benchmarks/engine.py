"""What the engine costs: empty shards beside plain Celery's empty tasks, and the bookkeeping of a long run.

In turns, on the same broker and machine, two worker processes each:

* ours: one run of many shards whose body is empty: each is claimed in a transaction, worked on and marked done in
  another, under a lease that is kept, with retries, counts and timings in the ledger;
* the usual way: plain Celery tasks with an empty body, one message each, Celery's default settings, which keep nothing.

Then planning a run of 10,000 shards, showing its progress and ending it, timed by themselves beside the time the run
takes with an empty body, the shortest it can be.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import redis

from benchmarks.engine_jobs import JOB
from benchmarks.report import Figure, Report, measured
from worker import clock, logging
from worker.db import transaction
from worker.jobs import ledger
from worker.jobs.execution import start_run
from worker.jobs.messages import Messages
from worker.jobs.registry import registry
from worker.jobs.reports import report_run
from worker.settings import get_settings

PROCESSES: Final = 2
LONG_RUN: Final = 10_000
_TIMEOUT_S: Final = 300.0
_numbers = count()


@contextmanager
def worker(application: str, queue: str, *options: str) -> Iterator[None]:
    """Run a Celery worker with `PROCESSES` children until the block ends."""
    command = [sys.executable, "-m", "celery", "-q", "-A", application, "worker", "-Q", queue, "-c", str(PROCESSES)]
    log = Path(os.environ.get("TMPDIR", "/tmp")) / f"elp-engine-{os.getpid()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "--loglevel", "WARNING", *options],
            stdout=output,
            stderr=output,
            env={**os.environ, "ELP_LOG_LEVEL": "WARNING"},
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
        log.unlink()


def wait_for(what: str, condition: Callable[[], bool]) -> None:
    """Wait until `condition()` is true, looking every 5 ms.

    Raises:
        TimeoutError: it did not come about.
    """
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took longer than {_TIMEOUT_S:.0f} s")
        time.sleep(0.005)


def plan(shards: int) -> UUID:
    """Plan a run and return its id."""
    period = clock.now() + timedelta(microseconds=next(_numbers))
    return start_run(JOB, period, trigger="manual", parameters={"shards": shards}).run.run_id


def run_shards(shards: int) -> float:
    """Return the seconds from the first claim to the end of a run that the waiting worker works on."""
    from worker.app import app  # noqa: PLC0415 - reads the broker's address

    run_id = plan(shards)
    Messages(app).run(registry.get(JOB), run_id, shards)

    def is_finished() -> bool:
        with transaction() as connection:
            return ledger.load_run(connection, run_id).state == "succeeded"

    wait_for("the run", is_finished)
    with transaction() as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM finished_at - started_at), shards_done FROM job_runs WHERE id = %s", (run_id,)
        ).fetchone()
    assert row is not None
    assert row[1] == shards, row
    return float(row[0])


def run_plain(tasks: int) -> float:
    """Return the seconds in which a worker empties a queue of plain tasks, once it has begun."""
    from benchmarks.engine_usual import app, nothing  # noqa: PLC0415 - reads the broker's address

    with redis.Redis.from_url(get_settings().required_redis_url()) as client, app.connection_for_write() as broker:
        app.control.cancel_consumer("plain", reply=True, timeout=5)
        with app.amqp.producer_pool.acquire(block=True) as producer:
            for _ in range(tasks):
                nothing.apply_async(producer=producer)
        assert client.llen("plain") == tasks
        app.control.add_consumer("plain", reply=True, timeout=5, connection=broker)
        wait_for("the first task", lambda: client.llen("plain") < tasks)
        begun_at, left = time.perf_counter(), client.llen("plain")
        wait_for("the last task", lambda: client.llen("plain") == 0 and client.hlen("unacked") == 0)
        return (time.perf_counter() - begun_at) * tasks / left


def bookkeeping(shards: int) -> tuple[float, float, float]:
    """Return the seconds of planning a run, of one look at its progress, and of ending it, all without its work."""
    begun_at = time.perf_counter()
    run_id = plan(shards)
    planned_at = time.perf_counter()
    with transaction() as connection:
        report_run(connection, run_id, all_shards=False)
    shown_at = time.perf_counter()
    with transaction() as connection:
        connection.execute("UPDATE job_shards SET state = 'done', items = 1 WHERE run_id = %s", (run_id,))
    done_at = time.perf_counter()
    with transaction() as connection:
        ended = ledger.finish_runs(connection, clock.now(), run_id)
    finished_at = time.perf_counter()
    assert [each.shards_done for each in ended] == [shards]
    return planned_at - begun_at, shown_at - planned_at, finished_at - done_at


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures; `quick` is small, for the shape of the output only."""
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    rounds, shards = (2, 500) if quick else (5, 3_000)
    ours, plain = [], []
    with (
        worker("worker.app", "default", "--include", "benchmarks.engine_jobs", "-n", "ours@bench"),
        worker("benchmarks.engine_usual", "plain", "-n", "plain@bench"),
    ):
        for number in range(rounds + 1):
            mine, theirs = shards / run_shards(shards), shards / run_plain(shards)
            if number:  # the first round warms up
                ours.append(mine)
                plain.append(theirs)
        report.add(
            Figure(
                f"empty shards through jobs.run_shard, {PROCESSES} processes; usual: plain Celery tasks",
                "shards/s",
                ours=measured(ours),
                usual=measured(plain),
                least_of_usual=None if quick else 0.7,
            )
        )
        long_run = [LONG_RUN / run_shards(LONG_RUN) for _ in range(1 if quick else 3)]
    parts = [bookkeeping(LONG_RUN) for _ in range(rounds)]
    report.add(
        Figure(
            f"planning, showing and ending a run of {LONG_RUN:,} shards; usual: the run itself, empty bodies",
            "shards/s",
            ours=measured([LONG_RUN / sum(each) for each in parts]),
            usual=measured(long_run),
            least_of_usual=None if quick else 20,
        )
    )
    for size in (1_000, LONG_RUN):
        planned, shown, ended = map(median, zip(*(bookkeeping(size) for _ in range(3)), strict=True))
        report.note(
            f"{size:,} shards: planned in {planned * 1e3:.0f} ms, progress shown in {shown * 1e3:.1f} ms,"
            f" ended in {ended * 1e3:.1f} ms"
        )
