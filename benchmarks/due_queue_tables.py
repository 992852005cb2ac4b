"""Learners and cards to measure due queues on, as years of use leave them: a learner's cards lie scattered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from typing import Final

import psycopg

from worker.db import Connection
from worker.db.engines import libpq_url, transaction
from worker.settings import get_settings

TODAY: Final = date(2026, 11, 24)
CARDS: Final = 100
"""Cards of a learner."""
NOON: Final = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
"""In all three zones the day of `TODAY` has begun."""
_CHUNK: Final = 1_000_000
"""Cards written by one statement."""


_USERS = """
    INSERT INTO users (id, email, full_name, timezone)
    SELECT gen_random_uuid(), 'bench-' || n || '@example.org', 'Learner ' || n,
           (ARRAY['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura'])[1 + n %% 3]
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
    RETURNING id
"""
_CARDS = """
    INSERT INTO srs_cards
        (user_id, item_id, state, interval, next_review_date, is_learning, is_suspended, last_reviewed_at)
    SELECT learner.id,
           gen_random_uuid(),
           CASE WHEN n <= 20 THEN 'new' WHEN n <= 24 THEN 'learning' ELSE 'review' END,
           CASE WHEN n <= 20 THEN 0 WHEN n <= 24 THEN 1 ELSE 1 + (dice >> 8) %% 60 END,
           %(today)s::date + CASE WHEN n <= 20 THEN -n ELSE (dice >> 16) %% 50 - 10 END::int,
           n BETWEEN 21 AND 24,
           (dice >> 32) %% 50 = 0,
           CASE WHEN n > 20 THEN timestamptz '2026-11-01' END
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
    CROSS JOIN unnest(%(learners)s::uuid[]) AS learner (id)
    CROSS JOIN LATERAL (SELECT hashtextextended(learner.id::text, n) & 9223372036854775807 AS dice) AS thrown
"""


@contextmanager
def autocommit() -> Iterator[Connection]:
    """Yield a connection outside any transaction, for TRUNCATE, VACUUM and CHECKPOINT."""
    with psycopg.connect(libpq_url(get_settings().required_database_url()), autocommit=True) as connection:
        yield connection


def fill(learners: int) -> None:
    """Bring the tables to `learners` learners with their cards."""
    with transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # the foreign keys hold by construction
        have = connection.execute("SELECT count(*) FROM users").fetchone()
        assert have is not None
        new = [row[0] for row in connection.execute(_USERS, {"first": have[0] + 1, "last": learners})]
        with without_card_indexes(connection) if len(new) > 50_000 else nullcontext():
            cards_at_once = max(1, _CHUNK // max(len(new), 1))
            for first in range(1, CARDS + 1, cards_at_once):
                last = min(first + cards_at_once - 1, CARDS)
                connection.execute(_CARDS, {"first": first, "last": last, "learners": new, "today": TODAY})
    with autocommit() as connection:
        connection.execute("VACUUM ANALYZE users, srs_cards")
        connection.execute("CHECKPOINT")


@contextmanager
def without_card_indexes(connection: Connection) -> Iterator[None]:
    """Drop the cards' indexes for a large load and make them again as they were."""
    constraints = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'srs_cards'::regclass AND contype IN ('p', 'u')"
    ).fetchall()
    made: Sequence[str] = [f"ALTER TABLE srs_cards ADD CONSTRAINT {name} {body}" for name, body in constraints]
    for name, _ in constraints:
        connection.execute(f"ALTER TABLE srs_cards DROP CONSTRAINT {name}")
    indexes = connection.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'srs_cards'").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for statement in [*made, *(definition for _, definition in indexes)]:
        connection.execute(statement)
