"""TLS before a server that speaks none: a thread a connection, with certificates of the test's own authority."""

import select
import socket
import ssl
import struct
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import trustme

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Authority:
    """A certificate authority and one certificate of its, as files."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        authority = trustme.CA()
        folder.mkdir(parents=True, exist_ok=True)
        self.root = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.root)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = authority.issue_cert(host)
        issued.configure_cert(self.context)
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        issued.cert_chain_pems[0].write_to_path(self.certificate)
        issued.private_key_pem.write_to_path(self.key)


class TlsProxy:
    """Listens with TLS and passes what it decrypts to a server of this machine; for PostgreSQL after its greeting."""

    def __init__(self, port: int, context: ssl.SSLContext, *, postgres: bool = False) -> None:
        self._target = port
        self._context = context
        self._postgres = postgres
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.plain = 0
        """Connections that came without TLS, which were closed."""
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), closing(client):
            if self._postgres:
                if client.recv(8, socket.MSG_WAITALL) != _SSL_REQUEST:
                    self.plain += 1
                    return
                client.sendall(b"S")
            with (
                self._context.wrap_socket(client, server_side=True) as secure,
                socket.create_connection(("127.0.0.1", self._target)) as server,
            ):
                _pass_on(secure, server)


def _pass_on(secure: ssl.SSLSocket, server: socket.socket) -> None:
    while True:
        if not secure.pending():
            ready, _, _ = select.select([secure, server], [], [])
        else:
            ready = [secure]
        for source, target in ((secure, server), (server, secure)):
            if source in ready:
                part = source.recv(65_536)
                if not part:
                    return
                target.sendall(part)
