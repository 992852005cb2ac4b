"""Flower with this product's settings: `python -m worker.flower`.

Flower's own FLOWER_… variables still work and win over what is set here, except the login: without one it would show
and control everything for everybody (its API too), so it must come from ELP_FLOWER_AUTH.
"""

import hashlib
import hmac
import os
import sys
from collections.abc import Mapping

from worker.errors import ConfigurationError, ElpError
from worker.settings import Settings, get_settings


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
        "FLOWER_STATE_SAVE_INTERVAL": "60000",  # ms; otherwise a kill loses all since the start
        # Flower's default is a new random one each start, which ends all sessions.
        "FLOWER_COOKIE_SECRET": hmac.digest(login.encode(), b"flower cookies", hashlib.sha256).hex(),
    }


def main() -> None:
    """Become Flower."""
    try:
        settings = get_settings()
        wanted = flower_environment(settings)
        settings.required_redis_url()
    except ElpError as error:
        sys.exit(f"flower: {error}")
    settings.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    environment = {**wanted, **os.environ, "FLOWER_BASIC_AUTH": wanted["FLOWER_BASIC_AUTH"]}
    os.umask(0o077)  # its state file shows task arguments
    command = [sys.executable, "-m", "celery", "-q", "-A", "worker.app", "flower"]
    os.execve(command[0], command, environment)  # noqa: S606 - becoming Flower is what this is for


if __name__ == "__main__":
    main()
