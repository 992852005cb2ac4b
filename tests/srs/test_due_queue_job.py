"""The job `srs.build_due_queues` from plan to cache, through the engine."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import psycopg
import pytest
import redis

import tasks
from tests.factories import make_card, make_user
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.settings import get_settings
from worker.srs.due_queue import DueQueue, cache_key

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)


@pytest.fixture
def learners(database_url: str) -> list[UUID]:
    """Five learners with a due card each."""
    load_jobs(tasks.MODULES)
    with psycopg.connect(database_url) as connection:
        users = sorted(make_user(connection) for _ in range(5))
        for user_id in users:
            make_card(connection, user_id=user_id, next_review_date=TODAY)
    return users


def run(at: datetime = AT) -> tuple[int, int]:
    """Run the job for a period and return its shards and the queues it built."""
    started = start_run("srs.build_due_queues", at).run
    work_on_run(started.run_id)
    with psycopg.connect(database()) as connection:
        row = connection.execute("SELECT shards_total, items FROM job_runs WHERE id = %s", (started.run_id,)).fetchone()
    assert row is not None
    return row


def database() -> str:
    return get_settings().required_database_url()


def queues() -> list[tuple[object, ...]]:
    with psycopg.connect(database()) as connection:
        return connection.execute("SELECT * FROM srs_due_queues ORDER BY user_id, local_date").fetchall()


def test_each_learner_gets_a_queue_from_some_shard(learners: list[UUID], redis_url: str, settings) -> None:
    settings(due_queue_shard_users=2)
    assert run() == (3, 5)
    assert [row[0] for row in queues()] == learners


def test_later_run_of_the_day_finds_nothing_to_do_and_changes_nothing(learners: list[UUID], redis_url: str) -> None:
    run()
    before = queues()
    assert run(AT + timedelta(minutes=15)) == (0, 0)
    assert queues() == before


def test_learner_who_joins_during_the_day_gets_a_queue_from_the_next_run(
    learners: list[UUID], redis_url: str, database_url: str
) -> None:
    run()
    with psycopg.connect(database_url) as connection:
        make_user(connection)
    assert run(AT + timedelta(minutes=15)) == (1, 1)


def test_late_run_builds_for_its_period_and_not_for_the_present(learners: list[UUID], redis_url: str) -> None:
    run(AT - timedelta(days=30))
    assert {row[1] for row in queues()} == {TODAY - timedelta(days=30)}


def test_every_queue_is_cached_as_the_app_reads_it(learners: list[UUID], redis_url: str, settings) -> None:
    settings(due_queue_cache_hours=2)
    run()
    with redis.Redis.from_url(redis_url) as client:
        for user_id in learners:
            cached = msgspec.json.decode(client.get(cache_key(user_id, TODAY)), type=DueQueue)
            assert (cached.user_id, cached.local_date, cached.review) == (user_id, TODAY, 1)
            assert 0 < client.ttl(cache_key(user_id, TODAY)) <= 7_200


def test_queues_are_built_while_redis_is_down(learners: list[UUID], settings) -> None:
    settings(redis_url="redis://127.0.0.1:1/0")
    assert run() == (1, 5)
    assert len(queues()) == 5
