"""A network between a client and a server on this machine, which can be cut in the middle of a request."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BYTES = 1 << 16


class Wire:
    """Passes TCP connections on to a server.

    Args:
        port: the server's, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._left: int | None = None
        """Bytes of clients that still go through; None: all."""
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_cut(self) -> bool:
        return self._left == 0

    def cut_after(self, sent_bytes: int) -> None:
        """Cut all connections once clients have sent so much more, and each new one at once."""
        with self._lock:
            self._left = sent_bytes
        if sent_bytes == 0:
            self._close_all()

    def mend(self) -> None:
        with self._lock:
            self._left = None

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._close_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._server))
            with self._lock:
                self._open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_BYTES):
                if counted and not self._may_pass(len(data)):
                    self._close_all()
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _may_pass(self, size: int) -> bool:
        with self._lock:
            if self._left is not None:
                self._left = max(self._left - size, 0)
            return self._left != 0

    def _close_all(self) -> None:
        with self._lock:
            sockets, self._open = self._open, []
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
