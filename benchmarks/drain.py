"""How fast attempts are processed: ours, beside the COPY of the same rows (the limit) and the usual way.

All three are measured in the same run, on the same server and content, in turns:

* ours: `drain_lane` over all sixteen lanes in this one process, from a full inbox to an empty one;
* the limit: the graded rows that ours wrote, COPYed in binary into the same table with its indexes and foreign keys;
* the usual way (benchmarks/usual_way.py): one Celery task an attempt with the ORM, one worker process; same attempt,
  card (by SM-2), progress and counters. Ours schedules by FSRS here, and also keeps local days and achievement marks.

The curve repeats ours on tables that already hold 10⁴ to 10⁷ attempts and as many cards.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import redis
from psycopg.types.json import Json

from benchmarks.report import Figure, Report, measured
from worker import clock, logging
from worker.attempts.drain import drain_lane
from worker.content.seed import seed_content
from worker.db import Connection, transaction
from worker.demo import store
from worker.demo.learners import make_learners, plan_attempts
from worker.ids import LANES
from worker.settings import get_settings

_EFFECTS = (
    "question_attempts, srs_cards, lesson_progress, user_stats, user_days, achievement_marks, app_events,"
    " attempt_inbox, attempt_rejections"
)
_OF_LEARNERS = ("question_attempts", "srs_cards", "lesson_progress", "user_stats", "user_days", "achievement_marks")
_INBOX = ("id", "user_id", "question_id", "lesson_id", "answer", "time_spent_ms", "attempted_at")
_CARDS_PER_LEARNER = 500
_USUAL_TIMEOUT_S = 600.0


def prepare(learners: int, attempts: int) -> list[dict[str, Any]]:
    """Seed content and learners and return attempts by the demonstration's learner model, in the order of time."""
    generator = Random(1)
    people = make_learners(learners, generator)
    with transaction() as connection:
        seed_content(connection)
        store.enrol(connection, people)
        catalogue = store.read_catalogue(connection)
    return plan_attempts(people, catalogue, count=attempts, until=clock.now(), generator=generator)


def fill_inbox(attempts: Sequence[dict[str, Any]]) -> None:
    """Put the attempts into an inbox, as the API would have."""
    with (
        transaction() as connection,
        connection.cursor().copy(f"COPY attempt_inbox ({', '.join(_INBOX)}) FROM STDIN") as copy,
    ):
        for attempt in attempts:
            copy.write_row([Json(attempt[name]) if name == "answer" else attempt[name] for name in _INBOX])


def clear() -> None:
    """Forget all attempts and their effects."""
    with transaction() as connection:
        connection.execute(f"TRUNCATE {_EFFECTS}")


def drain_all() -> int:
    """Drain every lane in turn and return how many attempts were graded."""
    return sum(
        drain_lane(lane, batch_size=get_settings().drain_batch_size, max_seconds=3_600).graded for lane in range(LANES)
    )


def copy_graded() -> bytes:
    """Return all graded attempts in COPY's binary format."""
    with (
        transaction() as connection,
        connection.cursor().copy("COPY (SELECT * FROM question_attempts) TO STDOUT (FORMAT binary)") as copy,
    ):
        return b"".join(bytes(block) for block in copy)


def copy_back(rows: bytes) -> None:
    """COPY graded attempts into the empty table: the limit."""
    with (
        transaction() as connection,
        connection.cursor().copy("COPY question_attempts FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(rows)


@contextmanager
def usual_worker() -> Iterator[None]:
    """Run one worker process of the usual way."""
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.usual_way", "worker", "-c", "1", "-Q", "usual"]
    log = Path(os.environ.get("TMPDIR", "/tmp")) / f"elp-usual-{os.getpid()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--loglevel", "WARNING"], stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
        log.unlink()


def time_usual(attempts: Sequence[dict[str, Any]]) -> float:
    """Return the seconds in which a warm worker of the usual way processes the attempts."""
    from benchmarks.usual_way import app, process_attempt  # noqa: PLC0415 - reads the broker's address

    warm_up, timed = attempts[: len(attempts) // 10], attempts[len(attempts) // 10 :]
    with redis.Redis.from_url(get_settings().required_redis_url()) as client, app.connection_for_write():
        client.delete("usual")
        for attempt in warm_up:
            process_attempt.delay(attempt)
        _wait_for(len(warm_up))
        for attempt in timed:
            process_attempt.delay(attempt)
        # Publishing overlaps with the work, as it would; the clock runs from a known count on.
        begun_at, begun_with = time.perf_counter(), _graded()
        _wait_for(len(attempts))
        elapsed = time.perf_counter() - begun_at
    return elapsed / max(len(attempts) - begun_with, 1) * len(attempts)


def _graded() -> int:
    with transaction() as connection:
        row = connection.execute("SELECT count(*) FROM question_attempts").fetchone()
    assert row is not None
    return int(row[0])


def _wait_for(wanted: int) -> None:
    deadline = time.monotonic() + _USUAL_TIMEOUT_S
    while _graded() < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the usual way has not processed {wanted} attempts in {_USUAL_TIMEOUT_S:.0f} s")
        time.sleep(0.02)


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures; `quick` is small, for the shape of the output only."""
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    rounds = 2 if quick else 5
    attempts, learners, usual_attempts = (4_000, 200, 200) if quick else (80_000, 4_000, 2_000)
    compare(
        report,
        attempts=attempts,
        learners=learners,
        usual_attempts=usual_attempts,
        rounds=rounds,
        demands=not quick,
    )
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000, 10_000_000)
    curve(report, sizes=sizes, attempts=attempts, learners=learners, rounds=rounds)


def compare(report: Report, *, attempts: int, learners: int, usual_attempts: int, rounds: int, demands: bool) -> None:
    """Measure ours, the limit and the usual way in turns."""
    plan = prepare(learners, attempts)
    ours, limit, usual = [], [], []
    with usual_worker():
        for _ in range(rounds):
            clear()
            fill_inbox(plan)
            begun_at = time.perf_counter()
            graded = drain_all()
            ours.append(graded / (time.perf_counter() - begun_at))
            assert graded == len(plan)
            rows = copy_graded()
            clear()
            begun_at = time.perf_counter()
            copy_back(rows)
            limit.append(graded / (time.perf_counter() - begun_at))
            clear()
            usual.append(usual_attempts / time_usual(plan[:usual_attempts]))
    report.add(
        Figure(
            "drain, one worker process",
            "attempts/s",
            ours=measured(ours),
            limit=measured(limit),
            usual=measured(usual),
            least_of_limit=0.25 if demands else None,
            least_of_usual=30 if demands else None,
        )
    )


def preload(connection: Connection, rows: int, question_ids: Sequence[UUID]) -> None:
    """Bring graded attempts and cards of other learners to `rows` each; foreign keys are not checked meanwhile."""
    connection.execute("SET LOCAL session_replication_role = replica")
    have = connection.execute("SELECT count(*) FROM users WHERE email LIKE 'preloaded-%%'", ()).fetchone()
    assert have is not None
    wanted = {"first": have[0] + 1, "last": rows // _CARDS_PER_LEARNER, "questions": list(question_ids)}
    connection.execute(
        "CREATE TEMP TABLE preloaded ON COMMIT DROP AS SELECT n, gen_random_uuid() AS id"
        " FROM generate_series(%(first)s::int, %(last)s::int) AS n",
        wanted,
    )
    connection.execute(
        "INSERT INTO users (id, email, full_name)"
        " SELECT id, 'preloaded-' || n || '@example.org', 'preloaded' FROM preloaded"
    )
    connection.execute(
        "INSERT INTO srs_cards (user_id, item_id, state, interval, repetitions, next_review_date, last_reviewed_at)"
        " SELECT p.id, q.id, 'review', 6, 2, DATE '2026-01-01' + (p.n %% 400)::int, now() - interval '9 days'"
        " FROM preloaded p CROSS JOIN unnest(%(questions)s::uuid[]) AS q (id)",
        wanted,
    )
    connection.execute(
        "INSERT INTO question_attempts (id, user_id, question_id, answer, is_correct, score, time_spent_ms,"
        " attempted_at, received_at, graded_at)"
        " SELECT overlay(uuidv7()::text PLACING left(uuidv7_floor(now() - interval '9 days')::text, 8) FROM 1 FOR 8)"
        "::uuid, p.id, q.id, '{\"choice\": \"a\"}', true, 1, 5000, now() - interval '9 days', now(), now()"
        " FROM preloaded p CROSS JOIN unnest(%(questions)s::uuid[]) AS q (id)",
        wanted,
    )


def curve(report: Report, *, sizes: Sequence[int], attempts: int, learners: int, rounds: int) -> None:
    """Measure ours on growing tables: the cost of an attempt must stay flat."""
    plan = prepare(learners, attempts)
    clear()
    with transaction() as connection:
        question_ids = [
            row[0] for row in connection.execute("SELECT id FROM questions ORDER BY id LIMIT %s", (_CARDS_PER_LEARNER,))
        ]
    mine = sorted({UUID(attempt["user_id"]) for attempt in plan})
    for size in sizes:
        with transaction() as connection:
            preload(connection, size, question_ids)
        with psycopg.connect(get_settings().required_database_url(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE question_attempts, srs_cards, users")
            connection.execute("CHECKPOINT")
        rates = []
        for _ in range(rounds):
            fill_inbox(plan)
            begun_at = time.perf_counter()
            graded = drain_all()
            rates.append(graded / (time.perf_counter() - begun_at))
            with transaction() as connection:
                for table in _OF_LEARNERS:
                    connection.execute(f"DELETE FROM {table} WHERE user_id = ANY(%s)", (mine,))
            with psycopg.connect(get_settings().required_database_url(), autocommit=True) as connection:
                connection.execute(f"VACUUM {', '.join(_OF_LEARNERS)}, attempt_inbox")
        report.add(Figure(f"drain, tables of {size:,} rows", "attempts/s", ours=measured(rates)))
        report.note(f"tables of {size:,} rows: {1e6 / measured(rates).median:.1f} µs an attempt")
