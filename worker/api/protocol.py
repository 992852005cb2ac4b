"""Slow clients are cut: who sends a request, or takes its answer, a byte a minute holds a connection for nothing.

uvicorn itself limits only the time between requests. Here each connection looks at itself some times a minute; a
request costs two assignments.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from worker.logging import get_logger

READ_TIMEOUT_S: Final = 30.0
"""From a request's first byte to its last, plus a second for each `RATE_MIN` bytes."""
RATE_MIN: Final = 1_000
"""Bytes a second that a client must send: less than the slowest mobile network."""
WRITE_TIMEOUT_S: Final = 60.0
"""How long a client may take nothing of an answer that is too long for the socket's buffer."""
HEADERS_MAX_BYTES: Final = 64 * 1_024
LOOK_S: Final = 5.0

_log = get_logger(__name__)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with an end to every wait for the client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._received = 0
        self._in_headers = True
        self._reading_since: float | None = self.loop.time()
        self._stuck_since: float | None = None
        self._looking = self.loop.call_later(LOOK_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless headers have no end."""
        self._received += len(data)
        super().data_received(data)
        if self._in_headers and self._received > HEADERS_MAX_BYTES:
            self._cut("headers too long")

    def on_message_begin(self) -> None:
        """Note when a request began."""
        super().on_message_begin()
        self._received = 0
        self._in_headers = True
        self._reading_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Note that the headers have an end."""
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._reading_since = None
        super().on_message_complete()

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        now = self.loop.time()
        if self.flow.read_paused:
            self._reading_since = now  # it waits for us
        elif self._reading_since is None and self._is_idle():
            self._reading_since = now  # stray bytes ended uvicorn's own wait for the next request
        self._stuck_since = (self._stuck_since or now) if self.flow.write_paused else None
        allowed = READ_TIMEOUT_S + self._received / RATE_MIN
        if self._reading_since is not None and now - self._reading_since >= allowed:
            self._cut("request too slow")
        elif self._stuck_since is not None and now - self._stuck_since >= WRITE_TIMEOUT_S:
            self._cut("answer not taken")
        else:
            self._looking = self.loop.call_later(LOOK_S, self._look)

    def _is_idle(self) -> bool:
        cycle: Any = self.cycle
        return self.timeout_keep_alive_task is None and (cycle is None or cycle.response_complete)

    def _cut(self, reason: str) -> None:
        _log.info("client_cut", reason=reason, received_bytes=self._received)
        self.transport.abort()
