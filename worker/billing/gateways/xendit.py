"""Xendit's payment requests, refunds and transactions (https://developers.xendit.co/api-reference/payments-api).

Our key is both `reference_id` and the header `idempotency-key`. The payment method is a reusable `pm-…` of Xendit's. A
callback is verified by the header `x-callback-token` and told from others by `webhook-id`.
"""

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from worker.billing.errors import ForgedNotificationError, GatewayError
from worker.billing.gateways.http import Answer, JsonClient
from worker.billing.gateways.port import (
    ChargeOutcome,
    ChargeRequest,
    Declined,
    LookupOutcome,
    NotFound,
    Notification,
    Pending,
    RefundRequest,
    Succeeded,
    Unknown,
)
from worker.billing.settlement import LineKind, LineStatus, SettlementLine
from worker.models.billing import DeclineKind

_HARD: Final = frozenset(
    {
        "EXPIRED_CARD",
        "STOLEN_CARD",
        "INACTIVE_OR_UNAUTHORIZED_CARD",
        "INVALID_CVV",
        "ACCOUNT_ACCESS_BLOCKED",
        "INVALID_ACCOUNT_DETAILS",
        "FRAUDULENT",
        "INVALID_PAYMENT_METHOD",
        "DATA_NOT_FOUND",
    }
)
_CONFLICTS: Final = frozenset({"IDEMPOTENCY_ERROR", "DUPLICATE_ERROR"})
_KINDS: Final[Mapping[str, LineKind]] = {"PAYMENT": "charge", "REFUND": "refund", "CHARGEBACK": "chargeback"}
_PAGE: Final = 50
_OK: Final = 300


class Xendit:
    """The adapter."""

    name = "xendit"

    def __init__(self, secret_key: str, callback_token: str, url: str, *, timeout_s: float, connections: int) -> None:
        """Connect to nothing yet."""
        self._callback_token = callback_token
        self._client = JsonClient(url, secret_key, timeout_s=timeout_s, connections=connections)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Charge by `POST /payment_requests`."""
        content = {
            "reference_id": request.key,
            "amount": _number(request.amount),
            "currency": request.currency,
            "country": "ID",
            "payment_method_id": request.token,
        }
        answer = self._client.ask(
            "POST", "/payment_requests", content=content, headers={"idempotency-key": request.key}
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.status < _OK:
            return _outcome(answer.content)
        code = _error(answer)
        if code in _CONFLICTS:
            found = self.lookup(request)
            return Unknown("the request exists and cannot be found") if isinstance(found, NotFound) else found
        return Declined(_kind(code), code)

    def lookup(self, request: ChargeRequest) -> LookupOutcome:
        """Ask by `GET /payment_requests/{id}`, or by our key where Xendit's id is not known yet."""
        if request.reference is not None:
            answer = self._client.ask("GET", f"/payment_requests/{request.reference}")
            if not isinstance(answer, Answer):
                return answer
            if answer.status < _OK:
                return _outcome(answer.content)
        answer = self._client.ask("GET", "/payment_requests", query={"reference_id": request.key})
        if not isinstance(answer, Answer):
            return answer
        if answer.status >= _OK:
            return Unknown(_error(answer))
        found = [each for each in answer.content.get("data", ()) if each.get("reference_id") == request.key]
        return _outcome(found[0]) if found else NotFound()

    def refund(self, request: RefundRequest) -> ChargeOutcome:
        """Refund by `POST /refunds`."""
        content = {
            "payment_request_id": request.charge_reference,
            "reference_id": request.key,
            "amount": _number(request.amount),
            "currency": request.currency,
            "reason": "CANCELLATION",
        }
        answer = self._client.ask("POST", "/refunds", content=content, headers={"idempotency-key": request.key})
        if not isinstance(answer, Answer):
            return answer
        if answer.status >= _OK:
            return Declined("hard", _error(answer))
        return _outcome(answer.content)

    def list_settlements(self, day: date) -> Iterator[SettlementLine]:
        """Yield the transactions that settled on a day in UTC, by `GET /transactions`, page by page.

        Raises:
            GatewayError: Xendit did not answer as documented.
        """
        begins_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        query: dict[str, str | list[str]] = {
            "types": list(_KINDS),
            "updated[gte]": begins_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "updated[lt]": (begins_at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "limit": str(_PAGE),
        }
        while True:
            answer = self._client.ask("GET", "/transactions", query=query)
            if not isinstance(answer, Answer) or answer.status >= _OK:
                said = _error(answer) if isinstance(answer, Answer) else answer.error
                raise GatewayError(f"Xendit's transactions of {day} cannot be read: {said}")
            rows = answer.content.get("data", [])
            yield from (_line(row, day) for row in rows if row.get("type") in _KINDS)
            if not answer.content.get("has_more") or not rows:
                return
            query["after_id"] = rows[-1]["id"]

    def verify_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Check the header `x-callback-token`.

        Raises:
            ForgedNotificationError: it is wrong, or there is none.
        """
        if not self._callback_token:
            raise ForgedNotificationError("ELP_XENDIT_CALLBACK_TOKEN is not set")
        if not hmac.compare_digest(headers.get("x-callback-token", "").encode(), self._callback_token.encode()):
            raise ForgedNotificationError("the callback token is wrong")
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise ForgedNotificationError("not a JSON object") from None
        data = said.get("data")
        data = data if isinstance(data, dict) else {}
        event = str(said.get("event", ""))
        event_id = headers.get("webhook-id") or f"{event}:{data.get('id', '')}:{data.get('updated', '')}"
        key = data.get("reference_id")
        return Notification(event_id[:500], event[:200], key if isinstance(key, str) else None)


def _number(amount: Decimal) -> int | float:
    """Return an amount as a JSON number: whole rupiah as an integer."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _error(answer: Answer) -> str:
    code = answer.content.get("error_code") if isinstance(answer.content, dict) else None
    return str(code or f"HTTP {answer.status}")[:200]


def _kind(code: str) -> DeclineKind:
    return "hard" if code in _HARD or code.startswith("HTTP 4") else "soft"


def _outcome(said: Any) -> ChargeOutcome:
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        return Unknown("an answer without an id")
    reference = said["id"]
    match said.get("status"):
        case "SUCCEEDED":
            return Succeeded(reference)
        case "PENDING" | "REQUIRES_ACTION" | "AWAITING_CAPTURE":
            return Pending(reference, {name: said[name] for name in ("actions",) if name in said})
        case "FAILED" | "EXPIRED" | "CANCELED" | "VOIDED":
            code = str(said.get("failure_code") or said["status"])[:200]
            return Declined(_kind(code), code, reference)
        case other:
            return Unknown(f"unknown status {other!r}"[:200], reference)


def _line(row: Mapping[str, Any], day: date) -> SettlementLine:
    fee = row.get("fee") or {}
    taken = sum((Decimal(str(fee.get(name) or 0)) for name in ("xendit_fee", "value_added_tax")), Decimal(0))
    statuses: dict[str, LineStatus] = {"SUCCESS": "settled", "PENDING": "pending"}
    return SettlementLine(
        gateway="xendit",
        gateway_reference=row.get("product_id"),
        order_id=row.get("reference_id"),
        kind=_KINDS[row["type"]],
        amount=Decimal(str(row["amount"])),
        fee=taken,
        currency=row["currency"],
        status=statuses.get(row.get("status", ""), "failed"),
        occurred_at=datetime.fromisoformat(row["created"]),
        settled_on=day,
    )
