"""The inbox's group commit: requests that arrive while a commit is under way share the next one.

A caller gets its answer only after the transaction that holds its attempts is committed. One connection and one
statement at a time are enough: groups grow with the load, so a commit's cost per attempt falls as the load rises.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from worker.attempts.inbox_rows import NewAttempt, lanes_of
from worker.attempts.inbox_store import Exceptions, InboxStore, InboxUnavailableError, Refusal
from worker.logging import get_logger

_log = get_logger(__name__)

STATEMENT_TIMEOUT_S: Final = 10.0
"""A group that takes longer is given up: its clients have better use for a 503 than for a request that hangs."""
WAITING_GROUPS: Final = 4
"""How many full groups may wait for their commit; beyond them requests are refused at once."""
WAITING_BYTES: Final = 64 * 1_024 * 1_024
"""How much memory their bodies may take, whatever their number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a request's attempts that were not new, by position; all others are committed."""

    duplicates: tuple[int, ...] = ()
    refusals: dict[int, Refusal] = field(default_factory=dict)


ALL_NEW: Final = Verdict()

_Request = tuple[Sequence[NewAttempt], int, "asyncio.Future[Verdict]"]
"""What is to be stored, the bytes it takes, and who waits for it."""


class Inbox:
    """Stores attempts in `attempt_inbox`, many requests in one transaction."""

    def __init__(
        self, url: str, *, group_max: int, nudge: Callable[[int], None], timeout_s: float = STATEMENT_TIMEOUT_S
    ) -> None:
        """Prepare; nothing connects before the first request.

        Args:
            url: the database, in any of the accepted forms.
            group_max: attempts in one transaction; a single request may exceed it.
            nudge: is told the lanes (a bit mask) of each group that was, or may have been, committed; on the loop.
            timeout_s: seconds that a group may take.
        """
        self._store = InboxStore(url, timeout_s)
        self._nudge = nudge
        self._group_max = group_max
        self._waiting: deque[_Request] = deque()
        self._waiting_attempts = 0
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None

    @property
    def groups(self) -> int:
        """Transactions that stored attempts since the start."""
        return self._store.groups

    @property
    def stored(self) -> int:
        """Attempts that they stored."""
        return self._store.stored

    def start(self) -> None:
        """Start the writer on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._writer = self._loop.create_task(self._write(), name="inbox writer")
        self._writer.add_done_callback(self._on_writer_end)

    async def stop(self) -> None:
        """Commit what waits, then hang up; requests that come later are refused."""
        self._stopping = True
        self._wake.set()
        if self._writer is not None:
            await asyncio.wait([self._writer])
        self._store.close()

    def accept(self, attempts: Sequence[NewAttempt], size: int = 0) -> "asyncio.Future[Verdict]":
        """Store attempts; what is returned is done once they are committed. Cancelling it stops nobody else.

        Args:
            attempts: at least one; a repeated id among them counts as a duplicate of its first.
            size: bytes that they keep in memory while they wait.

        Raises:
            InboxUnavailableError: the database is away, read-only, full or too slow, or too much waits already.
        """
        if self._stopping:
            raise InboxUnavailableError("the API is stopping")
        if self._store.away:
            raise InboxUnavailableError("no connection to the database")
        if self._waiting and (
            self._waiting_attempts + len(attempts) > self._group_max * WAITING_GROUPS
            or self._waiting_bytes + size > WAITING_BYTES
        ):
            raise InboxUnavailableError("too many attempts wait to be stored")
        verdict: asyncio.Future[Verdict] = self._loop.create_future()
        self._waiting.append((attempts, size, verdict))
        self._waiting_attempts += len(attempts)
        self._waiting_bytes += size
        self._wake.set()
        return verdict

    async def _write(self) -> None:
        while self._waiting or not self._stopping:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            # A turn of the loop first: it sends the last group's answers and reads what has arrived, so that this group
            # holds that too (seen with 64 connections on a busy machine: a tenth more attempts/s).
            await asyncio.sleep(0)
            requests = self._take()
            try:
                await self._settle(requests)
            except InboxUnavailableError as error:
                _fail(requests, error.reason, error.retry_after_s)
            finally:
                _fail(requests, "an internal error", 1)  # those that got no verdict; see _on_writer_end

    def _on_writer_end(self, writer: "asyncio.Task[None]") -> None:
        """Start anew if an error of ours ended the writer: one group's callers heard of it, others must not."""
        if not writer.cancelled() and (error := writer.exception()) is not None:
            _log.error("inbox_writer_failed", exc_info=error)
            self.start()

    def _take(self) -> list[_Request]:
        """Take what fits into one transaction, at least one request."""
        requests = [self._waiting.popleft()]
        attempts = len(requests[0][0])
        while self._waiting and attempts + len(self._waiting[0][0]) <= self._group_max:
            requests.append(self._waiting.popleft())
            attempts += len(requests[-1][0])
        self._waiting_attempts -= attempts
        self._waiting_bytes -= sum(size for _, size, _ in requests)
        return requests

    async def _settle(self, requests: Sequence[_Request]) -> None:
        """Store a group and give each request its verdict."""
        attempts = [attempt for sent, _, _ in requests for attempt in sent]
        try:
            exceptions = await self._store.store(attempts)
        finally:
            # Also when the outcome is unknown: the group may be committed, and a nudge too many costs nothing.
            self._nudge(lanes_of(attempts))
        start = 0
        for sent, _, verdict in requests:
            if not verdict.done():
                verdict.set_result(_verdict(exceptions, start, len(sent)) if exceptions else ALL_NEW)
            start += len(sent)


def _verdict(exceptions: Exceptions, start: int, count: int) -> Verdict:
    """Return the part of a group's exceptions that concerns the request whose attempts begin at `start`."""
    mine = {position: exceptions[start + position] for position in range(count) if start + position in exceptions}
    return Verdict(
        duplicates=tuple(position for position, refusal in mine.items() if refusal is None),
        refusals={position: refusal for position, refusal in mine.items() if refusal is not None},
    )


def _fail(requests: Sequence[_Request], reason: str, retry_after_s: int) -> None:
    """Tell the callers who have no verdict yet that their attempts could not be stored."""
    for _, _, verdict in requests:
        if not verdict.done():
            verdict.set_exception(InboxUnavailableError(reason, retry_after_s))
