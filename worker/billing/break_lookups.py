"""Asking a gateway about breaks: what it says now counts more than its report, and less than a person.

What heals is what `billing.resolve_unknown` would conclude as well: money that the report and the gateway itself say
moved, and that our books do not have. Every other answer is written into the break, for the person who decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final
from uuid import UUID

from worker import clock
from worker.billing.calls import work_through
from worker.billing.charging import conclude_all
from worker.billing.days import compare
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.port import (
    ChargeRequest,
    Declined,
    LookupOutcome,
    NotFound,
    Pending,
    Succeeded,
)
from worker.billing.matching import Policy
from worker.billing.methods import read_method
from worker.db import Connection, transaction
from worker.db.queries import load_query
from worker.secrets import Cipher

MOST: Final = 500
"""Breaks that one run asks a gateway about: a report that is wrong about everything must not bring its limit down."""

_query = partial(load_query, "worker.billing")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A break that its gateway is asked about.

    Attributes:
        break_id: the break's.
        kind: `status` or `missing_at_gateway`.
        day: whose comparison has it.
        payment_id: of the charge that it is about.
        state: that the charge has here.
        request: the charge, as it was asked for.
    """

    break_id: UUID
    kind: str
    day: date
    payment_id: UUID
    state: str
    request: ChargeRequest


Answer = tuple[Doubt, LookupOutcome]


def ask_about_breaks(
    guard: Guard, cipher: Cipher, policy: Policy, *, concurrency: int, go_on: Callable[[], bool], actor: str
) -> int:
    """Ask a gateway about its breaks and heal what may heal; return how many were asked about.

    No transaction is open while the gateway is asked; a break that was claimed by a run that died is asked about again
    a day later.

    Args:
        guard: the gateway.
        cipher: decrypts payment methods, by which Stripe finds charges.
        policy: what is normal with it.
        concurrency: calls at once.
        go_on: whether to claim more.
        actor: for the audit log.
    """
    left = MOST

    def claim(limit: int) -> list[Doubt]:
        nonlocal left
        with transaction() as connection:
            found = claim_breaks(connection, guard.name, cipher, min(limit, left), clock.now())
        left -= len(found)
        return found

    return work_through(
        claim=claim,
        ask=lambda doubt: guard.lookup(doubt.request),
        conclude=lambda answers: settle(guard.name, answers, policy, actor=actor),
        concurrency=concurrency,
        go_on=lambda: left > 0 and go_on() and not guard.is_resting(),
    )


def claim_breaks(connection: Connection, gateway: str, cipher: Cipher, limit: int, now: datetime) -> list[Doubt]:
    """Take breaks that a gateway is to be asked about; each again after a day at the earliest."""
    values = {"gateway": gateway, "limit": limit, "now": now}
    return [
        Doubt(
            break_id,
            kind,
            day,
            payment_id,
            state,
            ChargeRequest(key, amount, currency, read_method(token, cipher) or "", asked_at, reference),
        )
        for break_id, kind, day, payment_id, state, key, amount, currency, asked_at, reference, token in (
            connection.execute(_query("claim_breaks"), values)
        )
    ]


def settle(gateway: str, answers: Sequence[Answer], policy: Policy, *, actor: str) -> None:
    """Conclude the charges that the gateway says were paid, compare their days again, and keep every other answer."""
    paid = [each for each in answers if heals(*each)]
    if paid:
        conclude_all([(doubt.payment_id, doubt.request.requested_at, outcome) for doubt, outcome in paid], actor=actor)
    for day in sorted({doubt.day for doubt, _ in paid}):
        with transaction() as connection:
            compare(connection, gateway, day, policy, clock.now())
    values = {"ids": [doubt.break_id for doubt, _ in answers], "answers": [in_words(said) for _, said in answers]}
    with transaction() as connection:
        connection.execute(_query("note_answers"), values)


def heals(doubt: Doubt, outcome: LookupOutcome) -> bool:
    """Return whether an answer puts a break right without a person: paid by both the report's word and this one."""
    return doubt.kind == "status" and doubt.state != "succeeded" and isinstance(outcome, Succeeded)


def in_words(outcome: LookupOutcome) -> str:
    """Return an answer as it is kept with the break."""
    match outcome:
        case Succeeded():
            return "paid"
        case Declined(kind, code):
            return f"declined ({kind}): {code}"[:200]
        case Pending():
            return "pending"
        case NotFound():
            return "no such payment"
        case _:
            return f"no answer: {outcome.error}"[:200]
