"""How fast due queues are built: ours, beside what the database must do at least (the limit) and the usual way.

All in the same run, on the same server, in turns, one process each:

* ours: the whole job `srs.build_due_queues` as a worker runs it: planning, shards, ledger, queues, and their cache;
* the limit: an index scan that reads the due cards, plus a COPY of the same queues into the same table;
* the usual way: one learner after the other through the ORM, timed on some learners and given per learner.

Learners have 100 cards each (20 new, 4 learning, 76 in review; 37 of them in the day's range), written as years of use
would leave them: a learner's cards lie scattered over the table. The curve repeats ours from 10⁴ to 10⁷ cards.
"""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from statistics import median
from typing import Final

import redis
from psycopg import sql
from sqlalchemy import make_url, select

import tasks
from benchmarks.due_queue_tables import CARDS, NOON, TODAY, autocommit, fill
from benchmarks.due_queue_usual import build_one
from benchmarks.report import Figure, Report, measured
from worker import logging
from worker.db import Connection
from worker.db.engines import session_factory, sync_engine, transaction
from worker.db.schema import migrate
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.models import User
from worker.settings import get_settings

JOB: Final = "srs.build_due_queues"
_PERIODS = (NOON + timedelta(seconds=n) for n in count())
_SCAN = """
    SELECT count(due.id), sum(due.interval), count(*) FILTER (WHERE due.is_learning), min(due.state)
    FROM users AS learner
    CROSS JOIN LATERAL (
        SELECT id, interval, is_learning, state
        FROM srs_cards AS card
        WHERE card.user_id = learner.id AND NOT card.is_suspended AND card.next_review_date <= %s
    ) AS due
    WHERE learner.is_active
"""


def ours() -> tuple[float, int]:
    """Run the job from an empty queue table and return seconds and queues built."""
    forget_queues()
    begun_at = time.perf_counter()
    run = start_run(JOB, next(_PERIODS), trigger="manual").run
    work_on_run(run.run_id, budget_s=3_600)
    elapsed = time.perf_counter() - begun_at
    with transaction() as connection:
        row = connection.execute("SELECT state, items FROM job_runs WHERE id = %s", (run.run_id,)).fetchone()
    assert row is not None
    assert row[0] == "succeeded", row
    return elapsed, int(row[1])


def limit() -> float:
    """Return the seconds of the least that has to be done: read the due cards, write the queues."""
    with transaction() as connection:
        built = b"".join(_copy_out(connection, "srs_due_queues"))
    with autocommit() as connection:
        for method in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
            connection.execute(sql.SQL("SET enable_{} = off").format(sql.SQL(method)))
        connection.execute("SET jit = off")
        connection.execute("SET max_parallel_workers_per_gather = 0")
        begun_at = time.perf_counter()
        connection.execute(_SCAN, (TODAY,)).fetchall()
        elapsed = time.perf_counter() - begun_at
        connection.execute("TRUNCATE srs_due_queues")
        connection.execute("CHECKPOINT")
        begun_at = time.perf_counter()
        with connection.cursor().copy("COPY srs_due_queues FROM STDIN (FORMAT binary)") as copy:
            copy.write(built)
        return elapsed + time.perf_counter() - begun_at


def usual(sample: int) -> float:
    """Return the seconds a learner takes the usual way: a session, a few queries and a commit each."""
    forget_queues()
    with session_factory()() as session, redis.Redis.from_url(get_settings().required_redis_url()) as cache:
        learners = session.scalars(select(User.id).order_by(User.id).limit(sample)).all()
        begun_at = time.perf_counter()
        for user_id in learners:
            build_one(session, cache, user_id)
            session.commit()
            session.expunge_all()
        return (time.perf_counter() - begun_at) / len(learners)


def run(report: Report, *, quick: bool = False) -> None:
    """Measure in a database of its own and add the figures; `quick` is small, for the shape of the output only."""
    load_jobs(tasks.MODULES)
    logging.configure("benchmarks", get_settings().model_copy(update={"log_level": "WARNING"}))
    sizes = (100, 500) if quick else (100, 1_000, 10_000, 100_000)
    rounds, sample = (2, 200) if quick else (5, 2_000)
    with own_database():
        for learners in sizes:
            fill(learners)
            ours()  # warms the caches, for all sizes alike
            before_kb = _peak_memory_kb()
            seconds = [ours()[0] for _ in range(rounds)]
            grown_kb = _peak_memory_kb() - before_kb
            least = [limit() for _ in range(rounds)]
            cards = learners * CARDS
            report.add(
                Figure(
                    f"due queues, {cards:,} cards",
                    "cards/s",
                    ours=measured([cards / second for second in seconds]),
                    limit=measured([cards / second for second in least]),
                )
            )
            report.note(
                f"{cards:,} cards: {median(seconds) / cards * 1e6:.2f} µs a card, planning, ledger and cache included;"
                f" the limit {median(least) / cards * 1e6:.2f} µs; memory grew by {grown_kb:,} kB in {rounds} runs"
            )
        compare(report, rounds=rounds, sample=sample, demands=not quick)


def compare(report: Report, *, rounds: int, sample: int, demands: bool) -> None:
    """Measure ours, the limit and the usual way in turns, on the tables as they are."""
    mine, least, one_by_one = [], [], []
    queues = 0
    for _ in range(rounds):
        elapsed, queues = ours()
        mine.append(queues / elapsed)
        least.append(queues / limit())
        one_by_one.append(1 / usual(sample))
    report.add(
        Figure(
            f"due queues, {queues:,} learners, {queues * CARDS:,} cards",
            "learners/s",
            ours=measured(mine),
            limit=measured(least),
            usual=measured(one_by_one),
            least_of_limit=0.4 if demands else None,
            least_of_usual=20 if demands else None,
        )
    )
    report.note(f"the usual way was timed on {sample:,} learners of {queues:,}, one commit each")


def forget_queues() -> None:
    with autocommit() as connection:
        connection.execute("TRUNCATE srs_due_queues, job_runs, job_shards")
        connection.execute("CHECKPOINT")


def _copy_out(connection: Connection, table: str) -> Iterator[bytes]:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))) as copy:
        yield from (bytes(block) for block in copy)


@contextmanager
def own_database() -> Iterator[None]:
    """Make a migrated database on the server that the settings name, and work in it."""
    url = get_settings().required_database_url()
    name = f"elp_due_queues_{os.getpid()}"
    with autocommit() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    own_url = make_url(url).set(database=name).render_as_string(hide_password=False)
    try:
        migrate(own_url)
        _use(own_url)
        yield
    finally:
        sync_engine().dispose()
        _use(url)
        with autocommit() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _use(url: str) -> None:
    os.environ["ELP_DATABASE_URL"] = url
    get_settings.cache_clear()


def _peak_memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
