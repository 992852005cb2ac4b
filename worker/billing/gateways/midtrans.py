"""Midtrans' Core API (https://docs.midtrans.com/reference): cards by token, GoPay, virtual accounts and QRIS.

The order's id is our idempotency key: Midtrans takes each once and answers 406 to a repetition; that is looked up.
A payment method is written as `card:<saved token id>`, `gopay:<account id>:<payment option token>`,
`bank_transfer:<bank>` or `qris:<acquirer>`. Midtrans has no report of settlements over HTTP: its file is imported.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import date
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
from worker.billing.settlement import SettlementLine

_HARD_CODES: Final = frozenset({"04", "07", "14", "41", "43", "54", "57", "62", "78", "0C"})
"""ISO 8583 response codes after which the same card never works again: pick up, stolen, expired, closed, restricted."""
_DUPLICATE: Final = 406
_MISSING: Final = 404
_REFUNDED: Final = frozenset({"200", "201"})


class Midtrans:
    """The adapter."""

    name = "midtrans"

    def __init__(self, server_key: str, url: str, *, timeout_s: float, connections: int) -> None:
        """Connect to nothing yet; `server_key` also signs notifications."""
        self._server_key = server_key
        self._client = JsonClient(url, server_key, timeout_s=timeout_s, connections=connections)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Charge by `POST /v2/charge`."""
        method = _method(request.token)
        if method is None:
            return Declined("hard", "unsupported payment method")
        order = {"order_id": request.key, "gross_amount": int(request.amount)}
        answer = self._client.ask("POST", "/v2/charge", content={"transaction_details": order, **method})
        if not isinstance(answer, Answer):
            return answer
        if _code(answer) == _DUPLICATE:
            found = self.lookup(request)
            return Unknown("the order exists and cannot be found") if isinstance(found, NotFound) else found
        return _outcome(answer)

    def lookup(self, request: ChargeRequest) -> LookupOutcome:
        """Ask by `GET /v2/{order}/status`."""
        answer = self._client.ask("GET", f"/v2/{request.key}/status")
        if not isinstance(answer, Answer):
            return answer
        return NotFound() if _code(answer) == _MISSING else _outcome(answer)

    def refund(self, request: RefundRequest) -> ChargeOutcome:
        """Refund by `POST /v2/{order}/refund`, with our key as Midtrans' `refund_key`."""
        content = {"refund_key": request.key, "amount": int(request.amount), "reason": "refund"}
        answer = self._client.ask("POST", f"/v2/{request.charge_key}/refund", content=content)
        if not isinstance(answer, Answer):
            return answer
        code = str(answer.content.get("status_code", ""))
        if code in _REFUNDED:
            return Succeeded(request.key)
        return Declined("hard", f"{code} {answer.content.get('status_message', '')}"[:200].strip())

    def list_settlements(self, day: date) -> Iterator[SettlementLine]:
        """Refuse: Midtrans gives settlements as a file alone.

        Raises:
            GatewayError: always.
        """
        raise GatewayError(f"Midtrans has no settlement API: import its file of {day} with `elp billing import`")

    def verify_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Check `signature_key`: SHA-512 of order_id + status_code + gross_amount + server key.

        Raises:
            ForgedNotificationError: it is wrong, or there is none.
        """
        del headers
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise ForgedNotificationError("not a JSON object") from None
        parts = [said.get(name) for name in ("order_id", "status_code", "gross_amount", "signature_key")]
        if not all(isinstance(part, str) for part in parts):
            raise ForgedNotificationError("order_id, status_code, gross_amount or signature_key is missing")
        order_id, status_code, amount, signed = map(str, parts)
        right = signature(order_id, status_code, amount, self._server_key)
        if not hmac.compare_digest(right.encode(), signed.lower().encode()):
            raise ForgedNotificationError("the signature is wrong")
        status = str(said.get("transaction_status", ""))
        event = f"{said.get('transaction_id', order_id)}:{status}:{status_code}:{said.get('refund_amount', '')}"
        return Notification(event_id=event[:500], event_type=status[:200], key=order_id)


def signature(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """Return the signature of a notification."""
    return hashlib.sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode()).hexdigest()


def _method(token: str) -> dict[str, Any] | None:
    kind, _, rest = token.partition(":")
    match kind:
        case "card":
            return {"payment_type": "credit_card", "credit_card": {"token_id": rest}}
        case "gopay":
            account, _, option = rest.partition(":")
            detail = {"account_id": account, "payment_option_token": option, "recurring": True}
            return {"payment_type": "gopay", "gopay": detail}
        case "bank_transfer":
            return {"payment_type": "bank_transfer", "bank_transfer": {"bank": rest}}
        case "qris":
            return {"payment_type": "qris", "qris": {"acquirer": rest or "gopay"}}
    return None


def _code(answer: Answer) -> int:
    code = str(answer.content.get("status_code", "")) if isinstance(answer.content, dict) else ""
    return int(code) if code.isdecimal() else answer.status


def _outcome(answer: Answer) -> ChargeOutcome:
    said = answer.content if isinstance(answer.content, dict) else {}
    reference = said.get("transaction_id")
    if not isinstance(reference, str):
        # Refused before there was a transaction: a wrong token or a wrong request (4xx).
        code = f"{said.get('status_code', answer.status)} {said.get('status_message', '')}"[:200].strip()
        if _code(answer) >= 500:  # noqa: PLR2004  Midtrans puts its own failures into the body
            return Unknown(code)
        return Declined("hard", code)
    return _concluded(said, reference)


def _concluded(said: Mapping[str, Any], reference: str) -> ChargeOutcome:
    status, fraud = said.get("transaction_status"), said.get("fraud_status", "accept")
    match status:
        case "settlement" | "refund" | "partial_refund" | "chargeback" | "partial_chargeback":
            return Succeeded(reference)
        case "capture":
            return Succeeded(reference) if fraud == "accept" else Pending(reference, {"review": fraud})
        case "pending" | "authorize":
            return Pending(reference, _instructions(said))
        case "deny" | "cancel" | "expire" | "failure":
            code = str(said.get("channel_response_code") or status)
            return Declined("hard" if status == "deny" and code in _HARD_CODES else "soft", code, reference)
        case _:
            return Unknown(f"unknown transaction_status {status!r}"[:200], reference)


def _instructions(said: Mapping[str, Any]) -> dict[str, Any]:
    wanted = ("va_numbers", "permata_va_number", "bill_key", "biller_code", "qr_string", "actions", "expiry_time")
    return {name: said[name] for name in wanted if name in said}


def gross(amount: Decimal) -> str:
    """Return an amount as Midtrans writes it: 99000.00."""
    return f"{amount:.2f}"
