"""The inbox's own connection: prepared statements with binary parameters, straight on libpq.

psycopg connects (addresses, TLS, time-outs, errors); the exchange itself is ours: per group it takes half the processor
time of a cursor (measured with 64 attempts: 0.10 ms against 0.23 ms, asyncpg 0.30 ms), in the process whose time is the
limit of the whole intake.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, Self

import psycopg
from psycopg import pq

from worker.attempts.inbox_rows import COLUMNS
from worker.db.engines import libpq_url
from worker.db.queries import load_query

CONNECT_TIMEOUT_S: Final = 5

_ACCEPT: Final = b"accept_attempts"
_KNOWN: Final = b"accept_known"
_GOOD: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_KNOWN_PARAMETERS: Final = ("ids", "smallest_id", "largest_id")

# One plan for every group: planning 30 partitions anew costs more than the statement. It may be made while the tables
# are still empty, hence never on sequential scans (and never with JIT, which their price would switch on).
_SETTINGS: Final = b"""
SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
       set_config('enable_seqscan', 'off', false),
       set_config('jit', 'off', false),
       set_config('statement_timeout', $1, false),
       set_config('synchronous_commit',  -- a 202 means committed, whatever the role's default
                  CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                  ELSE current_setting('synchronous_commit') END, false)
"""


class InboxConnection:
    """One connection, one statement at a time; broken once, it stays broken."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], timeout_s: float) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._socket = connection.pgconn.socket
        self._reply: asyncio.Future[pq.abc.PGresult] | None = None
        self._result: pq.abc.PGresult | None = None
        self.broken = False
        self._loop.add_reader(self._socket, self._on_readable)

    @classmethod
    async def open(cls, url: str, *, timeout_s: float) -> Self:
        """Connect and prepare the statements.

        Args:
            url: the database, in any of the accepted forms.
            timeout_s: seconds that one statement may take.

        Raises:
            psycopg.Error: no server, no permission, or the schema is missing.
            TimeoutError: it took too long.
        """
        async with asyncio.timeout(CONNECT_TIMEOUT_S + timeout_s):
            connection = await psycopg.AsyncConnection.connect(
                libpq_url(url),
                autocommit=True,
                application_name="elp-api inbox",
                connect_timeout=CONNECT_TIMEOUT_S,
                tcp_user_timeout=int(timeout_s * 1_000),
            )
            self = cls(connection, timeout_s)
            try:
                self._pgconn.send_query_params(_SETTINGS, [str(int(timeout_s * 1_000)).encode()])
                await self._exchange()
                await self._prepare(_ACCEPT, "accept_attempts", COLUMNS)
                await self._prepare(_KNOWN, "accept_known", _KNOWN_PARAMETERS)
            except BaseException:
                self.close()
                raise
            return self

    async def accept(self, columns: Sequence[bytes], count: int) -> set[bytes] | None:
        """Store a group in one transaction.

        Args:
            columns: the group, encoded.
            count: attempts in it.

        Returns:
            None if all were new, as nearly always; else the ids that were, in binary form.

        Raises:
            psycopg.Error: the server's answer, or the loss of the connection.
            TimeoutError: no answer in time; whether the group was stored is unknown, and the connection is closed.
        """
        result = await self._execute(_ACCEPT, columns)
        if result.ntuples == count:
            return None
        return {_value(result, row, 0) for row in range(result.ntuples)}

    async def known(self, ids: bytes, smallest_id: bytes, largest_id: bytes) -> dict[bytes, tuple[bytes, bytes | None]]:
        """Return learner and question of each of these ids that is known, all in binary form.

        Raises:
            psycopg.Error, TimeoutError: as for `accept`.
        """
        result = await self._execute(_KNOWN, [ids, smallest_id, largest_id])
        return {
            _value(result, row, 0): (_value(result, row, 1), result.get_value(row, 2)) for row in range(result.ntuples)
        }

    def close(self) -> None:
        """Hang up. A statement under way fails here; the server finishes or drops it."""
        if not self.broken:
            self._break(psycopg.OperationalError("the connection was closed"))

    async def _prepare(self, name: bytes, query: str, parameters: Sequence[str]) -> None:
        sql = positional(load_query("worker.attempts", query), parameters)
        self._pgconn.send_prepare(name, sql.encode())
        await self._exchange()

    async def _execute(self, name: bytes, parameters: Sequence[bytes]) -> pq.abc.PGresult:
        if self.broken:
            raise psycopg.OperationalError("the connection is lost")
        self._pgconn.send_query_prepared(name, parameters, [pq.Format.BINARY] * len(parameters), pq.Format.BINARY)
        return await self._exchange()

    async def _exchange(self) -> pq.abc.PGresult:
        """Send what was queued and return the server's one answer."""
        self._reply = reply = self._loop.create_future()
        self._flush()
        # A timer of the loop, not asyncio.timeout: once per group, but a tenth of the price.
        timer = self._loop.call_later(self._timeout_s + 1, self._on_timeout)  # the server's own time-out comes first
        try:
            result: pq.abc.PGresult = await reply
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()
            self._reply = None
        if result.status in _GOOD:
            return result
        raise psycopg.errors.error_from_result(result)

    def _on_timeout(self) -> None:
        self._break(TimeoutError("the server does not answer"))

    def _flush(self) -> None:
        try:
            if self._pgconn.flush():  # the socket is full: go on when it is writable (a group may be megabytes)
                self._loop.add_writer(self._socket, self._on_writable)
        except psycopg.OperationalError as error:
            self._break(error)

    def _on_writable(self) -> None:
        self._loop.remove_writer(self._socket)
        self._flush()

    def _on_readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    break
                self._result = result
            else:
                return
        except psycopg.OperationalError as error:
            self._break(error)
            return
        if self._pgconn.status == pq.ConnStatus.BAD:
            self._break(psycopg.OperationalError("the server closed the connection"))
        elif self._reply is not None and self._result is not None and not self._reply.done():
            self._reply.set_result(self._result)
            self._result = None

    def _break(self, error: psycopg.OperationalError | TimeoutError) -> None:
        self.broken = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)


def positional(sql: str, parameters: Sequence[str]) -> str:
    """Return a statement written with `%(name)s` with `$n` instead, n being the name's place in `parameters`."""
    numbers = {name: f"${number}" for number, name in enumerate(parameters, start=1)}
    return re.sub(r"%\((\w+)\)s", lambda match: numbers[match[1]], sql)


def _value(result: pq.abc.PGresult, row: int, column: int) -> bytes:
    value = result.get_value(row, column)
    assert value is not None, "not null by the schema"
    return bytes(value)
