"""Telling learners that their trial is about to end, and what they are to pay then: once, days before the charge."""

from datetime import datetime
from typing import Final

from worker.billing import store
from worker.billing.charging import next_invoice
from worker.billing.subscription import Subscription
from worker.db import Connection
from worker.events import Event, publish

TOGETHER: Final = 1_000
"""Subscriptions that one turn takes."""


def announce_trial_ends(connection: Connection, days: int, now: datetime) -> int:
    """Publish `billing.trial_ending` for every trial that ends within some days; return how many were new.

    The key of the event makes a repetition nothing. A trial shorter than the notice is announced as soon as it begins.
    """
    total = 0
    while found := trials_to_announce(connection, days, now):
        bases = store.basis(connection, [each.id for each in found])
        total += publish(connection, [_event(each, bases[each.id], now) for each in found], now=now)
        if len(found) < TOGETHER:
            break
    return total


def trials_to_announce(connection: Connection, days: int, now: datetime, limit: int = TOGETHER) -> list[Subscription]:
    """Return subscriptions whose learners are to be told, the first to end first."""
    values = {"now": now, "days": days, "limit": limit}
    ids = [each for (each,) in connection.execute(store.query("trials_to_announce"), values)]
    found = store.load(connection, ids)
    return [found[each] for each in ids if each in found]


def _event(subscription: Subscription, basis: store.Basis, now: datetime) -> Event:
    invoice = next_invoice(subscription, basis, now)
    payload = {
        "subscription_id": subscription.id,
        "ends_at": subscription.period.end,
        "amount": str(invoice.bill.total),
        "currency": subscription.currency,
        "paid_until": invoice.period.end,
        "wants_method": basis.token is None,
    }
    key = f"billing.trial_ending:{subscription.id}:{int(subscription.period.end.timestamp())}"
    return Event("billing.trial_ending", subscription.user_id, payload, key)
