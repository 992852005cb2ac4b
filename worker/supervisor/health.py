"""When a process of the Procfile counts as healthy: each by what it is there for, not by having a process id."""

import http.client
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import redis

from worker.supervisor.child import Child

if TYPE_CHECKING:
    from celery import Celery

Probe = Callable[[Child], bool]
"""Tells whether a running process is healthy; answers within two seconds or so."""

_TIMEOUT_S: Final = 2.0
_configuring: Final = threading.Lock()


def http_probe(host: str, port: int, path: str) -> Probe:
    """Return a probe for a web server: it answers 200, or 401 since it wants to know who asks."""

    def probe(_: Child) -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def celery_probe(child: Child) -> bool:
    """Tell whether the Celery worker in this process answers a ping over the broker."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415 - slow to import

    app = _celery_application()
    node = _node_name(child.entry.command)
    with app.connection_for_write() as connection:
        try:
            return bool(app.control.ping(destination=[node], timeout=1.0, connection=connection))
        except (OperationalError, *connection.recoverable_connection_errors):
            return False


def beat_probe(child: Child) -> bool:
    """Tell whether beat is up and some beat holds RedBeat's lock: this one, or the one it stands by for."""
    app = _celery_application()
    if child.running_s() < 1.0:
        return False
    try:
        with redis.Redis.from_url(app.conf.redbeat_redis_url, socket_timeout=_TIMEOUT_S) as client:
            return bool(client.exists(f"{app.conf.redbeat_key_prefix}:lock"))
    except redis.RedisError:
        return False


def running_probe(child: Child) -> bool:
    """Tell whether the process has been running for a second: all that can be known of an unknown one."""
    return child.running_s() >= 1.0


def probes(*, api_host: str, api_port: int, flower_port: int) -> Mapping[str, Probe]:
    """Return the probes of the Procfile's processes by name; for others `running_probe` serves."""
    return {
        "api": http_probe(reachable_host(api_host), api_port, "/v1/health"),
        "worker": celery_probe,
        "batch-worker": celery_probe,
        "backup-worker": celery_probe,
        "beat": beat_probe,
        "flower": http_probe("127.0.0.1", flower_port, "/healthcheck"),
    }


def reachable_host(host: str) -> str:
    """Return where a server that listens on `host` can be reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound


def _celery_application() -> "Celery":
    """Return the application with its configuration read, which must not happen in two threads at once.

    Imported here: it reads the addresses of servers that had to be started first.
    """
    with _configuring:
        from worker.app import app  # noqa: PLC0415

        assert app.conf.broker_url, "celeryconfig names it"
    return app


def _node_name(command: tuple[str, ...]) -> str:
    """Return the Celery node name that `-n NAME` in a command stands for.

    Only what follows Celery's own `worker` counts: programs before it have options of that name, such as nice.
    """
    from celery.utils.nodenames import default_nodename, host_format  # noqa: PLC0415 - Celery is slow to import

    options = command[command.index("worker") + 1 :] if "worker" in command else command
    named = options[options.index("-n") + 1] if "-n" in options else None
    return str(host_format(default_nodename(named)))
