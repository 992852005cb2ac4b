"""Cutting the learners into shards: everyone who lacks a queue is in exactly one."""

from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_due_queue, make_user
from worker.srs import store
from worker.srs.due_queue import DayRule, cache_key, local_days

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
ids = st.sets(st.uuids(), max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(waiting=ids, served=ids, inactive=ids, shard_users=st.integers(1, 8))
def test_each_learner_who_lacks_a_queue_is_in_exactly_one_shard(
    database: psycopg.Connection, waiting: set[UUID], served: set[UUID], inactive: set[UUID], shard_users: int
) -> None:
    served, inactive = served - waiting, inactive - waiting - served
    with database.transaction(force_rollback=True):
        for user_id in waiting | served | inactive:
            make_user(database, id=user_id, is_active=user_id not in inactive)
        for user_id in served:
            make_due_queue(database, user_id=user_id, local_date=TODAY)
        days = local_days(store.day_rules(database), AT)
        ranges = store.due_queue_ranges(database, days, shard_users)
        counts = [sum(first <= user_id <= last for user_id in waiting) for first, last in ranges]
        built = [
            user_id
            for first, last in ranges
            for user_id, _, _ in store.build_due_queues(database, days, first, last, run_id=None, now=AT)
        ]
    assert all(sum(first <= user_id <= last for first, last in ranges) == 1 for user_id in waiting)
    assert all(count == shard_users for count in counts[:-1])
    assert sum(counts) == len(waiting)
    assert sorted(built) == sorted(waiting)


def test_a_range_counts_days_as_its_own_learners_do(database: psycopg.Connection) -> None:
    first = make_user(database, id=UUID(int=1), timezone="Asia/Makassar")
    make_user(database, id=UUID(int=2), day_start_hour=6)
    make_user(database, id=UUID(int=3), timezone="Asia/Jayapura")
    assert store.day_rules(database, first, UUID(int=2)) == [
        DayRule("Asia/Jakarta", 6, 1),
        DayRule("Asia/Makassar", 4, 1),
    ]


def test_no_learner_means_no_rule_and_no_shard(database: psycopg.Connection) -> None:
    days = local_days(store.day_rules(database), AT)
    assert (days.timezones, store.due_queue_ranges(database, days, 10)) == ([], [])


def test_cache_key_names_learner_and_day() -> None:
    assert cache_key(UUID(int=1), TODAY) == "elp:due:00000000-0000-0000-0000-000000000001:2026-11-24"
