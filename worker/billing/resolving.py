"""What became of payments whose outcome is not known: only the gateway's own word tells.

A charge that the gateway never heard of is asked for again under the same key while its period is still to be paid:
should the first request arrive late after all, the gateway takes the key once. After a day, when gateways begin to
forget keys, it is given up instead, and the period is charged anew under a new key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from worker import clock
from worker.billing import store
from worker.billing.calls import work_through
from worker.billing.charging import IN_FLIGHT, conclude_all
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.port import (
    ChargeRequest,
    LookupOutcome,
    NotFound,
    NotSent,
    RefundRequest,
    Unknown,
)
from worker.billing.methods import read_method
from worker.db import Connection, transaction
from worker.secrets import Cipher

KEY_LIVES: Final = timedelta(hours=20)
"""How long a key is surely remembered: Stripe keeps them for 24 hours at least."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A payment whose outcome is not known.

    Attributes:
        id: the payment's.
        state: it has.
        request: the charge, or the refund, as it was asked for.
        asked_at: when.
        is_wanted: whether its period is still to be paid.
    """

    id: UUID
    state: str
    request: ChargeRequest | RefundRequest
    asked_at: datetime
    is_wanted: bool


def resolve(guard: Guard, cipher: Cipher, *, concurrency: int, go_on: Callable[[], bool], actor: str) -> int:
    """Look up every payment of a gateway that is to be looked at; return how many.

    Args:
        guard: the gateway.
        cipher: decrypts payment methods.
        concurrency: calls at once.
        go_on: whether to claim more.
        actor: for the audit log.
    """

    def claim(limit: int) -> list[Unresolved]:
        with transaction() as connection:
            return claim_unresolved(connection, guard.name, cipher, limit, clock.now())

    def conclude(results: Sequence[tuple[Unresolved, LookupOutcome]]) -> None:
        conclude_all([(payment.id, payment.asked_at, outcome) for payment, outcome in results], actor=actor)

    return work_through(
        claim=claim,
        ask=lambda payment: ask(guard, payment, clock.now()),
        conclude=conclude,
        concurrency=concurrency,
        go_on=lambda: go_on() and not guard.is_resting(),
    )


def claim_unresolved(
    connection: Connection, gateway: str, cipher: Cipher, limit: int, now: datetime
) -> list[Unresolved]:
    """Take payments that are to be looked at."""
    values = {"gateway": gateway, "limit": limit, "now": now, "look_again_at": now + IN_FLIGHT}
    rows = connection.execute(store.query("claim_unresolved"), values).fetchall()
    return [_unresolved(row, cipher) for row in rows]


def _unresolved(row: Sequence[Any], cipher: Cipher) -> Unresolved:
    payment_id, kind, state, key, amount, currency, asked_at, reference, token, is_wanted, of_key, of_reference = row
    request: ChargeRequest | RefundRequest
    if kind == "charge":
        request = ChargeRequest(key, amount, currency, read_method(token, cipher) or "", asked_at, reference)
    else:
        request = RefundRequest(key, of_key, of_reference, amount, currency)
    return Unresolved(payment_id, state, request, asked_at, is_wanted)


def ask(guard: Guard, payment: Unresolved, now: datetime) -> LookupOutcome:
    """Ask what became of a payment; charge under the same key if the gateway never heard of it and it is wanted."""
    if isinstance(payment.request, RefundRequest):
        # Asking again under the same key is the way to look: it moves money once.
        return _kept(guard.refund(payment.request))
    found = guard.lookup(payment.request)
    if not isinstance(found, NotFound):
        return _kept(found)
    if payment.state == "pending":
        return Unknown("the gateway does not know it any more", payment.request.reference)
    if payment.is_wanted and payment.request.token and now - payment.asked_at < KEY_LIVES:
        return _kept(guard.charge(payment.request))
    if now - payment.asked_at < IN_FLIGHT:
        return Unknown("not there yet")  # whoever asks for it may be about to
    return NotFound()


def _kept(outcome: LookupOutcome) -> LookupOutcome:
    """Return an outcome of asking again: what was not sent now may well have been sent before."""
    return Unknown(outcome.error) if isinstance(outcome, NotSent) else outcome
