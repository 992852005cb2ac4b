"""`POST /v1/webhooks/{gateway}`: payment gateways' notifications, verified, kept and answered at once."""

import hashlib
from typing import Any, Final

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api.auth import OPEN
from worker.api.documentation import problem_responses
from worker.api.problems import NOT_FOUND, Kind, ProblemError
from worker.billing import store
from worker.billing.errors import ForgedNotificationError
from worker.billing.gateways.configured import adapters
from worker.db.statements import as_text
from worker.ids import uuid7
from worker.logging import get_logger
from worker.settings import Settings

_log = get_logger(__name__)

FORGED: Final = Kind(401, "forged-notification", "The notification's signature is wrong")
_MAX_BODY_BYTES: Final = 1024 * 1024
_KEEP: Final = as_text(store.query("keep_notification"))


class Webhooks:
    """Takes notifications in."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        """Know the gateways that the settings turn on."""
        self._engine = engine
        self._gateways = adapters(settings)

    async def keep(self, gateway: str, headers: dict[str, str], body: bytes) -> bool:
        """Keep a notification and have it processed; return whether it was new.

        Raises:
            ProblemError: there is no such gateway, or it did not send this.
        """
        adapter = self._gateways.get(gateway)
        if adapter is None:
            raise ProblemError(NOT_FOUND, "no such gateway is set up here")
        try:
            said = adapter.verify_notification(headers, body)
        except ForgedNotificationError as error:
            _log.warning("notification_forged", gateway=gateway, reason=str(error))
            raise ProblemError(FORGED, "sign it with the secret that the gateway and we share") from None
        now = clock.now()
        values = {
            "id": uuid7(now),
            "gateway": gateway,
            "event_id": said.event_id.replace("\0", "").strip() or hashlib.sha256(body).hexdigest(),
            "event_type": said.event_type.replace("\0", ""),
            "order_key": said.key and said.key.replace("\0", ""),
            "body": body,
            "now": now,
        }
        async with self._engine.begin() as connection:
            return (await connection.execute(_KEEP, values)).first() is not None


@post(
    "/v1/webhooks/{gateway:str}",
    status_code=200,
    opt={OPEN: True},
    security=[{}],
    operation_id="receiveNotification",
    tags=["billing"],
    summary="Take a payment gateway's notification",
    description=(
        "For `midtrans`, `xendit` and `stripe`, each with its own signature over the raw body. It is kept and answered "
        "at once; its order is then looked up. A replay has no effect."
    ),
    responses=problem_responses(400, 401, 404, 413, 503),
    request_max_body_size=_MAX_BODY_BYTES,
)
async def receive_notification(
    gateway: FromPath[str], request: Request[Any, Any, Any], webhooks: NamedDependency[Webhooks]
) -> Response[dict[str, str]]:
    """Keep a notification.

    Raises:
        ProblemError: it was not kept.
    """
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    is_new = await webhooks.keep(gateway, headers, body)
    return Response({"status": "kept" if is_new else "known"}, status_code=200)
