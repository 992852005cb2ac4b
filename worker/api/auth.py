"""One bearer token guards every route but health and the documentation, until users and roles exist."""

import hmac
from typing import Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from worker.api.problems import UNAUTHORIZED, ProblemError
from worker.errors import ConfigurationError
from worker.settings import Settings

OPEN: Final = "open"
"""Routes and routers with this in their `opt` need no token."""

_SCHEME: Final = b"bearer "


class TokenGuard:
    """Compares bearer tokens with the one of the settings, in constant time."""

    def __init__(self, settings: Settings) -> None:
        """Take the token from the settings.

        Raises:
            ConfigurationError: there is none.
        """
        token = settings.api_token.get_secret_value() if settings.api_token else ""
        if not token.strip():
            raise ConfigurationError(
                "ELP_API_TOKEN is not set: choose a long random token; the API has no open default"
            )
        self._token = token.encode()
        self._usual = b"Bearer " + self._token

    def check(self, authorization: bytes | None) -> None:
        """Let a request pass by its Authorization header.

        Raises:
            ProblemError: the header is missing or wrong.
        """
        if authorization is not None and hmac.compare_digest(authorization, self._usual):
            return
        if authorization is None:
            raise _refused('Bearer realm="elp"', "send the header `Authorization: Bearer <token>`")
        scheme, token = authorization[: len(_SCHEME)].lower(), authorization[len(_SCHEME) :].strip()
        if scheme != _SCHEME or not hmac.compare_digest(token, self._token):
            raise _refused('Bearer realm="elp", error="invalid_token"', "the bearer token is not the API's")

    def guard(self, connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
        """Litestar's guard: check every route that is not marked `OPEN`.

        Raises:
            ProblemError: as `check`.
        """
        if not handler.opt.get(OPEN):
            authorization = connection.headers.get("authorization")
            self.check(None if authorization is None else authorization.encode("latin-1"))


def _refused(challenge: str, detail: str) -> ProblemError:
    return ProblemError(UNAUTHORIZED, detail, headers={"www-authenticate": challenge})
