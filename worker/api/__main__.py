"""`python -m worker.api`: serve until SIGTERM or Ctrl-C, then finish what was begun."""

import gc
import signal
import sys
from typing import Final

import uvicorn

from worker import logging, tracing
from worker.api.app import Api, create_app
from worker.api.protocol import GuardedProtocol
from worker.errors import ConfigurationError
from worker.metrics import share_through
from worker.metrics.serving import folder_of
from worker.settings import get_settings

STOP_TIMEOUT_S: Final = 15
"""What requests under way get; a group's commit has 10 s."""
KEEP_ALIVE_S: Final = 75
"""Longer than usual proxies keep idle connections (60 s), or they would reuse one that is just being closed."""

_YOUNG_OBJECTS: Final = 20_000
"""A request makes about a hundred objects, and many wait together for their commit: Python's own 700 would look for
garbage every few requests and find all of it in use (measured: 4 % of the time)."""


def process_app() -> Api:
    """Return the application of one serving process."""
    logging.configure("api", get_settings())
    app = create_app()
    tracing.start("api", get_settings())
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    return app


def main() -> None:
    """Serve with the settings' address and number of processes."""
    try:
        settings = get_settings()
        create_app(settings)  # says what is missing before a socket is open
    except ConfigurationError as error:
        sys.exit(f"worker.api can't start: {error}")
    logging.configure("api", settings)
    if settings.api_processes > 1:
        share_through(folder_of(settings, f"api-{settings.api_port}"))
    # uvicorn stops in good order and then sends itself the signal again; having been asked to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        "worker.api.__main__:process_app",
        factory=True,
        host=settings.api_host,
        port=settings.api_port,
        workers=settings.api_processes,
        loop="uvloop",
        http=GuardedProtocol,
        ws="none",
        access_log=False,
        proxy_headers=settings.trusted_proxies is not None,
        forwarded_allow_ips=settings.trusted_proxies or "",
        limit_concurrency=settings.api_max_connections,
        server_header=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
    )


if __name__ == "__main__":
    main()
