"""Flower with this product's settings: `python -m worker.flower`.

Flower's own FLOWER_… variables still work and win over what is set here, except what would open it: without a login it
would show and control everything for everybody (its API too), so that must come from ELP_FLOWER_AUTH; a password must
not cross a network in the clear; and `/metrics`, which Flower serves to anybody, asks for the login here.
"""

import hashlib
import hmac
import ipaddress
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from worker.errors import ConfigurationError, ElpError
from worker.settings import Settings, get_settings

_COLUMNS: Final = "name,args,state,received,started,runtime,worker,uuid"
_TRUE: Final = frozenset({"1", "true", "yes", "on", "y", "t"})


def flower_environment(settings: Settings) -> Mapping[str, str]:
    """Return the FLOWER_… variables that the settings ask for.

    Raises:
        ConfigurationError: there is no login, or it can't be one.
    """
    login = settings.flower_auth.get_secret_value() if settings.flower_auth else ""
    user, colon, password = login.partition(":")
    if not login:
        raise ConfigurationError("ELP_FLOWER_AUTH is not set: set it to user:password")
    if not (user and colon and password) or "," in login:  # Flower splits the variable at commas
        raise ConfigurationError("ELP_FLOWER_AUTH: must be user:password, without commas")
    return {
        "FLOWER_BASIC_AUTH": login,
        "FLOWER_PORT": str(settings.flower_port),
        "FLOWER_ADDRESS": "127.0.0.1",  # the outside comes in through a proxy with TLS
        "FLOWER_PERSISTENT": "true",
        "FLOWER_DB": str(settings.data_dir / "flower"),
        "FLOWER_TASKS_COLUMNS": _COLUMNS,
        "FLOWER_CONF": str(Path(__file__).with_name("flower_format.py")),
        "FLOWER_STATE_SAVE_INTERVAL": "60000",  # ms; otherwise a kill loses all since the start
        # Flower's default is a new random one each start, which ends all sessions.
        "FLOWER_COOKIE_SECRET": hmac.digest(login.encode(), b"flower cookies", hashlib.sha256).hex(),
    }


def check_exposure(environment: Mapping[str, str]) -> None:
    """Refuse what would open Flower to the world.

    Args:
        environment: the FLOWER_… variables as Flower will read them.

    Raises:
        ConfigurationError: its API would need no login, or the login would cross a network in the clear.
    """
    if _is_on(environment, "FLOWER_UNAUTHENTICATED_API"):
        raise ConfigurationError("FLOWER_UNAUTHENTICATED_API opens Flower's API, which stops workers: unset it")
    if environment.get("FLOWER_AUTH"):
        # CVE-2022-30034: a pattern that is not anchored lets foreign addresses in.
        raise ConfigurationError("FLOWER_AUTH (OAuth) is not supported here: unset it and use ELP_FLOWER_AUTH")
    has_tls = bool(environment.get("FLOWER_CERTFILE") and environment.get("FLOWER_KEYFILE"))
    behind_proxy = _is_on(environment, "FLOWER_XHEADERS") or bool(environment.get("FLOWER_UNIX_SOCKET"))
    address = environment["FLOWER_ADDRESS"]
    if not (_is_loopback(address) or has_tls or behind_proxy):
        raise ConfigurationError(
            f"FLOWER_ADDRESS {address!r} would send passwords over the network in the clear: set FLOWER_CERTFILE and "
            "FLOWER_KEYFILE, or FLOWER_XHEADERS=true behind a proxy with TLS"
        )


def main() -> None:
    """Become Flower."""
    try:
        settings = get_settings()
        wanted = flower_environment(settings)
        environment = {**wanted, **os.environ, "FLOWER_BASIC_AUTH": wanted["FLOWER_BASIC_AUTH"]}
        check_exposure(environment)
        settings.required_redis_url()
    except ElpError as error:
        sys.exit(f"flower: {error}")
    settings.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    os.environ.update(environment)
    os.umask(0o077)  # its state file shows task arguments
    _close_metrics()
    from celery.__main__ import main as celery  # noqa: PLC0415 - slow to import, and only Flower needs it

    sys.argv = ["celery", "-q", "-A", "worker.app", "flower"]
    celery()


def _close_metrics() -> None:
    """Have `/metrics` ask for the login: it names every task and worker, and Flower serves it to anybody."""
    from flower.views.monitor import Metrics  # noqa: PLC0415 - as above
    from tornado.web import authenticated  # noqa: PLC0415 - as above

    Metrics.get = authenticated(Metrics.get)


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() in _TRUE


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    main()
