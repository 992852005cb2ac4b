"""The outbox: from COMMIT to the start of the task, the relay's rate, and the rate of relay and worker together.

A real worker process runs, with its pulse and relay; on two cores it shares them with PostgreSQL, Valkey and the
producer. In turns, on the same servers: plain Celery publishing (`send_task`, one producer) is the relay's limit, and
Procrastinate is the usual way to have jobs in the producer's transaction (one worker process, its highest concurrency).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import redis

from benchmarks.report import Figure, Report, measured
from worker import clock
from worker.db import transaction
from worker.db.engines import libpq_url
from worker.jobs.known_tasks import known_tasks, tell_database
from worker.jobs.outbox import Entry, enqueue_many
from worker.settings import get_settings

_RATE: int = 500
"""The wanted one, in jobs/s."""
_RATES = (50, 100, 200, 300, 400, 500)
_MOST_COMMITS: int = 100
"""Transactions a second at most, of one job each up to this rate, of several above: beside a relay and a worker on two
cores, a producer in Python that commits each of 500 jobs on its own would be half of what is measured."""
_MEDIAN_MS = 20
_NINETY_NINE_MS = 100
_TIMEOUT_S = 120.0


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures; `quick` is small, for the shape of the output only."""
    import benchmarks.outbox_tasks  # noqa: F401, PLC0415 - declares the tasks

    with transaction() as connection:
        tell_database(connection, known_tasks(), [])
    schema = [sys.executable, "-m", "procrastinate", "--app", "benchmarks.outbox_procrastinate.app", "schema"]
    subprocess.run([*schema, "--apply"], check=True, capture_output=True)
    rounds = 2 if quick else 3
    _publishing(report, jobs=500 if quick else 3_000, rounds=2 if quick else 5)
    # Few rounds: each starts a worker of either kind anew.
    _whole(report, jobs=300 if quick else 1_000, rounds=rounds)
    _latency(report, seconds=1 if quick else 2, rounds=rounds)


def _latency(report: Report, *, seconds: int, rounds: int) -> None:
    """Note the waits at the wanted rate, and the highest rate of `_RATES` that keeps the limits; for either system."""
    from benchmarks.outbox_procrastinate import app, stamp  # noqa: PLC0415 - reads the database's address

    def defer_with_procrastinate(numbers: Sequence[int]) -> None:
        stamp.batch_defer(*({"n": n} for n in numbers))  # type: ignore[arg-type,unused-ignore]

    with psycopg.connect(libpq_url(get_settings().required_database_url())) as connection:

        def enqueue_and_commit(numbers: Sequence[int]) -> None:
            entries = [Entry(task="benchmarks.stamp", payload={"n": n}) for n in numbers]
            enqueue_many(connection, entries, now=clock.now())
            connection.commit()

        with tempfile.TemporaryDirectory() as folder:
            starts = {"BENCHMARK_STARTS": str(Path(folder) / "starts")}
            with _worker(**starts):
                waits = partial(_waits, Path(folder), enqueue_and_commit, _all_done, seconds)
                _climb(report, "", waits, rounds)
            command = [sys.executable, "-m", "procrastinate", "--app", "benchmarks.outbox_procrastinate.app"]
            with app.open(), _process([*command, "worker", "--concurrency", "20"], **starts):
                waits = partial(_waits, Path(folder), defer_with_procrastinate, _all_succeeded, seconds)
                _climb(report, "Procrastinate, 1 worker, 20 at once: ", waits, rounds)


def _climb(report: Report, who: str, waits: Callable[[int], list[float]], rounds: int) -> None:
    waits(_RATES[0])  # warms up
    best = 0
    for rate in _RATES:
        if best != max((lower for lower in _RATES if lower < rate), default=0) and rate != _RATE:
            continue  # a lower rate was too high
        found = [waits(rate) for _ in range(rounds)]
        medians = measured([each[len(each) // 2] for each in found])
        nineties = measured([each[int(len(each) * 0.99)] for each in found])
        is_kept = medians.median <= _MEDIAN_MS and nineties.median <= _NINETY_NINE_MS
        best = rate if is_kept else best
        report.note(
            f"{who}COMMIT to task start at {rate} jobs/s, {_together(rate)} a COMMIT: median {medians.median:.1f} ms"
            f" ({medians.lowest:.1f} to {medians.highest:.1f} in {rounds} rounds), 99 % {nineties.median:.1f} ms"
            f" ({nineties.lowest:.1f} to {nineties.highest:.1f})"
        )
    wanted = "" if who else f"; at {_RATE}: {'reached' if best >= _RATE else 'MISSED'}"
    report.note(
        f"{who}highest rate tried with median <= {_MEDIAN_MS} ms and 99 % <= {_NINETY_NINE_MS} ms: {best} jobs/s"
        f"{wanted}"
    )


def _together(rate: int) -> int:
    """Return how many jobs share a transaction."""
    return max(1, rate // _MOST_COMMITS)


def _waits(
    folder: Path, commit: Callable[[Sequence[int]], None], done: Callable[[], bool], seconds: int, rate: int
) -> list[float]:
    """Commit jobs at a steady rate; return the time from each COMMIT's return to its task's start, in ms, sorted."""
    _clear()
    for part in folder.iterdir():
        part.write_text("")
    committed: dict[int, int] = {}
    jobs, together = rate * seconds, _together(rate)
    begun_at = time.monotonic()
    for first in range(0, jobs, together):
        numbers = range(first, min(first + together, jobs))
        pause = begun_at + first / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        commit(numbers)
        committed |= dict.fromkeys(numbers, time.time_ns())
    _wait(done)
    begun: dict[int, int] = {}
    for part in folder.iterdir():
        begun |= {int(n): int(at) for n, at in (line.split() for line in part.read_text().splitlines())}
    return sorted((begun[n] - at) / 1e6 for n, at in committed.items())


def _publishing(report: Report, *, jobs: int, rounds: int) -> None:
    from worker.app import app  # noqa: PLC0415 - reads the broker's address
    from worker.jobs.relay import Relay  # noqa: PLC0415
    from worker.jobs.task_publisher import TaskPublisher  # noqa: PLC0415

    url = libpq_url(get_settings().required_database_url())
    relay = Relay(url, TaskPublisher(app), confirm_within=timedelta(minutes=10))
    ours, plain = [], []
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(rounds):
            _clear()
            _enqueue(jobs)
            begun_at = time.perf_counter()
            while relay.relay_batch(connection):
                pass
            ours.append(jobs / (time.perf_counter() - begun_at))
            _clear()
            begun_at = time.perf_counter()
            with app.producer_or_acquire() as producer:
                for n in range(jobs):
                    app.send_task("benchmarks.nothing", kwargs={"n": n}, task_id=str(uuid4()), producer=producer)
            plain.append(jobs / (time.perf_counter() - begun_at))
    report.add(
        Figure(
            "relay, outbox to broker (limit: plain Celery publishing)",
            "jobs/s",
            ours=measured(ours),
            limit=measured(plain),
            least_of_limit=0.5,
            enough=5_000,
        )
    )
    _clear()


def _whole(report: Report, *, jobs: int, rounds: int) -> None:
    ours, usual = [], []
    from benchmarks.outbox_procrastinate import app, nothing  # noqa: PLC0415 - reads the database's address

    command = [sys.executable, "-m", "procrastinate", "--app", "benchmarks.outbox_procrastinate.app"]
    for _ in range(rounds):
        _clear()
        with _worker():
            _enqueue(50)
            _wait(_all_done)
            begun_at = time.perf_counter()
            _enqueue(jobs)
            _wait(_all_done)
            ours.append(jobs / (time.perf_counter() - begun_at))
        with app.open(), _process([*command, "worker", "--concurrency", "20"]):
            nothing.batch_defer(*({"n": n} for n in range(50)))  # type: ignore[arg-type,unused-ignore]
            _wait(_all_succeeded)
            begun_at = time.perf_counter()
            nothing.batch_defer(*({"n": n} for n in range(jobs)))  # type: ignore[arg-type,unused-ignore]
            _wait(_all_succeeded)
            usual.append(jobs / (time.perf_counter() - begun_at))
    report.add(
        Figure(
            "outbox, relay and a worker of 2 processes (usual way: Procrastinate, 1 worker, 20 at once)",
            "jobs/s",
            ours=measured(ours),
            usual=measured(usual),
        )
    )


def _enqueue(jobs: int) -> None:
    with transaction() as connection:
        entries = [Entry(task="benchmarks.nothing", payload={"n": n}) for n in range(jobs)]
        enqueue_many(connection, entries, now=clock.now())


def _clear() -> None:
    with transaction() as connection:
        connection.execute("TRUNCATE job_outbox")
        connection.execute("TRUNCATE procrastinate_jobs CASCADE")
    with redis.Redis.from_url(get_settings().required_redis_url()) as client:
        client.delete("default")


def _one(statement: str) -> bool:
    with transaction() as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row is None


def _all_done() -> bool:
    return _one("SELECT FROM job_outbox WHERE done_at IS NULL LIMIT 1")


def _all_succeeded() -> bool:
    return _one("SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing') LIMIT 1")


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition.__name__} did not come about in {_TIMEOUT_S:.0f} s")
        time.sleep(0.02)


@contextmanager
def _worker(**environment: str) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-q", "-A", "worker.app", "worker", "-c", "2", "-Q", "default"]
    command += ["--include", "benchmarks.outbox_tasks", "--without-gossip", "--without-mingle"]
    with _process(command, ELP_LOG_LEVEL="WARNING", **environment):
        yield


@contextmanager
def _process(command: list[str], **environment: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)
        try:
            yield
        except TimeoutError as error:
            log.seek(0)
            raise RuntimeError(f"{error}; the worker said:\n{log.read()[-4_000:].decode()}") from error
        finally:
            process.terminate()
            process.wait(30)
