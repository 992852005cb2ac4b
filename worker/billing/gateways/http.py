"""HTTP for the adapters of Midtrans and Xendit: what was never sent is told from what may have arrived."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from worker.billing.gateways.port import NotSent, Unknown

_CONNECT_S: Final = 5.0
"""A connection that takes longer is given up: then nothing was sent."""


class Answer(msgspec.Struct, frozen=True):
    """A gateway's answer that could be read: status and JSON."""

    status: int
    content: Any


class JsonClient:
    """Speaks JSON with one gateway over kept connections; may be used by several threads at once."""

    def __init__(self, url: str, user: str, *, timeout_s: float, connections: int) -> None:
        """Connect to nothing yet.

        Args:
            url: where the gateway's API begins.
            user: its secret key, the user of basic authentication; the password is empty.
            timeout_s: for each wait for data.
            connections: kept at most.
        """
        self._client = httpx.Client(
            base_url=url,
            auth=(user, ""),
            timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S, pool=None),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"Accept": "application/json"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        content: Mapping[str, Any] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | Unknown | NotSent:
        """Send a request and return the answer.

        Server errors (500 and more) and answers that are no JSON count as unknown: the request may have had its effect.
        """
        try:
            response = self._client.request(
                method,
                path,
                content=None if content is None else msgspec.json.encode(content),
                params=query,
                headers={"Content-Type": "application/json", **(headers or {})},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return NotSent(_said(error))
        except httpx.HTTPError as error:
            return Unknown(_said(error))
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Unknown(f"HTTP {response.status_code}")
        try:
            return Answer(response.status_code, msgspec.json.decode(response.content))
        except msgspec.DecodeError:
            return Unknown(f"HTTP {response.status_code} without JSON")


def _said(error: Exception) -> str:
    """Return an error without the request in it: that has the address and could have more."""
    return f"{type(error).__name__}: {str(error)[:200]}"
