"""How fast attempts are accepted: ours, beside a handler that only parses (the limit) and the usual way.

One server process (benchmarks/accept_server.py) serves all three in turns; on two cores it fills one, and the load
generator and PostgreSQL share the other. Ours means committed: each round ends with a count of the rows. Nobody drains
meanwhile; nudges go out.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil
import psycopg
import redis

from benchmarks.accept_server import LIMIT, USUAL
from benchmarks.report import Figure, Report, measured
from worker.api.accept import PATH as OURS
from worker.db.engines import libpq_url
from worker.settings import get_settings

START_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Server:
    """The server under load."""

    port: int
    process: psutil.Process

    def processor_s(self) -> float:
        """Processor time that it has taken so far, all its threads."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(slots=True)
class Course:
    """What the rounds against one route gave."""

    path: str
    requests: int
    rates: list[float] = field(default_factory=list)
    processor_us: list[float] = field(default_factory=list)
    load_share: list[float] = field(default_factory=list)


def compare(report: Report, name: str, courses: list[Course], *, each: int, connections: int, rounds: int) -> None:
    """Run the courses in turns, ours first, and note where the time goes."""
    with _server() as server, psycopg.connect(_database_url(), autocommit=True) as database:
        groups: list[float] = []
        for round_number in range(rounds + 1):
            for course in courses:
                _clear(database)
                seconds, processor_us, load_share = _run(server, course, each, connections)
                if course.path == OURS:
                    _check(database, course.requests * each)
                    groups.append(_group_size(database))
                if round_number:  # the first warms up
                    course.rates.append(course.requests * each / seconds)
                    course.processor_us.append(processor_us)
                    course.load_share.append(load_share)
        _clear(database)
    by_path = {course.path: measured(course.rates) for course in courses}
    report.add(
        Figure(
            f"accept, {name}, {connections} connections",
            "attempts/s",
            ours=by_path[OURS],
            limit=by_path.get(LIMIT),
            usual=by_path.get(USUAL),
            least_of_limit=0.5 if each == 1 else 0.4,
            least_of_usual=5 if USUAL in by_path else None,
            enough=None if each == 1 else 50_000,
        )
    )
    shares = "; ".join(
        f"{course.path} {measured(course.processor_us).median:.0f} µs of the server's core a request, load generator "
        f"{measured(course.load_share).median:.2f} of a core"
        for course in courses
    )
    report.note(f"accept, {name}: {measured(groups).median:.0f} attempts a transaction; {shares}")


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures: with `quick`, small and for the shape of the output only."""
    rounds, part = (2, 10) if quick else (5, 1)
    # Some seconds a round: the first group after the rows of the round before were cleared makes its plan anew.
    singles = [Course(OURS, 96_000 // part), Course(LIMIT, 96_000 // part), Course(USUAL, 4_000 // part)]
    compare(report, "single attempts", singles, each=1, connections=64, rounds=rounds)
    batches = [Course(OURS, 1_200 // part), Course(LIMIT, 4_000 // part)]
    compare(report, "batches of 100", batches, each=100, connections=16, rounds=rounds)


def _run(server: Server, course: Course, each: int, connections: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "benchmarks.accept_load"]
    arguments = [server.port, course.path, course.requests, each, connections]
    with subprocess.Popen(
        [*command, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        assert json.loads(load.stdout.readline())["ready"] == course.requests
        processor_s = server.processor_s()
        load.stdin.write("go\n")
        load.stdin.flush()
        result = json.loads(load.stdout.readline())
        processor_s = server.processor_s() - processor_s
    assert result["refused"] == 0, f"{course.path}: {result['refused']} requests were not accepted"
    return result["seconds"], processor_s / course.requests * 1e6, result["processor_share"]


@contextmanager
def _server() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.setdefault("ELP_API_TOKEN", secrets.token_urlsafe())
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "benchmarks.accept_server", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not _healthy(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"the server did not start:\n{log.read()[-4_000:].decode()}")
                time.sleep(0.1)
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def _healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v1/health").is_success
    except httpx.TransportError:
        return False


def _database_url() -> str:
    return libpq_url(get_settings().required_database_url())


def _clear(database: psycopg.Connection) -> None:
    database.execute("TRUNCATE attempt_inbox")
    database.execute("CHECKPOINT")
    with redis.Redis.from_url(get_settings().required_redis_url()) as broker:
        broker.delete("attempts", "usual")


def _check(database: psycopg.Connection, sent: int) -> None:
    row = database.execute("SELECT count(*) FROM attempt_inbox").fetchone()
    assert row == (sent,), f"{sent} attempts were accepted, {row} are stored"


def _group_size(database: psycopg.Connection) -> float:
    row = database.execute(
        "SELECT count(*) / greatest(count(DISTINCT xmin::text), 1)::float FROM attempt_inbox"
    ).fetchone()
    assert row is not None
    return float(row[0])


if __name__ == "__main__":
    own = Report("accept")
    run(own, quick="--quick" in sys.argv)
    own.print()
    print(own.write())
    sys.exit(not own.reached)
