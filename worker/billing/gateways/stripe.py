"""Stripe by its official SDK: PaymentIntents off session, refunds, balance transactions, signed webhooks.

A payment method is written as `<customer>/<payment method>`. Our key is the idempotency key and stands in the intent's
metadata as `order_id`, by which an intent whose id never reached us is found among the customer's own.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec
import stripe

from worker.billing.errors import ForgedNotificationError, GatewayError
from worker.billing.gateways.port import (
    ChargeOutcome,
    ChargeRequest,
    Declined,
    LookupOutcome,
    NotFound,
    Notification,
    NotSent,
    Pending,
    RefundRequest,
    Succeeded,
    Unknown,
)
from worker.billing.money import from_minor, to_minor
from worker.billing.settlement import LineKind, SettlementLine

_HARD: Final = frozenset(
    {
        "expired_card",
        "incorrect_number",
        "invalid_account",
        "lost_card",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "stop_payment_order",
        "stolen_card",
        "authentication_required",
        "payment_method_unactivated",
    }
)
_KINDS: Final[Mapping[str, LineKind]] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payout": "payout",
}
_FAILURES: Final = (stripe.StripeError, AttributeError, KeyError, TypeError, ValueError)
"""What a call may end with: the SDK itself stumbles over answers that are not Stripe's, such as a proxy's page."""
_TOLERANCE_S: Final = 300
"""How old a webhook's signature may be."""
_LOOK_BACK: Final = timedelta(hours=1)
"""Clocks differ: intents are looked for from so long before the request."""


class Stripe:
    """The adapter."""

    name = "stripe"

    def __init__(self, secret_key: str, webhook_secret: str, url: str | None, *, timeout_s: float) -> None:
        """Connect to nothing yet; without `url`, to Stripe itself."""
        self._webhook_secret = webhook_secret
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": url} if url else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=timeout_s),
        )

    def close(self) -> None:
        """Close nothing: the SDK keeps a session a thread."""

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Create and confirm a PaymentIntent off session."""
        customer, _, method = request.token.partition("/")
        try:
            intent = self._client.v1.payment_intents.create(
                {
                    "amount": _minor(request),
                    "currency": request.currency.lower(),
                    "customer": customer,
                    "payment_method": method,
                    "off_session": True,
                    "confirm": True,
                    "metadata": {"order_id": request.key},
                },
                {"idempotency_key": request.key},
            )
        except _FAILURES as error:
            return _failure(error)
        return _outcome(intent)

    def lookup(self, request: ChargeRequest) -> LookupOutcome:
        """Retrieve the intent, or look for it among its customer's by the key in its metadata."""
        try:
            if request.reference is not None:
                return _outcome(self._client.v1.payment_intents.retrieve(request.reference))
            customer = request.token.partition("/")[0]
            since = int((request.requested_at - _LOOK_BACK).timestamp())
            found = self._client.v1.payment_intents.list({"customer": customer, "limit": 100})
            for intent in found.auto_paging_iter():  # the newest first
                if intent.created < since:
                    break
                if intent.metadata and intent.metadata.to_dict().get("order_id") == request.key:
                    return _outcome(intent)
        except _FAILURES as error:
            failed = _failure(error)
            return Unknown(failed.code, failed.reference) if isinstance(failed, Declined) else failed
        return NotFound()

    def refund(self, request: RefundRequest) -> ChargeOutcome:
        """Refund a PaymentIntent."""
        try:
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": request.charge_reference,
                    "amount": to_minor(request.amount, request.currency) * _factor(request.currency),
                    "metadata": {"order_id": request.key},
                },
                {"idempotency_key": request.key},
            )
        except _FAILURES as error:
            return _failure(error)
        match made.status:
            case "succeeded":
                return Succeeded(made.id)
            case "pending" | "requires_action":
                return Pending(made.id)
            case status:
                return Declined("hard", str(made.failure_reason or status), made.id)

    def list_settlements(self, day: date) -> Iterator[SettlementLine]:
        """Yield the balance transactions created on a day in UTC, with what they stand for.

        Raises:
            GatewayError: Stripe did not answer.
        """
        begins_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        created: Any = {
            "gte": int(begins_at.timestamp()),
            "lt": int((begins_at + timedelta(days=1)).timestamp()),
        }
        try:
            rows = self._client.v1.balance_transactions.list(
                {"created": created, "limit": 100, "expand": ["data.source"]}
            )
            for row in rows.auto_paging_iter():
                if row.type in _KINDS:
                    yield _line(row, day)
        except _FAILURES as error:
            raise GatewayError(f"Stripe's balance transactions of {day} cannot be read: {error}") from None

    def verify_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Check the header `stripe-signature`.

        Raises:
            ForgedNotificationError: it is wrong, too old, or there is none.
        """
        if not self._webhook_secret:
            raise ForgedNotificationError("ELP_STRIPE_WEBHOOK_SECRET is not set")
        try:
            stripe.WebhookSignature.verify_header(
                body.decode(), headers.get("stripe-signature", ""), self._webhook_secret, _TOLERANCE_S
            )
            said = msgspec.json.decode(body, type=dict[str, Any])
        except (stripe.SignatureVerificationError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise ForgedNotificationError(f"the signature is wrong: {type(error).__name__}") from None
        data = said.get("data")
        about = data.get("object") if isinstance(data, dict) else None
        metadata = about.get("metadata") if isinstance(about, dict) else None
        key = metadata.get("order_id") if isinstance(metadata, dict) else None
        event_id, event_type = str(said.get("id", "")), str(said.get("type", ""))
        return Notification(event_id[:500], event_type[:200], key if isinstance(key, str) else None)


def _factor(currency: str) -> int:
    """Return what our minor units are multiplied with: Stripe counts rupiah in hundredths, like dollars."""
    return 100 if currency == "IDR" else 1


def _minor(request: ChargeRequest) -> int:
    return to_minor(request.amount, request.currency) * _factor(request.currency)


def _outcome(intent: stripe.PaymentIntent) -> ChargeOutcome:
    match intent.status:
        case "succeeded":
            return Succeeded(intent.id)
        case "processing":
            return Pending(intent.id)
        case "requires_action":
            return Declined("hard", "authentication_required", intent.id)
        case _:
            error = intent.last_payment_error
            code = str((error and (error.decline_code or error.code)) or intent.status)
            return Declined("hard" if code in _HARD else "soft", code, intent.id)


def _failure(error: Exception) -> Declined | Unknown | NotSent:
    match error:
        case stripe.CardError():
            intent = error.error and error.error.payment_intent
            code = str((error.error and error.error.decline_code) or error.code or "card_declined")
            return Declined("hard" if code in _HARD else "soft", code, intent.id if intent else None)
        case stripe.RateLimitError():
            return NotSent("rate limit")
        case stripe.APIConnectionError():
            # The SDK does not tell a refused connection from a lost answer.
            return Unknown("no answer")
        case stripe.IdempotencyError():
            return Unknown("the key is in use")
        case stripe.InvalidRequestError() | stripe.AuthenticationError() | stripe.PermissionError():
            return Declined("hard", str(error.code or type(error).__name__))
        case _:
            return Unknown(f"{type(error).__name__} {getattr(error, 'http_status', '')}".strip())


def _line(row: stripe.BalanceTransaction, day: date) -> SettlementLine:
    source: Any = row.source
    metadata = source.metadata.to_dict() if getattr(source, "metadata", None) else {}
    reference = getattr(source, "payment_intent", None) if row.type != "refund" else None
    currency = row.currency.upper()
    return SettlementLine(
        gateway="stripe",
        gateway_reference=reference or getattr(source, "id", source),
        order_id=metadata.get("order_id"),
        kind=_KINDS[row.type],
        amount=from_minor(abs(row.amount), currency) / _factor(currency),
        fee=from_minor(row.fee, currency) / _factor(currency) if row.type != "payout" else from_minor(0, currency),
        currency=currency,
        occurred_at=datetime.fromtimestamp(row.created, UTC),
        settled_on=day,
    )
