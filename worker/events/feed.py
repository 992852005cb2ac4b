"""Reads the feed for the API: pages after a cursor, and waiting for the next event without asking all the time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from worker.db.engines import libpq_url
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.events.event import START, Page, Position, PublishedEvent
from worker.logging import get_logger

_log = get_logger(__name__)

CHANNEL: Final = "elp_app_events"
"""Where the trigger of `app_events` says that something was published."""
_LOOK_AGAIN_S: Final = 1.0
"""A reader who waits looks so often even if nobody says anything: the listening connection may just be down."""
_FIRST_LOOK_S: Final = 0.02
"""After a notice: its event becomes readable once every older transaction has ended, usually at once."""
_RECONNECT_S: Final = 1.0


class Notices:
    """Listens for published events on one connection, for all readers of a process who wait."""

    def __init__(self, database_url: str) -> None:
        self._url = libpq_url(database_url)
        self._task: asyncio.Task[None] | None = None
        self._next = asyncio.Event()

    def next(self) -> asyncio.Event:
        """Return what will be set by the next notice; the first call opens the connection."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="app event notices")
        return self._next

    async def stop(self) -> None:
        """Close the connection, and let whoever waits look once more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._notify()

    def _notify(self) -> None:
        waited_for, self._next = self._next, asyncio.Event()
        waited_for.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=5, application_name="elp-api-events"
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._notify()  # what was published before LISTEN
                    async for _ in connection.notifies():
                        self._notify()
            except (psycopg.Error, OSError) as error:
                _log.warning("event_notices_lost", error=f"{type(error).__name__}: {error}".splitlines()[0])
            await asyncio.sleep(_RECONNECT_S)


class EventFeed:
    """The feed of app events; shared by all requests of a process."""

    def __init__(self, engine: AsyncEngine, notices: Notices) -> None:
        self._engine = engine
        self._notices = notices

    async def read(self, after: Position | None, kinds: Sequence[str] | None, *, limit: int, wait_s: float = 0) -> Page:
        """Return the next events; none if none came within `wait_s`.

        Cost: one statement, linear in the events returned; while waiting, one more each second and at each notice.

        Args:
            after: where the reader has come to; None: the oldest event that is kept.
            kinds: those wanted; None: all.
            limit: at most so many.
            wait_s: how long to wait for the first one.

        Raises:
            sqlalchemy.exc.DBAPIError, OSError: PostgreSQL did not answer.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + wait_s
        pause = _LOOK_AGAIN_S
        while True:
            notice = self._notices.next() if wait_s else None  # taken before the look, so that none is missed
            page = await self._read(after or START, kinds, limit)
            left = ends_at - loop.time()
            if page or notice is None or left <= 0:
                return Page([event for _, event in page], page[-1][0].cursor if page else after and after.cursor)
            try:
                await asyncio.wait_for(notice.wait(), min(pause, left))
            except TimeoutError:
                pause = min(pause * 2, _LOOK_AGAIN_S)
            else:
                pause = _FIRST_LOOK_S

    async def _read(
        self, after: Position, kinds: Sequence[str] | None, limit: int
    ) -> list[tuple[Position, PublishedEvent]]:
        values = {
            "transaction_id": after.transaction_id,
            "event_id": after.event_id,
            "kinds": None if kinds is None else list(kinds),
            "limit": limit,
        }
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_READ, values)).all()
        return [(Position(row.transaction_id, row.id), msgspec.convert(row._asdict(), PublishedEvent)) for row in rows]


_READ: Final = as_text(load_query("worker.events", "read_events"))
