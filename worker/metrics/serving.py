"""A worker's own `/metrics`: a small server in its main process, for the figures of all its children."""

import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from wsgiref.simple_server import WSGIServer

import msgspec
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from worker.embedded.process import write_private
from worker.errors import ConfigurationError
from worker.logging import get_logger
from worker.metrics.instruments import group_registry, share_through
from worker.settings import Settings

_log = get_logger(__name__)
_PORTS_TRIED: Final = 100


class _Served:
    """What this process serves."""

    address: str | None = None
    server: WSGIServer | None = None
    target: Path | None = None


_served: Final = _Served()


def address() -> str | None:
    """Return host:port of this process's `/metrics`; None: it serves none."""
    return _served.address


def folder_of(settings: Settings, group: str) -> Path:
    """Return where the processes of a group keep their figures."""
    return settings.data_dir.absolute() / "metrics" / re.sub(r"[^A-Za-z0-9@._-]", "_", group)


def prepare(settings: Settings, worker: str) -> None:
    """Have this worker and its children count into files of their own; to be called before it forks."""
    share_through(folder_of(settings, worker))


def serve(settings: Settings, worker: str, extra: Iterable[Collector] = ()) -> None:
    """Serve the worker's figures on the first free port from ELP_METRICS_PORT on, and write down where.

    `<data_dir>/metrics/targets/<worker>.json` is what Prometheus's file_sd_configs reads.

    Args:
        settings: give host, port and data folder.
        worker: the node's name, a label of all its targets.
        extra: more collectors to serve.

    Raises:
        ConfigurationError: none of a hundred ports is free.
    """
    registry = group_registry()
    for collector in extra:
        registry.register(collector)
    port = _start(settings, registry)
    _served.address = f"{settings.metrics_host}:{port}"
    target = folder_of(settings, "targets") / f"{worker}.json"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = [{"targets": [_served.address], "labels": {"worker": worker}}]
    write_private(target, msgspec.json.encode(content).decode())
    _served.target = target
    os.register_at_fork(after_in_child=_forget_socket)
    _log.info("metrics_served", address=_served.address)


def stop() -> None:
    """Stop serving, in a worker that ends in order."""
    if _served.target is not None:
        _served.target.unlink(missing_ok=True)
    if _served.server is not None:
        # shutdown() waits for the serving thread; a worker that ends has no time to give.
        threading.Thread(target=_served.server.shutdown, daemon=True).start()
    _served.server, _served.address, _served.target = None, None, None


def _start(settings: Settings, registry: CollectorRegistry) -> int:
    wanted = settings.metrics_port
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65_536)) if wanted else (0,):
        try:
            server, _ = start_http_server(port, addr=settings.metrics_host, registry=registry)
        except OSError:
            continue
        _served.server = server
        return int(server.server_port)
    raise ConfigurationError(f"ELP_METRICS_PORT: no free port from {wanted} on at {settings.metrics_host}")


def _forget_socket() -> None:
    """Close a child's copy of the listening socket: the port must be free as soon as the parent is gone."""
    if _served.server is not None:
        os.close(_served.server.fileno())
        _served.server = None
