import threading
import time
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import make_user
from tests.support.processes import wait_until
from worker import clock
from worker.events import Event, publish


@pytest.fixture
def kind():
    """A kind that only this test publishes: the tests of this module share the feed."""
    return f"test.k{uuid4().hex}"


def publish_some(connection, kind, *numbers, user_id=None):
    publish(connection, [Event(kind, user_id, {"n": number}) for number in numbers], now=clock.now())


def read(api, kind=None, after=None, **query):
    query |= {name: value for name, value in {"kind": kind, "after": after}.items() if value is not None}
    answer = api.client.get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(page):
    return [event["payload"]["n"] for event in page["events"]]


def read_page(api, kind=None, after=None, **query):
    """Read until there is something: writing transactions of other tests on the same server delay the feed."""
    for _ in range(9):
        page = read(api, kind, after, wait=20, **query)
        if page["events"]:
            return page
    raise AssertionError("no event came within 180 s")


def read_some(api, kind, count, *, limit=100, after=None):
    """Follow the feed until `count` events were read."""
    found: list[int] = []
    while len(found) < count:
        page = read_page(api, kind, after, limit=limit)
        found += numbers(page)
        after = page["next"]
    assert read(api, kind, after)["events"] == []
    return found


def test_an_event_carries_all_that_was_published(api, committed, kind):
    learner = make_user(committed)
    publish_some(committed, kind, 1, user_id=learner)
    (event,) = read_page(api, kind)["events"]
    assert event.pop("id")
    assert event.pop("created_at").endswith("Z")
    assert event == {"kind": kind, "user_id": str(learner), "payload": {"n": 1}}


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_pages_hold_every_event_once_in_order(api, committed, kind, limit):
    for first in (0, 3, 6):
        publish_some(committed, kind, first, first + 1, first + 2)
    assert read_some(api, kind, 9, limit=limit) == list(range(9))


def test_several_kinds_and_all_kinds_can_be_read(api, committed, kind):
    publish_some(committed, kind, 9)
    start = read_page(api, kind)["next"]
    for number, each in enumerate((kind, f"{kind}b", "test.other")):
        publish_some(committed, each, number)
    assert read_some(api, [kind, f"{kind}b"], 2, after=start) == [0, 1]
    assert read_some(api, None, 3, after=start) == [0, 1, 2]


def test_a_reader_at_the_end_keeps_its_place(api, committed, kind):
    assert read(api, kind) == {"events": [], "next": None}
    publish_some(committed, kind, 1)
    end = read_page(api, kind)["next"]
    assert read(api, kind, end) == {"events": [], "next": end}
    publish_some(committed, kind, 2)
    assert read_some(api, kind, 1, after=end) == [2]


def test_an_event_that_commits_late_is_never_skipped(api, committed, committed_url, kind):
    with psycopg.connect(committed_url) as late:
        publish_some(late, kind, 1)
        publish_some(committed, kind, 2)  # committed at once; an older transaction is still open
        page = read(api, kind)
        assert numbers(page) == []
        late.commit()
    assert read_some(api, kind, 2, after=page["next"]) == [1, 2]


def test_an_event_that_is_rolled_back_is_never_seen_and_blocks_nobody(api, committed, committed_url, kind):
    with psycopg.connect(committed_url) as late:
        publish_some(late, kind, 1)
        late.rollback()
    publish_some(committed, kind, 2)
    assert read_some(api, kind, 1) == [2]


def test_concurrent_publishers_lose_and_repeat_nothing_for_a_reader_who_follows(api, committed_url, kind):
    writers, each = 6, 25

    def write(number):
        with psycopg.connect(committed_url) as connection:
            for step in range(each):
                publish_some(connection, kind, number * each + step)
                time.sleep(0.002 * (number % 3))
                connection.commit() if step % 5 else connection.rollback()

    threads = [threading.Thread(target=write, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    seen = read_some(api, kind, writers * each * 4 // 5, limit=7)
    for thread in threads:
        thread.join()
    assert sorted(seen) == [n for n in range(writers * each) if n % each % 5]


def test_who_waits_is_woken_by_the_next_event(api, committed, kind):
    found: list[int] = []

    def wait():
        found.extend(read_some(api, kind, 1))

    thread = threading.Thread(target=wait)
    thread.start()
    listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'elp-api-events' AND state = 'idle'"
    wait_until(lambda: committed.execute(listening).fetchone() != (0,), what="the listening connection")
    time.sleep(0.3)
    publish_some(committed, kind, 5)
    thread.join(200)
    assert found == [5]


def test_who_waits_in_vain_gets_an_empty_page_after_that_time(api, kind):
    started = time.monotonic()
    assert read(api, kind, wait=0.4)["events"] == []
    assert 0.4 <= time.monotonic() - started < 20


def test_who_waits_sees_events_also_after_the_listening_connection_was_cut(api, committed, kind):
    read(api, kind, wait=0.2)
    committed.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'elp-api-events'"
    )
    thread = threading.Timer(0.3, lambda: publish_some(committed, kind, 7))
    thread.start()
    assert read_some(api, kind, 1) == [7]
    thread.join()


def test_events_go_away_with_the_account(api, committed, kind):
    learner = make_user(committed)
    publish_some(committed, kind, 1, user_id=learner)
    committed.execute("DELETE FROM users WHERE id = %s", [learner])
    publish_some(committed, kind, 2)
    assert read_some(api, kind, 1) == [2]


@settings(max_examples=50)
@given(after=st.text(max_size=80))
def test_a_cursor_of_another_make_is_named(api, after):
    answer = api.client.get("/v1/events", params={"after": after})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "after"


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"wait": 26}, {"wait": -1}, {"limit": "many"}])
def test_a_parameter_out_of_range_is_named(api, query):
    answer = api.client.get("/v1/events", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_the_feed_needs_the_token(api):
    assert api.client.get("/v1/events", headers={"Authorization": "Bearer no"}).status_code == 401
