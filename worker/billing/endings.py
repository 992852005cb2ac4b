"""What time alone brings about: grace that is over, cancellations at the period's end, pauses that end."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from worker.billing import store
from worker.billing.periods import resumed
from worker.billing.subscription import Change, Subscription, overdue
from worker.db import Connection
from worker.events import Event

TOGETHER: Final = 1_000
"""Subscriptions that one statement takes."""
_OVER: Final = frozenset({"expired", "cancelled"})


def end_what_is_over(connection: Connection, *, actor: str, now: datetime) -> int:
    """Cancel, expire and resume what is to be; return how many subscriptions changed.

    Each kind takes the rows by its own query, at most 1,000 at a time; what others hold comes next time.
    """
    kinds: tuple[tuple[str, Callable[[Subscription, datetime], Change]], ...] = (
        ("claim_ended", _cancel),
        ("claim_overdue", lambda subscription, _: overdue(subscription)),
        ("claim_expired", _expire),
        ("claim_resuming", resume),
    )
    total = 0
    for name, rule in kinds:
        while ids := _claim(connection, name, now):
            changes = [rule(each, now) for each in store.load(connection, ids).values()]
            store.save(connection, changes, actor=actor, now=now)
            void_invoices(
                connection, [each.after.id for each in changes if each.after.state in {"expired", "cancelled"}]
            )
            total += len(changes)
            if len(ids) < TOGETHER:
                break
    return total


def is_anything_over(connection: Connection, now: datetime) -> bool:
    """Return whether `end_what_is_over` would find something."""
    return any(
        _claim(connection, name, now, 1) for name in ("claim_ended", "claim_overdue", "claim_expired", "claim_resuming")
    )


def void_invoices(connection: Connection, subscription_ids: Collection[UUID]) -> None:
    """Void the open invoices of subscriptions that are over."""
    connection.execute(
        "UPDATE invoices SET state = 'void' WHERE subscription_id = ANY (%s) AND state = 'open'",
        (list(subscription_ids),),
    )


def resume(subscription: Subscription, now: datetime) -> Change:
    """Return a paused subscription as active again, its period longer by the pause."""
    assert subscription.paused_at is not None, "the schema wants it"
    period, anchor = resumed(subscription.period, subscription.paused_at, now, subscription.timezone)
    after = replace(
        subscription,
        state="active",
        period=period,
        anchor_on=anchor,
        next_attempt_at=None if subscription.cancel_at_period_end else period.end,
        paused_at=None,
        resumes_at=None,
    )
    return Change(subscription, after, (told("billing.resumed", after, now, period_end=period.end),))


def _cancel(subscription: Subscription, now: datetime) -> Change:
    after = replace(subscription, state="cancelled", cancelled_at=now, next_attempt_at=None, next_plan_id=None)
    return Change(subscription, after, (told("billing.cancelled", after, now),))


def _expire(subscription: Subscription, now: datetime) -> Change:
    after = replace(subscription, state="expired", next_attempt_at=None)
    return Change(subscription, after, (told("billing.expired", after, now),))


def told(kind: str, subscription: Subscription, now: datetime, **more: object) -> Event:
    """Return an event about a subscription."""
    payload = {"subscription_id": subscription.id, "at": now, **more}
    return Event(kind, subscription.user_id, payload)


def _claim(connection: Connection, name: str, now: datetime, limit: int = TOGETHER) -> list[UUID]:
    rows = connection.execute(store.query(name), {"now": now, "limit": limit})
    return [subscription_id for (subscription_id,) in rows]
