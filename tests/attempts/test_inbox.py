import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import msgspec
import psycopg
import pytest

from tests.support.processes import wait_until
from worker.attempts import inbox as inbox_module
from worker.attempts.inbox import Inbox
from worker.attempts.inbox_rows import NewAttempt
from worker.attempts.inbox_store import InboxUnavailableError
from worker.clock import now
from worker.ids import lane_of, uuid7


def attempt(**fields):
    values = {
        "id": uuid7(),
        "user_id": uuid4(),
        "question_id": uuid4(),
        "answer": msgspec.Raw(b'{"choice": "b"}'),
        "attempted_at": now(),
    }
    return NewAttempt(**values | fields)


@asynccontextmanager
async def running(url: str, **options) -> AsyncIterator[Inbox]:
    inbox = Inbox(url, **{"group_max": 10_000, "nudge": lambda lanes: None, "timeout_s": 5.0, **options})
    inbox.start()
    try:
        yield inbox
    finally:
        await inbox.stop()


@pytest.fixture
def connection(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def count(connection):
    return connection.execute("SELECT count(*) FROM attempt_inbox").fetchone()[0]


def transactions(connection):
    return connection.execute("SELECT count(DISTINCT xmin::text) FROM attempt_inbox").fetchone()[0]


async def test_concurrent_requests_share_few_transactions(database_url, connection):
    async with running(database_url) as inbox:
        await asyncio.gather(*[inbox.accept([attempt()]) for _ in range(200)])
        assert inbox.stored == count(connection) == 200
        assert inbox.groups == transactions(connection) <= 4


async def test_a_request_returns_only_after_its_attempts_are_committed(database_url, connection):
    async with running(database_url) as inbox:

        async def send():
            sent = attempt()
            await inbox.accept([sent])
            assert connection.execute("SELECT 1 FROM attempt_inbox WHERE id = %s", [sent.id]).fetchone()

        for _ in range(5):
            await asyncio.gather(*[send() for _ in range(5)])


async def test_a_group_holds_no_more_than_its_limit(database_url, connection):
    async with running(database_url, group_max=10) as inbox:
        await asyncio.gather(*[inbox.accept([attempt() for _ in range(4)]) for _ in range(10)])
        assert inbox.groups == 5
        await inbox.accept([attempt() for _ in range(25)])
        assert inbox.groups == 6
    assert count(connection) == 65


async def test_a_cancelled_request_stops_nobody_else(database_url, connection):
    async with running(database_url) as inbox:
        with connection.transaction():
            connection.execute("LOCK TABLE attempt_inbox")
            sent = [attempt() for _ in range(10)]
            requests = [asyncio.ensure_future(inbox.accept([one])) for one in sent]
            await asyncio.sleep(0.1)
            for request in requests[::2]:
                request.cancel()
        done = await asyncio.gather(*requests, return_exceptions=True)
        assert [isinstance(result, asyncio.CancelledError) for result in done] == [True, False] * 5
        await inbox.accept([attempt()])
    stored = {row[0] for row in connection.execute("SELECT id FROM attempt_inbox")}
    assert stored >= {one.id for one in sent[1::2]}


async def test_data_that_the_server_refuses_costs_only_its_own_attempt(database_url, connection):
    connection.execute("ALTER TABLE attempt_inbox ADD CONSTRAINT ck_poison CHECK (time_spent_ms IS DISTINCT FROM 666)")
    async with running(database_url) as inbox:
        poison = attempt(time_spent_ms=666)
        requests = [[attempt() for _ in range(3)] for _ in range(20)]
        requests[7][1] = poison
        requests[13] = [attempt(time_spent_ms=666)]
        verdicts = await asyncio.gather(*[inbox.accept(sent) for sent in requests])
        refused = {(n, position) for n, verdict in enumerate(verdicts) for position in verdict.refusals}
        assert refused == {(7, 1), (13, 0)}
        assert verdicts[7].refusals[1].field == "answer"
        assert count(connection) == 19 * 3 - 1


async def test_an_attempt_that_is_just_being_drained_is_not_waited_for(database_url, connection):
    sent = attempt()
    async with running(database_url) as inbox:
        await inbox.accept([sent])
        with connection.transaction():
            connection.execute("DELETE FROM attempt_inbox WHERE id = %s", [sent.id])
            verdict = await asyncio.wait_for(inbox.accept([sent, attempt()]), 30)
        assert verdict.duplicates == (0,)


async def test_processes_that_send_the_same_attempts_crosswise_all_succeed(database_url, connection):
    attempts = [attempt() for _ in range(400)]
    async with running(database_url) as one, running(database_url) as other:
        verdicts = await asyncio.gather(one.accept(attempts), other.accept(attempts[::-1]))
    assert count(connection) == 400
    assert sum(400 - len(verdict.duplicates) for verdict in verdicts) == 400


async def test_lanes_are_told_after_the_commit(database_url, connection):
    told = []
    async with running(database_url, nudge=lambda lanes: told.append((lanes, count(connection)))) as inbox:
        sent = attempt()
        await inbox.accept([sent])
    assert told == [(1 << lane_of(sent.user_id), 1)]


async def test_more_than_may_wait_is_refused_at_once(database_url, connection, monkeypatch):
    monkeypatch.setattr(inbox_module, "WAITING_GROUPS", 2)
    async with running(database_url, group_max=10) as inbox:
        await inbox.accept([attempt()])
        with connection.transaction():
            connection.execute("LOCK TABLE attempt_inbox")
            under_way = []
            for _ in range(3):
                under_way.append(asyncio.ensure_future(inbox.accept([attempt() for _ in range(10)])))
                await asyncio.sleep(0.05)
            with pytest.raises(InboxUnavailableError, match="too many"):
                await inbox.accept([attempt()])
        await asyncio.gather(*under_way)
        await inbox.accept([attempt()])
    assert count(connection) == 32


async def test_more_memory_than_may_wait_is_refused_at_once(database_url, connection, monkeypatch):
    monkeypatch.setattr(inbox_module, "WAITING_BYTES", 1_000)
    async with running(database_url) as inbox:
        await inbox.accept([attempt()], 5_000)  # nothing waits: a request alone is always taken
        with connection.transaction():
            connection.execute("LOCK TABLE attempt_inbox")
            under_way = []
            for size in (600, 600, 400):
                under_way.append(asyncio.ensure_future(inbox.accept([attempt()], size)))
                await asyncio.sleep(0.05)
            with pytest.raises(InboxUnavailableError, match="too many"):
                await inbox.accept([attempt()], 1)
        await asyncio.gather(*under_way)
        await inbox.accept([attempt()], 900)
    assert count(connection) == 5


async def test_a_server_that_hangs_is_given_up_in_time(database_url, connection):
    async with running(database_url, timeout_s=0.5) as inbox:
        with connection.transaction():
            connection.execute("LOCK TABLE attempt_inbox")
            with pytest.raises(InboxUnavailableError):
                await asyncio.wait_for(inbox.accept([attempt()]), 60)
        await recovered(inbox)
    assert count(connection) == 1


async def recovered(inbox: Inbox, timeout_s: float = 90.0) -> None:
    """Send until it works."""
    sent = attempt()
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                await inbox.accept([sent])
            except InboxUnavailableError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_lost_connection_is_replaced(database_url, connection):
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'elp-api inbox'"
        " AND datname = current_database()"
    )
    async with running(database_url) as inbox:
        await inbox.accept([attempt()])
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'elp-api inbox'"
            " AND datname = current_database()"
        )
        await asyncio.to_thread(wait_until, lambda: connection.execute(sessions).fetchone() == (0,))
        await asyncio.sleep(0.1)
        await inbox.accept([attempt()])  # noticed while idle: not even one request fails
        with connection.transaction():
            connection.execute("LOCK TABLE attempt_inbox")
            under_way = asyncio.ensure_future(inbox.accept([attempt()]))
            await asyncio.sleep(0.1)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'elp-api inbox'"
                " AND datname = current_database()"
            )
            with pytest.raises(InboxUnavailableError):
                await under_way
        await recovered(inbox)


async def test_a_read_only_server_is_no_reason_to_lose_anything(database_url, connection):
    database = connection.info.dbname
    async with running(database_url) as inbox:
        connection.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        with pytest.raises(InboxUnavailableError):
            await inbox.accept([attempt()])
        connection.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        await recovered(inbox)


async def test_an_error_of_ours_costs_one_group_and_not_the_inbox(database_url, connection, monkeypatch):
    async with running(database_url) as inbox:
        with monkeypatch.context() as broken:
            broken.setattr(inbox_module, "lanes_of", lambda attempts: 1 / 0)
            with pytest.raises(InboxUnavailableError, match="internal"):
                await inbox.accept([attempt()])
        await inbox.accept([attempt()])


async def test_no_server_is_said_at_once_and_while_it_stays_away():
    async with running("postgresql://nobody@127.0.0.1:1/nothing") as inbox:
        for _ in range(3):
            with pytest.raises(InboxUnavailableError):
                await asyncio.wait_for(inbox.accept([attempt()]), 2)


async def test_a_role_without_synchronous_commit_commits_synchronously_here(database_url, connection):
    connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit = off")
    async with running(database_url) as inbox:
        await inbox.accept([attempt()])
        state = inbox._store._connection
        result = state._pgconn
        assert result is not None
        state._pgconn.send_query_params(b"SELECT current_setting('synchronous_commit')", [])
        assert (await state._exchange()).get_value(0, 0) == b"on"


async def test_stopping_commits_what_waits_and_refuses_what_comes_later(database_url, connection):
    async with running(database_url) as inbox:
        waiting = [asyncio.ensure_future(inbox.accept([attempt()])) for _ in range(20)]
        await asyncio.sleep(0)
        await inbox.stop()
        await asyncio.gather(*waiting)
        assert count(connection) == 20
        with pytest.raises(InboxUnavailableError, match="stopping"):
            await inbox.accept([attempt()])


async def test_groups_of_megabytes_get_through(database_url, connection):
    answer = msgspec.Raw(b'"' + b"x" * 16_000 + b'"')
    async with running(database_url) as inbox:
        await asyncio.gather(*[inbox.accept([attempt(answer=answer) for _ in range(100)]) for _ in range(10)])
    assert count(connection) == 1_000


async def test_instants_keep_their_microseconds(database_url, connection):
    sent = attempt(attempted_at=now() - timedelta(days=9_000, microseconds=1))
    async with running(database_url) as inbox:
        await inbox.accept([sent])
    assert connection.execute("SELECT attempted_at FROM attempt_inbox").fetchone() == (sent.attempted_at,)
