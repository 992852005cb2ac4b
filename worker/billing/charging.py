"""Charging what is due: intents commit before the gateway is called, results after. Exactly one charge a period.

Whoever dies in between leaves an intended charge: the gateway is asked what became of it (`worker.billing.resolving`).
Nothing is charged again while that is open: `uq_payment_transactions_open_charge`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg

from worker import clock
from worker.billing import refunds, store
from worker.billing.calls import work_through
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.port import (
    ChargeRequest,
    Declined,
    LookupOutcome,
    NotFound,
    NotSent,
    Pending,
    Succeeded,
    Unknown,
)
from worker.billing.methods import read_method
from worker.billing.periods import Period, period_from
from worker.billing.pricing import bill_period
from worker.billing.subscription import Change, Subscription, concluded, paid, without_method
from worker.billing.tax import tax_rate
from worker.clock import local_day
from worker.db import Connection, transaction
from worker.ids import uuid7
from worker.logging import get_logger
from worker.secrets import Cipher

_log = get_logger(__name__)

IN_FLIGHT: Final = timedelta(minutes=15)
"""How long a claimed charge belongs to whoever claimed it; then it is looked up. Far above any time-out."""
_SOONEST: Final = timedelta(minutes=1)
_LATEST: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Intent:
    """A charge that is committed as intended, and now to be asked for."""

    id: UUID
    request: ChargeRequest


def renew(guard: Guard, cipher: Cipher, *, concurrency: int, go_on: Callable[[], bool], actor: str) -> int:
    """Charge every subscription of a gateway that is due; return how many charges were asked for.

    Args:
        guard: the gateway.
        cipher: decrypts payment methods.
        concurrency: calls at once.
        go_on: whether to claim more.
        actor: for the audit log.
    """

    def claim(limit: int) -> list[Intent]:
        with transaction() as connection:
            return claim_charges(connection, guard.name, cipher, limit, actor=actor, now=clock.now())

    def conclude(results: Sequence[tuple[Intent, LookupOutcome]]) -> None:
        conclude_all([(intent.id, intent.request.requested_at, outcome) for intent, outcome in results], actor=actor)

    return work_through(
        claim=claim,
        ask=lambda intent: guard.charge(intent.request),
        conclude=conclude,
        concurrency=concurrency,
        go_on=lambda: go_on() and not guard.is_resting(),
    )


def claim_charges(
    connection: Connection, gateway: str, cipher: Cipher, limit: int, *, actor: str, now: datetime
) -> list[Intent]:
    """Take due subscriptions, write their invoices and intended charges, and return those.

    Subscriptions without anything to pay are renewed at once, those without a payment method are told so; both are not
    returned, and others are taken in their place.
    """
    intents: list[Intent] = []
    while len(intents) < limit:
        ids = store.claim_due(connection, gateway, limit - len(intents), now)
        if not ids:
            break
        intents += _prepare(connection, ids, cipher, actor=actor, now=now)
    return intents


def _prepare(
    connection: Connection, ids: Sequence[UUID], cipher: Cipher, *, actor: str, now: datetime
) -> Iterable[Intent]:
    bases = store.basis(connection, ids)
    invoices: list[store.NewInvoice] = []
    charges: list[store.NewCharge] = []
    changes: list[Change] = []
    intents: list[Intent] = []
    for subscription in store.load(connection, ids).values():
        basis = bases[subscription.id]
        token = read_method(basis.token, cipher)
        if token is None:
            changes.append(without_method(subscription))
            continue
        begun = _beginning(subscription, basis)
        if basis.invoice is None:
            invoice = _invoice(begun, basis, now)
            period = invoice.period
            invoices.append(invoice)
            invoice_id, total = invoice.id, invoice.bill.total
        else:
            invoice_id, total, ends_at = basis.invoice
            period = Period(begun.period.end, ends_at)
        if not total:
            changes.append(Change(subscription, paid(begun, period)))
            continue
        if begun != subscription:
            changes.append(Change(subscription, begun))
        key = idempotency_key(begun.id, period.start, basis.attempts + 1)
        charge = store.NewCharge(uuid7(now), begun, invoice_id, period, total, basis.attempts + 1, key)
        charges.append(charge)
        intents.append(Intent(charge.id, ChargeRequest(key, total, begun.currency, token, now)))
    store.write_invoices(connection, invoices, now)
    store.write_charges(connection, charges, look_again_at=now + IN_FLIGHT, now=now)
    store.save(connection, changes, actor=actor, now=now)
    return intents


def _beginning(subscription: Subscription, basis: store.Basis) -> Subscription:
    """Return a subscription as it enters its next period: with the plan that takes over, or the announced price."""
    start = subscription.period.end
    if basis.next_plan is not None:
        plan = basis.next_plan
        # Another length of period is counted from here; the same one keeps its anchor.
        anchor = subscription.anchor_on
        if plan.rhythm != subscription.rhythm:
            anchor = local_day(start, subscription.timezone, 0)
        return replace(
            subscription,
            plan_id=plan.id,
            next_plan_id=None,
            amount=plan.amount,
            rhythm=plan.rhythm,
            grace_days=plan.grace_days,
            anchor_on=anchor,
            introductory_periods=0,
            next_amount=None,
            next_amount_from=None,
        )
    if subscription.next_amount is not None and subscription.next_amount_from is not None:  # noqa: SIM102
        if subscription.next_amount_from <= start:
            return replace(subscription, amount=subscription.next_amount, next_amount=None, next_amount_from=None)
    return subscription


def next_invoice(subscription: Subscription, basis: store.Basis, now: datetime) -> store.NewInvoice:
    """Return the invoice that a subscription's next period would get now; nothing is written."""
    return _invoice(_beginning(subscription, basis), basis, now)


def _invoice(subscription: Subscription, basis: store.Basis, now: datetime) -> store.NewInvoice:
    period = period_from(subscription.anchor_on, subscription.rhythm, subscription.period.end, subscription.timezone)
    introductory = basis.introductory_amount if subscription.introductory_periods else None
    bill = bill_period(
        price=subscription.amount,
        introductory_price=introductory,
        coupon=basis.coupon,
        carried=[line for _, line in basis.waiting],
        rate=tax_rate(subscription.currency, local_day(period.start, subscription.timezone, 0)),
        currency=subscription.currency,
    )
    waiting = [line_id for line_id, _ in basis.waiting]
    discounts = len(bill.lines) - 1 - len(waiting)
    line_ids = [uuid7(now), *waiting, *(uuid7(now) for _ in range(discounts))]
    return store.NewInvoice(uuid7(now), subscription, period, bill, line_ids)


def idempotency_key(subscription_id: UUID, period_start: datetime, attempt: int) -> str:
    """Return the key of a charge: subscription, period, attempt, in the 50 characters that Midtrans takes at most."""
    return f"{subscription_id.hex}-{period_start:%Y%m%d%H%M}-{attempt}"


Result = tuple[UUID, datetime, LookupOutcome]
"""A payment's id, when it was asked for, and what came of it."""


def conclude_all(results: Sequence[Result], *, actor: str) -> None:
    """Write outcomes in one transaction; if that fails, each in its own, so that one cannot hold up the others."""
    try:
        with transaction() as connection:
            conclude(connection, results, actor=actor, now=clock.now())
    except psycopg.Error:
        if len(results) == 1:
            raise
        _log.exception("charges_not_concluded_together", charges=len(results))
        for result in results:
            try:
                with transaction() as connection:
                    conclude(connection, [result], actor=actor, now=clock.now())
            except psycopg.Error:
                # It stays as it is, and is looked up again.
                _log.exception("charge_not_concluded", charge_id=str(result[0]))


def conclude(connection: Connection, results: Sequence[Result], *, actor: str, now: datetime) -> set[UUID]:
    """Write outcomes of payments and what becomes of their subscriptions; return the ids of the payments it changed.

    Safe to repeat: a payment that is concluded already stays as it is.
    """
    results = _once_each(results)
    charges = store.load_charges(connection, [result[0] for result in results])
    subscriptions = store.load(connection, {charge.subscription_id for charge in charges.values()})
    changed = _write_outcomes(connection, results, now)
    changes: dict[UUID, Change] = {}
    settled: list[UUID | None] = []
    for payment_id, _, outcome in results:
        charge = charges.get(payment_id)
        if payment_id not in changed or charge is None:
            continue
        change = concluded(subscriptions[charge.subscription_id], charge, outcome, now)
        earlier = changes.get(charge.subscription_id)
        if earlier is not None:  # two of its charges at once: one had been given up
            change = Change(earlier.before, change.after, (*earlier.events, *change.events))
        if any(event.kind == "billing.payment_to_refund" for event in change.events):
            refunds.intend(connection, charge.id, None, actor=actor, now=now)
        changes[charge.subscription_id] = change
        subscriptions[charge.subscription_id] = change.after
        if isinstance(outcome, Succeeded):
            settled.append(charge.invoice_id)
    store.settle_invoices(connection, settled, now)
    store.save(connection, list(changes.values()), actor=actor, now=now)
    concluded_refunds = [(result[0], result[2]) for result in results if result[0] in changed - charges.keys()]
    refunds.tell(connection, concluded_refunds, now)
    return changed


def _once_each(results: Sequence[Result]) -> list[Result]:
    """Return one result a payment: if two asked about it at once, the first that tells something."""
    kept: dict[UUID, Result] = {}
    for result in results:
        if isinstance(kept.setdefault(result[0], result)[2], Unknown | NotSent | NotFound):
            kept[result[0]] = result
    return list(kept.values())


def _write_outcomes(connection: Connection, results: Sequence[Result], now: datetime) -> set[UUID]:
    rows = [(payment_id, *_row(outcome, asked_at, now)) for payment_id, asked_at, outcome in results]
    names = ("ids", "states", "references", "decline_kinds", "decline_codes", "errors", "look_agains")
    columns = (list(column) for column in zip(*rows, strict=True))
    values = dict(zip(names, columns, strict=True))
    return {payment_id for (payment_id,) in connection.execute(store.query("conclude_charges"), {**values, "now": now})}


def _row(outcome: LookupOutcome, asked_at: datetime, now: datetime) -> tuple[object, ...]:
    """Return state, reference, kind and code of the decline, error, and when to look again."""
    # Half its age later: a minute at first, then less and less often.
    later = now + min(max((now - asked_at) / 2, _SOONEST), _LATEST)
    match outcome:
        case Succeeded(reference):
            return ("succeeded", reference, None, None, None, None)
        case Declined(kind, code, reference):
            return ("declined", reference, kind, code[:200], None, None)
        case Pending(reference):
            return ("pending", reference, None, None, None, later)
        case NotSent(error):
            return ("cancelled", None, None, None, f"not sent: {error}"[:500], None)
        case NotFound():
            return ("cancelled", None, None, None, "the gateway never heard of it", None)
        case Unknown(error, reference):
            return ("unknown", reference, None, None, error[:500], later)
