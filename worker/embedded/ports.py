"""Ports of this machine that nobody listens on."""

import secrets
import socket
from typing import Final

from worker.embedded.process import ServerError

_PORTS: Final = range(15_000, 32_000)
"""Below the ports that Linux gives to outgoing connections (32768…): while a server restarts, no client's own socket,
least of all one that reconnects in a loop, can sit on its port."""
_ATTEMPTS: Final = 1_000


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on `host`:`port` just now; somebody else may be quicker."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: ports in TIME_WAIT count as free
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of `host` that nothing listens on just now.

    Raises:
        ServerError: none was found.
    """
    for _ in range(_ATTEMPTS):
        port = secrets.choice(_PORTS)
        if is_free(port, host):
            return port
    raise ServerError(f"no free port between {_PORTS.start} and {_PORTS.stop - 1} on {host}")
