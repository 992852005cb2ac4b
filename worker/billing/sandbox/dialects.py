"""What the sandbox says to each documented request of the three gateways."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from worker.billing.gateways.midtrans import signature
from worker.billing.sandbox.store import Book, Fault, Order

SERVER_KEY: Final = "sandbox-server-key"
CALLBACK_TOKEN: Final = "sandbox-callback-token"  # noqa: S105  this server's own
WEBHOOK_SECRET: Final = "whsec_sandbox"  # noqa: S105


class ConnectionLost(Exception):  # noqa: N818  no error of ours: the scenario wants it
    """The connection is to end without an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `path` without the query, `query` parsed, `body` as received."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status and JSON."""

    status: int
    content: Any


@dataclass(frozen=True, slots=True)
class Callback:
    """A notification that the gateway would send: body and headers."""

    gateway: str
    body: bytes
    headers: Mapping[str, str]


def answer(book: Book, asked: Asked) -> Reply:
    """Return the sandbox's answer.

    Raises:
        ConnectionLost: there is to be none.
    """
    parts = [part for part in asked.path.split("/") if part]
    dialect = {"v2": _midtrans_answer, "v1": _stripe}.get(parts[0] if parts else "", _xendit_answer)
    return dialect(book, asked, parts)


def _midtrans_answer(book: Book, asked: Asked, parts: list[str]) -> Reply:
    match asked.method, parts[1:]:
        case "POST", ["charge"]:
            return _midtrans_charge(book, json.loads(asked.body))
        case "GET", [order, "status"]:
            book.asked["lookup"] += 1
            return _midtrans(book.find("midtrans", order))
        case "POST", [order, "refund"]:
            return _midtrans_refund(book, order, json.loads(asked.body))
    return _midtrans(None)


def _xendit_answer(book: Book, asked: Asked, parts: list[str]) -> Reply:
    match asked.method, parts:
        case "POST", ["payment_requests"]:
            return _xendit_charge(book, json.loads(asked.body), asked.headers)
        case "GET", ["payment_requests"]:
            book.asked["lookup"] += 1
            found = book.find("xendit", asked.query.get("reference_id", [""])[0])
            return Reply(200, {"data": [_xendit(found)] if found else [], "has_more": False})
        case "GET", ["payment_requests", reference]:
            book.asked["lookup"] += 1
            found = book.find("xendit", reference.removeprefix("pr-"))
            return Reply(200, _xendit(found)) if found else Reply(404, {"error_code": "DATA_NOT_FOUND"})
        case "POST", ["refunds"]:
            return _xendit_refund(book, json.loads(asked.body))
        case "GET", ["transactions"]:
            return _xendit_transactions(book, asked.query)
    return Reply(404, {"error_code": "NOT_FOUND"})


def _charged(book: Book, gateway: str, key: str, amount: Decimal, currency: str, method: str) -> tuple[Order, bool]:
    """Charge with whatever fault is to happen."""
    book.asked["charge"] += 1
    known = book.orders.get((gateway, key))
    fault: Fault | None = None if known else book.fault_for(method)
    if fault == "lost_before":
        raise ConnectionLost
    if fault == "error_before":
        raise ServerError
    order, is_new = book.charge(gateway, key, amount, currency, method, fault)
    if fault == "lost_after":
        raise ConnectionLost
    if fault == "error_after":
        raise ServerError
    return order, is_new


class ServerError(Exception):
    """The answer is to be HTTP 500."""


# --- Midtrans ---------------------------------------------------------------------------------------------------------


_MIDTRANS: Final = {
    "succeeded": ("200", "settlement"),
    "declined": ("202", "deny"),
    "pending": ("201", "pending"),
    "expired": ("407", "expire"),
}


def _midtrans_charge(book: Book, said: Mapping[str, Any]) -> Reply:
    details = said["transaction_details"]
    method = str(said.get("credit_card") or said.get("bank_transfer") or said.get("qris") or said.get("gopay"))
    if said["payment_type"] in {"bank_transfer", "qris"}:
        method += " pending"
    order, is_new = _charged(book, "midtrans", details["order_id"], Decimal(details["gross_amount"]), "IDR", method)
    if not is_new:
        return Reply(406, {"status_code": "406", "status_message": "order_id has already been taken"})
    return _midtrans(order)


def _midtrans(order: Order | None) -> Reply:
    if order is None:
        return Reply(404, {"status_code": "404", "status_message": "Transaction doesn't exist."})
    code, status = _MIDTRANS[order.status]
    content: dict[str, Any] = {
        "status_code": code,
        "status_message": "sandbox",
        "transaction_id": order.reference,
        "order_id": order.key,
        "gross_amount": f"{order.amount:.2f}",
        "currency": "IDR",
        "transaction_time": f"{order.created_at:%Y-%m-%d %H:%M:%S}",
        "transaction_status": status,
        "fraud_status": "accept",
    }
    if order.status == "declined":
        content["channel_response_code"] = "43" if order.code == "hard" else "51"
    if order.status == "pending":
        content["va_numbers"] = [{"bank": "bca", "va_number": "812785002530231"}]
    return Reply(200, content)


def _midtrans_refund(book: Book, key: str, said: Mapping[str, Any]) -> Reply:
    book.asked["refund"] += 1
    order = book.find("midtrans", key)
    if order is None or not book.refund(order, said["refund_key"], Decimal(said["amount"])):
        return Reply(200, {"status_code": "412", "status_message": "Transaction cannot be refunded"})
    return Reply(200, {"status_code": "200", "transaction_id": order.reference, "transaction_status": "refund"})


# --- Xendit -----------------------------------------------------------------------------------------------------------


_XENDIT: Final = {"succeeded": "SUCCEEDED", "declined": "FAILED", "pending": "PENDING", "expired": "EXPIRED"}


def _xendit_charge(book: Book, said: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
    key = headers.get("idempotency-key", "")
    if key != said["reference_id"]:
        return Reply(400, {"error_code": "API_VALIDATION_ERROR"})
    method = said["payment_method_id"]
    order, _ = _charged(book, "xendit", key, Decimal(str(said["amount"])), said["currency"], method)
    return Reply(201, _xendit(order))


def _xendit(order: Order) -> dict[str, Any]:
    content = {
        "id": f"pr-{order.reference}",
        "reference_id": order.key,
        "status": _XENDIT[order.status],
        "amount": float(order.amount),
        "currency": order.currency,
        "created": order.created_at.isoformat(),
        "updated": order.updated_at.isoformat(),
    }
    if order.status == "declined":
        content["failure_code"] = "STOLEN_CARD" if order.code == "hard" else "INSUFFICIENT_BALANCE"
    return content


def _xendit_refund(book: Book, said: Mapping[str, Any]) -> Reply:
    book.asked["refund"] += 1
    order = book.find("xendit", said["payment_request_id"].removeprefix("pr-"))
    if order is None or not book.refund(order, said["reference_id"], Decimal(str(said["amount"]))):
        return Reply(400, {"error_code": "MAXIMUM_REFUND_AMOUNT_REACHED"})
    return Reply(200, {"id": f"rfd-{said['reference_id']}", "status": "SUCCEEDED"})


def _xendit_transactions(book: Book, query: Mapping[str, list[str]]) -> Reply:
    begins_at, ends_at = (datetime.fromisoformat(query[name][0]) for name in ("updated[gte]", "updated[lt]"))
    rows = [
        {
            "id": f"txn_{each.kind}_{each.key}",
            "product_id": f"pr-{each.order.reference}" if each.kind == "charge" else f"rfd-{each.key}",
            "type": "PAYMENT" if each.kind == "charge" else "REFUND",
            "status": "SUCCESS",
            "reference_id": each.key,
            "amount": float(each.amount),
            "currency": each.order.currency,
            "fee": {"xendit_fee": 2500, "value_added_tax": 275} if each.kind == "charge" else {},
            "created": each.at.isoformat(),
        }
        for each in book.moved("xendit", begins_at, ends_at)
    ]
    after = query.get("after_id", [""])[0]
    start = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
    size = int(query["limit"][0])
    return Reply(200, {"data": rows[start : start + size], "has_more": len(rows) > start + size})


# --- Stripe: idempotency, declines at confirmation, lost answers ------------------------------------------------------


def _stripe(book: Book, asked: Asked, parts: list[str]) -> Reply:
    form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    match asked.method, parts[1:]:
        case "POST", ["payment_intents"]:
            key = asked.headers.get("idempotency-key", "")
            amount = Decimal(form["amount"]) / 100
            method = f"{form['customer']}/{form['payment_method']}"
            order, _ = _charged(book, "stripe", key, amount, form["currency"].upper(), method)
            return _intent_reply(order)
        case "GET", ["payment_intents"]:
            book.asked["lookup"] += 1
            customer = asked.query["customer"][0]
            with book.lock:
                found = [each for each in book.orders.values() if each.method.startswith(f"{customer}/")]
            return Reply(
                200, {"object": "list", "data": [_intent(each) for each in found], "has_more": False, "url": ""}
            )
        case "GET", ["payment_intents", reference]:
            book.asked["lookup"] += 1
            known = book.find("stripe", reference.removeprefix("pi_"))
            if known:
                return Reply(200, _intent(known))
        case "GET", ["balance_transactions"]:
            return _balance(book, asked.query)
        case "POST", ["refunds"]:
            return _stripe_refund(book, form, asked.headers.get("idempotency-key", ""))
    return Reply(404, {"error": {"type": "invalid_request_error", "code": "resource_missing"}})


def _stripe_refund(book: Book, form: Mapping[str, str], key: str) -> Reply:
    book.asked["refund"] += 1
    known = book.find("stripe", form["payment_intent"].removeprefix("pi_"))
    if known is None or not book.refund(known, key, Decimal(form["amount"]) / 100):
        return Reply(400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded"}})
    return Reply(200, {"id": f"re_{key}", "object": "refund", "status": "succeeded"})


def _balance(book: Book, query: Mapping[str, list[str]]) -> Reply:
    begins_at, ends_at = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("created[gte]", "created[lt]"))
    rows = []
    for each in book.moved("stripe", begins_at, ends_at):
        source = {"id": f"re_{each.key}", "object": "refund"}
        if each.kind == "charge":
            source = {
                "id": f"ch_{each.order.reference}",
                "object": "charge",
                "payment_intent": f"pi_{each.order.reference}",
            }
        rows.append(
            {
                "id": f"txn_{each.kind}_{each.key}",
                "object": "balance_transaction",
                "type": each.kind,
                "fee": 59 if each.kind == "charge" else 0,
                "amount": int(each.amount * 100) * (1 if each.kind == "charge" else -1),
                "currency": each.order.currency.lower(),
                "created": int(each.at.timestamp()),
                "source": {**source, "metadata": {"order_id": each.key}},
            }
        )
    return Reply(200, {"object": "list", "data": rows, "has_more": False, "url": ""})


def _intent_reply(order: Order) -> Reply:
    if order.status != "declined":
        return Reply(200, _intent(order))
    error = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": _decline(order),
        "payment_intent": _intent(order),
    }
    return Reply(402, {"error": error})


def _decline(order: Order) -> str:
    return "stolen_card" if order.code == "hard" else "insufficient_funds"


def _intent(order: Order) -> dict[str, Any]:
    statuses = {"succeeded": "succeeded", "pending": "processing", "expired": "canceled"}
    content: dict[str, Any] = {
        "id": f"pi_{order.reference}",
        "object": "payment_intent",
        "status": statuses.get(order.status, "requires_payment_method"),
        "amount": int(order.amount * 100),
        "currency": order.currency.lower(),
        "metadata": {"order_id": order.key},
        "created": int(order.created_at.timestamp()),
        "last_payment_error": None,
    }
    if order.status == "declined":
        content["last_payment_error"] = {"code": "card_declined", "decline_code": _decline(order)}
    return content


# --- notifications ----------------------------------------------------------------------------------------------------


def callback(order: Order) -> Callback:
    """Return the notification that an order's gateway would send now."""
    match order.gateway:
        case "midtrans":
            content = _midtrans(order).content
            signed = signature(content["order_id"], content["status_code"], content["gross_amount"], SERVER_KEY)
            return Callback("midtrans", json.dumps({**content, "signature_key": signed}).encode(), {})
        case "xendit":
            event = "payment.succeeded" if order.status == "succeeded" else "payment.failed"
            body = json.dumps({"event": event, "data": _xendit(order)}).encode()
            headers = {"x-callback-token": CALLBACK_TOKEN, "webhook-id": f"{order.reference}:{order.status}"}
            return Callback("xendit", body, headers)
    event = "payment_intent.succeeded" if order.status == "succeeded" else "payment_intent.payment_failed"
    said = {"id": f"evt_{order.reference}", "type": event, "data": {"object": _intent(order)}}
    body = json.dumps(said).encode()
    return Callback("stripe", body, {"stripe-signature": stripe_signature(body, int(order.updated_at.timestamp()))})


def stripe_signature(body: bytes, timestamp: int, secret: str = WEBHOOK_SECRET) -> str:
    """Return the header with which Stripe signs a webhook."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"
