from datetime import UTC, date, datetime
from uuid import uuid4

import msgspec
import pytest
import redis
from freezegun import freeze_time

from tests.api.server import ApiServer
from tests.factories import make_due_queue, make_user
from worker.srs.due_queue import DueQueue, cache_key

DAY = date(2026, 11, 23)
BUILT_AT = datetime(2026, 11, 22, 21, 5, tzinfo=UTC)


def queue_of(api, user_id, **query):
    return api.client.get(f"/v1/users/{user_id}/due-queue", params=query)


@pytest.fixture
def user_id(committed):
    return make_user(committed, timezone="Asia/Jakarta", day_start_hour=4)


@pytest.fixture
def cards():
    return [uuid4() for _ in range(3)]


@pytest.fixture
def built(committed, user_id, cards):
    make_due_queue(
        committed, user_id=user_id, local_date=DAY, card_ids=cards, learning=1, review=1, new=1, built_at=BUILT_AT
    )


def test_a_queue_comes_from_postgresql_without_redis(api, user_id, cards, built):
    answer = queue_of(api, user_id, date="2026-11-23")
    assert answer.status_code == 200
    assert answer.json() == {
        "user_id": str(user_id),
        "local_date": "2026-11-23",
        "card_ids": [str(card) for card in cards],
        "learning": 1,
        "review": 1,
        "new": 1,
        "overdue_total": answer.json()["overdue_total"],
        "built_at": "2026-11-22T21:05:00Z",
    }


def test_a_queue_comes_from_the_cache_if_it_is_there(committed_url, redis_url, user_id):
    queue = DueQueue(
        user_id=user_id, local_date=DAY, card_ids=[], learning=0, review=0, new=0, overdue_total=9, built_at=BUILT_AT
    )
    with redis.Redis.from_url(redis_url) as cache:
        cache.set(cache_key(user_id, DAY), msgspec.json.encode(queue))
    with ApiServer(committed_url, redis_url=redis_url) as api:
        assert queue_of(api, user_id, date="2026-11-23").json()["overdue_total"] == 9


def test_what_the_cache_lacks_or_garbles_comes_from_postgresql(committed_url, redis_url, user_id, cards, built):
    with ApiServer(committed_url, redis_url=redis_url) as api:
        assert queue_of(api, user_id, date="2026-11-23").json()["card_ids"] == [str(card) for card in cards]
        with redis.Redis.from_url(redis_url) as cache:
            cache.set(cache_key(user_id, DAY), b'{"card_ids": "none"')
        assert queue_of(api, user_id, date="2026-11-23").json()["card_ids"] == [str(card) for card in cards]


def test_while_redis_is_down_queues_come_from_postgresql(committed_url, user_id, cards, built):
    with ApiServer(committed_url, redis_url="redis://127.0.0.1:1/0") as api:
        for _ in range(3):
            assert queue_of(api, user_id, date="2026-11-23").json()["card_ids"] == [str(card) for card in cards]


@pytest.mark.parametrize(
    ("instant", "status"),
    [
        ("2026-11-22T20:59:59Z", 404),  # 03:59:59 in Jakarta: the 22nd is not over for a day that starts at 4
        ("2026-11-22T21:00:00Z", 200),
        ("2026-11-23T20:59:59Z", 200),
        ("2026-11-23T21:00:00Z", 404),
    ],
)
def test_without_a_date_the_learner_s_local_day_is_taken(api, user_id, built, instant, status):
    with freeze_time(instant, real_asyncio=True):
        assert queue_of(api, user_id).status_code == status


def test_an_unknown_learner_and_a_day_without_a_queue_are_not_found(api, user_id, built):
    assert queue_of(api, uuid4()).status_code == 404
    answer = queue_of(api, user_id, date="2026-11-24")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:elp:problem:unknown-due-queue"


@pytest.mark.parametrize("text", ["today", "2026-13-01", "20261123", "2026-11-23T00:00:00Z", "1"])
def test_a_date_that_is_none_is_named(api, user_id, text):
    answer = queue_of(api, user_id, date=text)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "date"
