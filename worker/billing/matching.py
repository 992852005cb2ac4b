"""Where the gateway's book and ours disagree: the rules, for one pair of entries at a time.

Pairs come from `queries/compare_day.sql`, which finds them, and `look_up_pairs.sql`, which reads them; what is a break,
what heals by itself and what a person should do is decided here.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from worker.billing.settlement import LineKind, LineStatus
from worker.models.billing import TransactionState
from worker.models.reconciliation import BreakKind, LineStanding

FoundBy = Literal["reference", "order", "charge"]

_HUNDRED: Final = 100


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is normal with a gateway."""

    late_after_days: int
    """Days from payment to settlement that are normal."""
    missing_after_days: int
    """Days after which an unsettled payment is missing, not late."""
    fee_percent: Decimal | None = None
    fee_fixed: Decimal = Decimal(0)
    """The most that the contract allows the gateway to keep of a rupiah payment, its tax included: percent of the
    amount plus so many rupiah. None: not checked."""

    def allows(self, amount: Decimal, fee: Decimal, currency: str) -> bool:
        """Return whether a fee is within the contract."""
        if self.fee_percent is None or currency != "IDR":
            return True
        return fee <= amount * self.fee_percent / _HUNDRED + self.fee_fixed


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's side of a pair: a line of its report."""

    id: UUID
    reference: str | None
    order_id: str | None
    amount: Decimal
    fee: Decimal
    currency: str
    status: LineStatus
    standing: LineStanding
    occurred_on: date
    settled_on: date


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """Our side of a pair: a transaction."""

    id: UUID
    state: TransactionState
    amount: Decimal
    fee: Decimal | None
    currency: str
    reference: str | None
    key: str
    concluded_on: date | None


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs together, or one side alone."""

    kind: LineKind
    line: Entry | None
    paid: Payment | None
    found_by: FoundBy | None = None
    """How the line led to the transaction."""
    charge_id: UUID | None = None
    """Of a refund or chargeback: the charge that its line speaks of."""
    is_second: bool = False
    """An earlier line settled this order already."""
    is_paid_otherwise: bool = False
    """Another charge paid the period of this one."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A difference between the books, to be stored."""

    kind: BreakKind
    gateway: str
    transaction_id: UUID | None
    line_id: UUID | None
    gateway_reference: str | None
    order_id: str | None
    currency: str
    our_amount: Decimal | None
    gateway_amount: Decimal | None
    details: dict[str, Any]
    is_healed: bool = False
    """It was put right already, and is kept for the record."""

    @property
    def fingerprint(self) -> str:
        """Identity: a difference whose sides or amounts are others is another one."""
        parts = (self.transaction_id, self.line_id, self.currency, self.our_amount, self.gateway_amount)
        told = "|".join("" if part is None else str(part) for part in (*parts, self.details.get("differs", "")))
        return f"{self.gateway}:{self.kind}:{sha256(told.encode()).hexdigest()[:32]}"


ACTIONS: Final[Mapping[BreakKind, str]] = {
    "missing_at_gateway": "Look it up in the gateway's dashboard. If it has no such payment, the customer was not"
    " charged: end the access or charge anew, and resolve with what was done.",
    "missing_here": "Find whose payment it is (proposals stand with the break). If nobody's, refund it at the gateway.",
    "amount": "Ask the gateway which amount the customer paid; refund or write off the difference.",
    "currency": "Ask the gateway in which currency the customer paid; refund and charge anew if it is not ours.",
    "status": "Look it up at the gateway; once it is concluded on our side the break closes itself.",
    "duplicate_charge": "Refund the second payment at the gateway, and resolve with the refund's id.",
    "fee": "Compare with the contract, and claim the difference from the gateway.",
    "late_settlement": "Wait: it closes itself when the money is settled.",
    "unknown_refund": "Find who refunded it at the gateway, and record the refund here.",
    "unknown_chargeback": "Answer the dispute at the gateway before its deadline; if the money stays away, record it:"
    " `elp billing breaks chargeback ID`.",
}
"""What a person should do about an open break."""

HEALING: Final[Mapping[str, str]] = {
    "settled late": "A payment that settles after all closes its late_settlement or missing_at_gateway break.",
    "taken over": "A transaction without a gateway's reference whose order's id, amount and currency agree gets it.",
    "agrees now": "Whatever later agrees (a corrected report, a payment concluded since) closes its break.",
    "concluded": "billing.resolve_unknown asks the gateway about payments that are unknown or pending here; once"
    " concluded, their break closes.",
}
"""Everything that is put right without a person. No amount, currency, fee or state is ever taken over from a report."""


def breaks_of(pair: Pair, *, gateway: str, policy: Policy, reported_until: date) -> Iterator[Break]:
    """Yield what is wrong with a pair.

    Args:
        pair: from one gateway's book and ours.
        gateway: whose.
        policy: what is normal with it.
        reported_until: the newest day of settlement that its reports cover; nothing can be missing from later ones.
    """
    line, paid = pair.line, pair.paid
    if line is None or line.status == "pending":
        if paid is not None and paid.state == "succeeded":
            yield from _unsettled(pair, paid, gateway, policy, reported_until)
    elif line.status == "failed":
        if paid is not None and paid.state == "succeeded":
            yield _break("status", pair, gateway, differs="failed at the gateway, succeeded here")
    elif paid is None:
        kinds: dict[LineKind, BreakKind] = {"refund": "unknown_refund", "chargeback": "unknown_chargeback"}
        yield _break(kinds.get(pair.kind, "missing_here"), pair, gateway)
    elif line.standing == "repeat":
        yield _break("duplicate_charge", pair, gateway, differs="settled twice under one reference")
    elif pair.is_second or pair.is_paid_otherwise:
        what = "a second payment of the same order" if pair.is_second else "another charge paid this period"
        yield _break("duplicate_charge", pair, gateway, differs=what)
    else:
        yield from _differences(pair, line, paid, gateway, policy)


def _unsettled(pair: Pair, paid: Payment, gateway: str, policy: Policy, reported_until: date) -> Iterator[Break]:
    assert paid.concluded_on is not None, "it succeeded"
    days = (reported_until - paid.concluded_on).days
    if days > policy.missing_after_days:
        yield _break("missing_at_gateway", pair, gateway)
    elif days > policy.late_after_days:
        yield _break("late_settlement", pair, gateway)


def _differences(pair: Pair, line: Entry, paid: Payment, gateway: str, policy: Policy) -> Iterator[Break]:
    if paid.state != "succeeded":
        yield _break("status", pair, gateway, differs=f"settled at the gateway, {paid.state} here")
    if paid.currency != line.currency:
        found = _break("currency", pair, gateway, differs=f"{paid.currency} here")
        found.details["our_currency"] = paid.currency
        yield found
    elif paid.amount != line.amount:
        yield _break("amount", pair, gateway)
    if paid.currency == line.currency and paid.fee is not None and paid.fee != line.fee:
        yield _fee_break(pair, line, paid, gateway, "the gateway told another fee when it was charged")
    elif not policy.allows(line.amount, line.fee, line.currency):
        yield _fee_break(pair, line, paid, gateway, "more than the contract allows")
    if (days := (line.settled_on - line.occurred_on).days) > policy.late_after_days:
        yield _break("late_settlement", pair, gateway, is_healed=True, differs=f"settled after {days} days")


def _fee_break(pair: Pair, line: Entry, paid: Payment, gateway: str, differs: str) -> Break:
    found = _break("fee", pair, gateway, differs=differs)
    return msgspec.structs.replace(found, our_amount=paid.fee, gateway_amount=line.fee)


def _break(kind: BreakKind, pair: Pair, gateway: str, *, differs: str | None = None, is_healed: bool = False) -> Break:
    line, paid = pair.line, pair.paid
    details: dict[str, Any] = {"movement": pair.kind}
    if differs:
        details["differs"] = differs
    if pair.found_by:
        details["found_by"] = pair.found_by
    return Break(
        kind=kind,
        gateway=gateway,
        transaction_id=paid.id if paid else pair.charge_id,
        line_id=line.id if line and line.status != "pending" else None,
        gateway_reference=(line.reference if line else None) or (paid.reference if paid else None),
        order_id=(line.order_id if line else None) or (paid.key if paid else None),
        currency=line.currency if line else paid.currency if paid else "IDR",
        our_amount=paid.amount if paid else None,
        gateway_amount=line.amount if line and line.status != "pending" else None,
        details=details,
        is_healed=is_healed,
    )


def adopts_reference(pair: Pair) -> bool:
    """Return whether our transaction may take the line's reference: it has none, and all else agrees."""
    line, paid = pair.line, pair.paid
    return (
        line is not None
        and paid is not None
        and line.reference is not None
        and paid.reference is None
        and pair.found_by == "order"
        and line.status == "settled"
        and (line.amount, line.currency) == (paid.amount, paid.currency)
        and not pair.is_second
    )


class Known(msgspec.Struct, frozen=True):
    """A break of the day as it is stored."""

    id: UUID
    state: Literal["open", "healed", "resolved"]


class Changes(msgspec.Struct, frozen=True):
    """What has to be written so that the stored breaks are those that were found."""

    new: list[Break]
    reopened: list[UUID]
    """Healed ones that are back."""
    healed: list[UUID]
    """Open ones that are no more."""


def changes(found: Mapping[str, Break], known: Mapping[str, Known]) -> Changes:
    """Return what has changed; for the same breaks again, nothing. What a person resolved stays resolved.

    Args:
        found: the breaks of a day by fingerprint.
        known: those that are stored, by fingerprint.
    """
    return Changes(
        new=[each for fingerprint, each in found.items() if fingerprint not in known],
        reopened=[
            known[fingerprint].id
            for fingerprint, each in found.items()
            if not each.is_healed and fingerprint in known and known[fingerprint].state == "healed"
        ],
        healed=[each.id for fingerprint, each in known.items() if each.state == "open" and fingerprint not in found],
    )
