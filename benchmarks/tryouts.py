"""How fast tryouts are scored, how soon the app hears of it, how long calibrating takes.

* scoring, ours: `score_waiting` in this process, from submitted sittings of 40 answers to scores, cohort and events;
* scoring, the usual way: one sitting after the other through the ORM (benchmarks/tryout_usual.py), a commit each;
* latency: 200 submissions a second through the API, a worker process with its pulse and relay, and the app's reader on
  GET /v1/events: from the start of the submitting request to the event in the reader's hands;
* calibration: 10,000 simulated examinees × 100 items, to converged estimates with standard errors and fit.
"""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import httpx
import numpy as np

from benchmarks.report import Figure, Report, measured
from benchmarks.tryout_tables import QUESTIONS, clear, make_form, make_sittings
from benchmarks.tryout_usual import score_one
from worker import logging
from worker.db import transaction
from worker.db.engines import session_factory
from worker.settings import get_settings
from worker.tryouts.irt import Items, calibrate, probabilities
from worker.tryouts.score import score_waiting

SUBMISSIONS_S: Final = 200
PROMISED_S: Final = 5.0
_CONNECTIONS: Final = 64
_START_TIMEOUT_S: Final = 60.0
_TOKEN: Final = secrets.token_urlsafe()


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures; `quick` is small, for the shape of the output only."""
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    with transaction() as connection:
        set_id, question_ids = make_form(connection)
    compare(report, set_id, question_ids, sittings=500 if quick else 5_000, sample=20 if quick else 200, quick=quick)
    latency(report, set_id, question_ids, seconds=3 if quick else 20, demands=not quick)
    calibration(report, examinees=1_000 if quick else 10_000, items=30 if quick else 100, rounds=2 if quick else 5)


def compare(report: Report, set_id: UUID, question_ids: list[UUID], *, sittings: int, sample: int, quick: bool) -> None:
    """Measure scoring, ours and the usual way in turns."""
    mine, one_by_one = [], []
    for round_number in range(2 if quick else 3):
        clear()
        ids = make_sittings(set_id, question_ids, sittings, state="submitted", seed=round_number)
        with session_factory()() as session:
            begun_at = time.perf_counter()
            for session_id, _ in ids[:sample]:
                score_one(session, session_id)
                session.commit()
                session.expunge_all()
            usual = sample / (time.perf_counter() - begun_at)
        begun_at = time.perf_counter()
        scored = score_waiting().scored
        ours = scored / (time.perf_counter() - begun_at)
        assert scored == sittings - sample, scored
        if round_number or quick:  # the first warms up
            mine.append(ours)
            one_by_one.append(usual)
    report.add(
        Figure(
            f"scoring, {sittings:,} sittings of {QUESTIONS} answers",
            "sittings/s",
            ours=measured(mine),
            usual=measured(one_by_one),
            least_of_usual=None if quick else 30,
        )
    )
    report.note(f"the usual way was timed on {sample:,} sittings of {sittings:,}; it keeps no counts of the cohort")


def latency(report: Report, set_id: UUID, question_ids: list[UUID], *, seconds: int, demands: bool) -> None:
    """Measure how soon after a submission the app's reader has its event, and how many of them in time."""
    clear()
    sittings = make_sittings(set_id, question_ids, SUBMISSIONS_S * seconds, state="in_progress")
    with _processes() as base_url:
        waits = asyncio.run(_drive(base_url, sittings))
    in_time = 100 * float(np.mean(waits <= PROMISED_S))
    report.add(
        Figure(
            f"event within {PROMISED_S:g} s of its submission, {SUBMISSIONS_S} submissions/s for {seconds} s",
            "% of events",
            ours=measured([in_time]),
            enough=99 if demands else None,
        )
    )
    half, most, worst = np.percentile(waits, [50, 99, 100])
    report.note(f"latency of {len(waits):,} events: median {half:.2f} s, 99 % {most:.2f} s, longest {worst:.2f} s")


def calibration(report: Report, *, examinees: int, items: int, rounds: int) -> None:
    """Measure a calibration."""
    random = np.random.default_rng(1)
    slopes, places = random.lognormal(0.1, 0.3, items), random.normal(0, 1, items)
    chances = probabilities(Items(slopes, -slopes * places), random.normal(0, 1, examinees))
    responses = (random.random(chances.shape) < chances).astype(np.int8)
    seconds = []
    for _ in range(rounds):
        begun_at = time.perf_counter()
        found = calibrate(responses)
        seconds.append(time.perf_counter() - begun_at)
        assert found.has_converged
    report.add(
        Figure(
            f"calibration, {examinees:,} examinees × {items} items",
            "responses/s",
            ours=measured([responses.size / second for second in seconds]),
        )
    )
    error = float(np.sqrt(np.mean((found.items.difficulty - places) ** 2)))
    report.note(
        f"calibration: {np.median(seconds):.2f} s, {found.cycles} cycles; difficulties are off by {error:.3f} (RMSE)"
    )


async def _drive(base_url: str, sittings: list[tuple[UUID, UUID]]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Submit at the given rate, whatever the answers take, read the feed meanwhile, and return the waits."""
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    sent: dict[str, float] = {}
    heard: dict[str, float] = {}
    connections = await _connect(base_url)
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60) as client:

        async def submit(session_id: UUID, user_id: UUID) -> None:
            sent[str(session_id)] = time.perf_counter()
            connection = await connections.get()
            await _post(connection, f"/v1/tryouts/{session_id}/submit", b'{"user_id": "%s"}' % str(user_id).encode())
            connections.put_nowait(connection)

        async def read() -> None:
            after: str | None = None
            while len(heard) < len(sittings):
                query = {"kind": "tryout.scored", "limit": "1000", "wait": "5"} | ({"after": after} if after else {})
                page = (await client.get("/v1/events", params=query)).json()
                now = time.perf_counter()
                for event in page["events"]:
                    heard.setdefault(event["payload"]["tryout_session_id"], now)
                after = page["next"] or after

        reader = asyncio.create_task(read())
        begun_at = time.perf_counter()
        tasks = []
        for number, (session_id, user_id) in enumerate(sittings):
            await asyncio.sleep(max(0.0, begun_at + number / SUBMISSIONS_S - time.perf_counter()))
            tasks.append(asyncio.create_task(submit(session_id, user_id)))
        await asyncio.gather(*tasks)
        await asyncio.wait_for(reader, 120)
    return np.array([heard[session_id] - sent[session_id] for session_id in sent])


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(base_url: str) -> asyncio.Queue[_Connection]:
    """Return keep-alive connections to the API: a generator of load that leaves the machine to the servers."""
    url = httpx.URL(base_url)
    connections: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        connections.put_nowait(await asyncio.open_connection(url.host, url.port))
    return connections


async def _post(connection: _Connection, path: str, body: bytes) -> None:
    """Send a request and read its answer, which has to be a success with a length."""
    reader, writer = connection
    head = (
        f"POST {path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {_TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    content = await reader.readexactly(int(length.partition(b":")[2]))
    assert answer.startswith(b"HTTP/1.1 200"), content


@contextmanager
def _processes() -> Iterator[str]:
    """Run the API and a worker as in production, each a process of its own, and yield the API's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "ELP_API_TOKEN": _TOKEN, "ELP_API_PORT": str(port), "ELP_LOG_LEVEL": "WARNING"}
    celery = ["celery", "-q", "-A", "worker.app", "worker", "-Q", "attempts,default", "-c", "1"]
    commands = [["worker.api"], [*celery, "--without-gossip", "--without-mingle"]]
    with tempfile.TemporaryFile() as log:
        running = [
            subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=log, stderr=log)
            for command in commands
        ]
        try:
            base_url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + _START_TIMEOUT_S
            while not _answers(base_url):
                if time.monotonic() > deadline or any(process.poll() is not None for process in running):
                    log.seek(0)
                    raise RuntimeError(f"a process did not start:\n{log.read()[-4_000:].decode()}")
                time.sleep(0.2)
            time.sleep(5)  # the worker has no address to ask; its pulse and child need a moment
            yield base_url
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)


def _answers(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/v1/health").is_success
    except httpx.TransportError:
        return False
