"""How fast achievements are evaluated: each learner, beside the pure aggregate query that this needs (the limit).

In the same run, on the same server, in turns, one process each:

* ours: what the nightly sweep evaluates: each shard's counters are read, the whole catalogue is applied, and awards are
  made, with their events (to a tenth of the learners beforehand, which is reported apart; none in the measured rounds,
  as on any other night: all that is earned is held already);
* the limit: the same aggregate query, shard by shard, its rows counted in the server and not sent.

Learners have ten local days each, written as months of use would leave them: a learner's days lie scattered.
100,000 are measured, the tenth of a million that one night takes; the cost is linear in the learners.
"""

import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from benchmarks.due_queue_tables import autocommit
from benchmarks.report import Figure, Report, measured
from worker.achievements import store
from worker.achievements.catalogue import load_catalogue
from worker.achievements.rules import awards
from worker.achievements.store import Range
from worker.db.engines import transaction
from worker.db.queries import load_query

NOW: Final = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
DAYS: Final = 10
LEARNERS: Final = 2_000
"""Learners in a shard, as the job has them."""
_USERS: Final = """
    INSERT INTO users (id, email, full_name)
    SELECT gen_random_uuid(), 'bench-' || n || '@example.org', 'Learner ' || n
    FROM generate_series(1, %(learners)s::int) AS n
"""
_STATS: Final = """
    INSERT INTO user_stats (user_id, attempts, correct, cards_mature, day_zone, day_start_hour, has_all_days)
    SELECT id, %(days)s::int * 12, %(days)s::int * (6 + dice %% 7), dice %% 40, 'Asia/Jakarta', 4, true
    FROM users CROSS JOIN LATERAL (SELECT hashtext(id::text) & 2147483647 AS dice) AS thrown
"""
_DAY: Final = """
    INSERT INTO user_days (user_id, local_date, attempts, correct, early, late)
    SELECT id, date '2026-10-01' + %(number)s::int * 4 + dice %% 4, 12, 6 + dice %% 7, dice %% 2, dice %% 3
    FROM users CROSS JOIN LATERAL (SELECT (hashtextextended(id::text, %(number)s::int) & 1023)::int AS dice) AS thrown
"""


def fill(learners: int) -> None:
    """Make learners with counters and days. The days are not logged: nothing measured writes them."""
    with transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # the foreign keys hold by construction
        connection.execute("ALTER TABLE user_days SET UNLOGGED")
        connection.execute("ALTER TABLE user_days DROP CONSTRAINT pk_user_days")
        connection.execute(_USERS, {"learners": learners})
        connection.execute(_STATS, {"days": DAYS})
        for number in range(DAYS):
            connection.execute(_DAY, {"number": number})
        connection.execute("ALTER TABLE user_days ADD CONSTRAINT pk_user_days PRIMARY KEY (user_id, local_date)")
    with autocommit() as connection:
        connection.execute("VACUUM ANALYZE users, user_stats, user_days")


def award_before(shards: list[Range]) -> None:
    """Write what the learners have earned as awards of earlier nights, without events."""
    find = awards(load_catalogue())
    with transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for first, last in shards:
            found = list(find(store.load_learners(connection, store.learners_between(connection, first, last))))
            with connection.cursor().copy(
                "COPY user_achievements (id, user_id, code, awarded_at, evidence) FROM STDIN"
            ) as copy:
                for each in found:
                    copy.write_row((uuid4(), each.user_id, each.code, NOW, Jsonb(each.evidence)))


def ranges() -> list[Range]:
    """Return the shards."""
    with transaction() as connection:
        return store.learner_ranges(connection, UUID(int=0), UUID(int=2**128 - 1), LEARNERS)


def ours(shards: list[Range]) -> tuple[float, int]:
    """Evaluate all learners, a transaction a shard; return seconds and new awards."""
    find = awards(load_catalogue())
    new = 0
    begun_at = time.perf_counter()
    for first, last in shards:
        with transaction() as connection:
            learners = store.load_learners(connection, store.learners_between(connection, first, last))
            new += len(store.award(connection, find(learners), NOW))
    return time.perf_counter() - begun_at, new


def limit(shards: list[Range]) -> float:
    """Return the seconds of the aggregate query alone, its rows reduced to one in the server."""
    statement = load_query("worker.achievements", "learner_counters")
    begun_at = time.perf_counter()
    for first, last in shards:
        with transaction() as connection:
            user_ids = store.learners_between(connection, first, last)
            connection.execute(
                f"SELECT count(counters) FROM ({statement}) AS counters",
                {"user_ids": user_ids},
            ).fetchone()
    return time.perf_counter() - begun_at


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figure; `quick` is small, for the shape of the output only."""
    learners, rounds = (20_000, 2) if quick else (100_000, 3)
    fill(learners)
    shards = ranges()
    first = shards[: max(1, len(shards) // 10)]
    seconds, new = ours(first)
    report.note(
        f"the first tenth awarded {new:,} achievements with their events:"
        f" {learners // 10 / seconds:,.0f} learners/s, {new / seconds:,.0f} awards/s"
    )
    award_before(shards[len(first) :])
    with autocommit() as connection:
        connection.execute("VACUUM ANALYZE user_achievements, app_events")
        connection.execute("CHECKPOINT")
    mine, least = [], []
    for _ in range(rounds):
        seconds, new = ours(shards)
        assert new == 0
        mine.append(learners / seconds)
        least.append(learners / limit(shards))
    report.add(
        Figure(
            f"achievements of {learners:,} learners, {learners * DAYS:,} local days",
            "learners/s",
            ours=measured(mine),
            limit=measured(least),
        )
    )
