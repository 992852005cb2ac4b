"""Commits groups of attempts, whatever state the database is in: reconnects, repeats conflicts, isolates bad data."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import psycopg

from worker import clock
from worker.attempts.inbox_connection import InboxConnection
from worker.attempts.inbox_rows import NewAttempt, attempt_ids, encode_columns, encode_ids
from worker.errors import ElpError
from worker.logging import get_logger

_log = get_logger(__name__)
T = TypeVar("T")

_BACKOFF_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0)
_CONFLICT_TRIES: Final = 3
_CONFLICT_CLASS: Final = "40"
"""SQLSTATE class of deadlocks and serialization failures: nothing is wrong with the data, once more will do."""
_DATA_CLASSES: Final = ("21", "22", "23", "54")
"""SQLSTATE classes that blame the data: cardinality, data exception, integrity, program limit."""

_USED_ID: Final = "is already used by an attempt of another learner or at another question: send a new id"


class InboxUnavailableError(ElpError):
    """The inbox can't commit now; whether these attempts were stored is unknown. Sending them again is safe.

    Attributes:
        reason: why, without anything internal.
        retry_after_s: when to come back, in seconds.
    """

    def __init__(self, reason: str, retry_after_s: int = 1) -> None:
        super().__init__(f"attempts can't be stored now ({reason}): send them again in {retry_after_s} s")
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one attempt can't be stored: the field at fault and a message with the remedy."""

    field: str
    message: str


Exceptions = dict[int, Refusal | None]
"""What was not new in a group, by position: a refusal, or None for a duplicate."""


class InboxStore:
    """The one writer's hold on the database; not to be used by two tasks at once."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._connection: InboxConnection | None = None
        self._failures = 0
        self._away_until = 0.0
        self.groups = 0
        """Transactions that stored attempts."""
        self.stored = 0
        """Attempts they stored."""

    @property
    def away(self) -> bool:
        """Whether the database just failed and is given a moment before the next try."""
        return self._failures > 0 and asyncio.get_running_loop().time() < self._away_until

    async def store(self, attempts: Sequence[NewAttempt]) -> Exceptions:
        """Commit a group and return what was not new in it, by position.

        Data that the server refuses costs 2 log2(n) further statements for each such attempt; none is expected, since
        requests are checked before.

        Raises:
            InboxUnavailableError: the group may or may not have been committed.
        """
        ids = attempt_ids(attempts)
        columns = encode_columns(attempts, ids, clock.now())
        try:
            new = await self._run(lambda connection: connection.accept(columns, len(ids)))
        except psycopg.Error as error:  # only the data's fault gets here
            return await self._store_apart(attempts, error)
        self.groups += 1
        self.stored += len(ids) if new is None else len(new)
        return {} if new is None else await self._explain(attempts, ids, new)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()

    async def _store_apart(self, attempts: Sequence[NewAttempt], error: psycopg.Error) -> Exceptions:
        """Commit a group that the server refused in halves, down to the attempts that it refuses by themselves."""
        if len(attempts) == 1:
            _log.warning("attempt_not_storable", sqlstate=error.sqlstate, attempt_id=str(attempts[0].id))
            return {0: Refusal("answer", f"can't be stored: {error.diag.message_primary}")}
        middle = len(attempts) // 2
        exceptions = await self.store(attempts[:middle])
        for position, exception in (await self.store(attempts[middle:])).items():
            exceptions[middle + position] = exception
        return exceptions

    async def _explain(self, attempts: Sequence[NewAttempt], ids: Sequence[bytes], new: set[bytes]) -> Exceptions:
        """Tell, for each attempt that was not stored, whether it repeats a known one or only takes its id."""
        first_of: dict[bytes, NewAttempt] = {}
        repeated = []
        for position, (id_, attempt) in enumerate(zip(ids, attempts, strict=True)):
            if id_ in new and id_ not in first_of:
                first_of[id_] = attempt
            else:
                repeated.append(position)
        known: dict[bytes, tuple[bytes, bytes | None]] = {
            id_: (first.user_id.bytes, first.question_id.bytes) for id_, first in first_of.items()
        }
        old = sorted({ids[position] for position in repeated} - new)
        if old:
            known |= await self._run(lambda connection: connection.known(encode_ids(old), old[0], old[-1]))
        return {
            position: None if _same(attempts[position], known.get(ids[position])) else Refusal("id", _USED_ID)
            for position in repeated
        }

    async def _run(self, statement: Callable[[InboxConnection], Awaitable[T]]) -> T:
        """Run a statement on a working connection; psycopg errors that get out are the data's fault."""
        tries = 0
        while True:
            connection = await self._connected()
            try:
                result = await statement(connection)
            except TimeoutError as error:
                raise self._lost("the database is too slow") from error
            except psycopg.Error as error:
                sqlstate_class = (error.sqlstate or "")[:2]
                tries += 1
                if sqlstate_class in _DATA_CLASSES:
                    raise
                if sqlstate_class != _CONFLICT_CLASS or tries == _CONFLICT_TRIES:
                    _log.warning("inbox_commit_failed", sqlstate=error.sqlstate, error=str(error).strip())
                    raise self._lost("the database can't commit") from error
            else:
                self._failures = 0
                return result

    async def _connected(self) -> InboxConnection:
        if self._connection is None or self._connection.broken:
            try:
                self._connection = await InboxConnection.open(self._url, timeout_s=self._timeout_s)
            except (psycopg.Error, OSError) as error:  # TimeoutError is an OSError
                if not self._failures:
                    _log.warning("inbox_connect_failed", error=str(error).strip())
                raise self._lost("no connection to the database") from error
            _log.info("inbox_connected", after_failures=self._failures)
        return self._connection

    def _lost(self, reason: str) -> InboxUnavailableError:
        self.close()
        self._connection = None
        delay_s = _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
        self._failures += 1
        self._away_until = asyncio.get_running_loop().time() + delay_s
        return InboxUnavailableError(reason, retry_after_s=max(1, round(delay_s)))


def _same(attempt: NewAttempt, known: tuple[bytes, bytes | None] | None) -> bool:
    if known is None:  # it vanished between the two statements: nothing contradicts
        return True
    user_id, question_id = known
    return attempt.user_id.bytes == user_id and question_id in {None, attempt.question_id.bytes}
