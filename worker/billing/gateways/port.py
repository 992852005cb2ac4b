"""What a gateway can be asked, and what it may answer: the same for all of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from worker.billing.settlement import SettlementLine
from worker.models.billing import DeclineKind


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge that is to be made.

    Attributes:
        key: our idempotency key, which is also the order's id at the gateway.
        amount: with the decimals of its currency.
        currency: ISO 4217.
        token: the payment method, in the gateway's own terms; never shown.
        requested_at: when it was first asked for.
        reference: the gateway's own id, once known.
    """

    key: str
    amount: Decimal
    currency: str
    token: str = field(repr=False)
    requested_at: datetime
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money that is to go back.

    Attributes:
        key: our idempotency key of the refund.
        charge_key: that of the charge.
        charge_reference: the gateway's own id of the charge.
        amount: at most the charge's.
        currency: the charge's.
    """

    key: str
    charge_key: str
    charge_reference: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money moved."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It did not, and will not by this request.

    Attributes:
        kind: whether trying again later has a chance.
        code: why, in the gateway's words.
        reference: the gateway's own id, where it gave one.
    """

    kind: DeclineKind
    code: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The customer has to do something first.

    Attributes:
        reference: the gateway's own id.
        instructions: what the app shows them: an account number, a QR code's text, an address.
    """

    reference: str
    instructions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether the money moved: only asking again can."""

    error: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """The gateway certainly did not get the request."""

    error: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The gateway knows no such order."""


ChargeOutcome = Succeeded | Declined | Pending | Unknown | NotSent
LookupOutcome = Succeeded | Declined | Pending | Unknown | NotSent | NotFound


@dataclass(frozen=True, slots=True)
class Notification:
    """What a gateway told us, its signature verified. It is a hint to look, not a truth: the order is looked up.

    Attributes:
        event_id: the same for a repetition of the same event.
        event_type: in the gateway's words.
        key: our idempotency key of what it is about; None: nothing of ours.
    """

    event_id: str
    event_type: str
    key: str | None


class Gateway(Protocol):
    """A payment gateway. Methods are called from several threads at once, and never raise for what a network does."""

    name: str

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Charge; a second call with the same key never moves money twice."""

    def lookup(self, request: ChargeRequest) -> LookupOutcome:
        """Ask what became of a charge."""

    def refund(self, request: RefundRequest) -> ChargeOutcome:
        """Give money back; a second call with the same key never does so twice."""

    def list_settlements(self, day: date) -> Iterator[SettlementLine]:
        """Yield what settled on a day, as the gateway counts days.

        Raises:
            GatewayError: the gateway has no such report over HTTP (import its file), or did not answer.
        """

    def verify_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Return what a notification says.

        Args:
            headers: by their names in lower case.
            body: as it was received.

        Raises:
            ForgedNotificationError: it was not sent by the gateway, or cannot be read.
        """

    def close(self) -> None:
        """Close its connections."""
