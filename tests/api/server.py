"""The API under test: a real uvicorn server with its own event loop in a thread, asked over HTTP."""

import threading
from collections.abc import Sequence
from typing import Any, Self

import httpx
import uvicorn

from tests.support import seeded
from tests.support.processes import wait_until
from worker.api.app import create_app
from worker.api.protocol import GuardedProtocol
from worker.settings import Settings

TOKEN = seeded.API_TOKEN
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


class ApiServer:
    """Serves the application until the end of its `with` block."""

    def __init__(self, database_url: str, *, routes: Sequence[Any] = (), **settings: object) -> None:
        values = {"database_url": database_url, "redis_url": None, "api_token": TOKEN, **settings}
        self.app = create_app(Settings(**values))
        for route in routes:
            self.app.register(route)
        config = uvicorn.Config(
            self.app,
            port=0,
            loop="uvloop",
            http=GuardedProtocol,
            access_log=False,
            log_config=None,
            ws="none",
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="api under test")

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self._server.started or not self._thread.is_alive(), what="the API")
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, headers=AUTHORIZED, timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(20)

    def post(self, content: object, **headers: str) -> httpx.Response:
        """Send attempts: bytes as they are, everything else as JSON."""
        if isinstance(content, bytes):
            return self.client.post(
                "/v1/attempts", content=content, headers={"Content-Type": "application/json", **headers}
            )
        return self.client.post("/v1/attempts", json=content, headers=headers)
