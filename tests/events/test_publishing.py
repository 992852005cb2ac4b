from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.factories import make_user
from worker.events import Event, publish
from worker.events.store import prune

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def keys(database):
    return [key for (key,) in database.execute("SELECT dedupe_key FROM app_events ORDER BY id")]


def event(key=None, *, kind="tryout.scored", user_id=None):
    return Event(kind, user_id, {"score": 3}, key)


def test_events_are_stored_as_they_were_given(database):
    learner = make_user(database)
    assert publish(database, [Event("tryout.scored", learner, {"session": learner, "score": 3}, "a")], now=NOW) == 1
    assert database.execute("SELECT kind, user_id, payload, dedupe_key, created_at FROM app_events").fetchall() == [
        ("tryout.scored", learner, {"session": str(learner), "score": 3}, "a", NOW)
    ]


def test_a_dedupe_key_counts_once_within_a_call_and_across_calls(database):
    assert publish(database, [event("a"), event("b"), event("a")], now=NOW) == 2
    assert publish(database, [event("b"), event("c")], now=NOW + timedelta(milliseconds=1)) == 1
    assert keys(database) == ["a", "b", "c"]


def test_events_without_a_key_are_never_dropped(database):
    assert publish(database, [event(), event()], now=NOW) == 2
    assert publish(database, [], now=NOW) == 0
    assert keys(database) == [None, None]


def test_many_events_keep_their_order(database):
    wanted = [f"{number:05}" for number in range(20_000)]
    assert publish(database, [event(key) for key in wanted], now=NOW) == 20_000
    assert keys(database) == wanted


def test_a_kind_that_is_none_and_an_unknown_learner_are_refused(database):
    with pytest.raises(psycopg.errors.CheckViolation), database.transaction():
        publish(database, [event(kind="Scored")], now=NOW)
    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.transaction():
        publish(database, [event(user_id=uuid4())], now=NOW)


def test_pruning_deletes_the_oldest_before_an_instant_and_no_more_than_told(database):
    for age in (3, 2, 1, 0):
        publish(database, [event(f"{age} days")], now=NOW - timedelta(days=age))
    assert prune(database, NOW - timedelta(days=1), limit=1) == 1
    assert keys(database) == ["2 days", "1 days", "0 days"]
    assert prune(database, NOW - timedelta(days=1), limit=10) == 1
    assert keys(database) == ["1 days", "0 days"]
