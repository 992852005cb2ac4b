"""A subscription as a value, and what becomes of it when a charge is concluded. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from worker.billing import transitions
from worker.billing.dunning import after_decline
from worker.billing.gateways.port import Declined, LookupOutcome, NotFound, NotSent, Pending, Succeeded
from worker.billing.periods import Period, Rhythm, grace_end
from worker.events import Event
from worker.models.billing import SubscriptionState

NOT_SENT_RESTS: Final = timedelta(minutes=15)
"""A charge that the gateway certainly did not get is tried again so much later; it counts as no decline."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription with what its plan says of it; the columns' meanings stand in worker/models/billing.py."""

    id: UUID
    user_id: UUID
    plan_id: UUID
    next_plan_id: UUID | None
    state: SubscriptionState
    anchor_on: date
    timezone: str
    period: Period
    amount: Decimal
    currency: str
    grace_ends_at: datetime | None
    cancel_at_period_end: bool
    cancelled_at: datetime | None
    paused_at: datetime | None
    resumes_at: datetime | None
    next_attempt_at: datetime | None
    declines: int
    coupon_id: UUID | None
    coupon_periods: int | None
    introductory_periods: int
    next_amount: Decimal | None
    next_amount_from: datetime | None
    gateway: str | None
    rhythm: Rhythm
    grace_days: int

    @property
    def dunned_until(self) -> datetime:
        """When the unpaid period's grace ends; also for one that never had access."""
        return self.grace_ends_at or grace_end(self.period.end, self.grace_days, self.timezone)


@dataclass(frozen=True, slots=True)
class Change:
    """What a subscription was and becomes, and what the app is told of it."""

    before: Subscription
    after: Subscription
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        transitions.check(self.before.id, self.before.state, self.after.state)


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as far as its subscription is concerned."""

    id: UUID
    subscription_id: UUID
    invoice_id: UUID | None
    period: Period
    amount: Decimal
    currency: str


def concluded(subscription: Subscription, charge: Charge, outcome: LookupOutcome, now: datetime) -> Change:
    """Return what becomes of a subscription by the outcome of one of its charges."""
    match outcome:
        case Succeeded():
            return _paid(subscription, charge, now)
        case Declined():
            return _declined(subscription, charge, outcome, now)
        case Pending():
            return _asked_to_pay(subscription, charge, outcome)
        case NotSent() if _is_due(subscription, charge):
            return Change(subscription, replace(subscription, next_attempt_at=now + NOT_SENT_RESTS))
        case NotFound() if _is_due(subscription, charge):
            return Change(subscription, replace(subscription, next_attempt_at=now))
    return Change(subscription, subscription)


def paid(subscription: Subscription, period: Period) -> Subscription:
    """Return a subscription whose next period is paid."""
    left = subscription.coupon_periods
    return replace(
        subscription,
        state="active",
        period=period,
        next_attempt_at=None if subscription.cancel_at_period_end else period.end,
        grace_ends_at=None,
        declines=0,
        coupon_periods=None if left is None else max(left - 1, 0),
        introductory_periods=max(subscription.introductory_periods - 1, 0),
    )


def _is_due(subscription: Subscription, charge: Charge) -> bool:
    """Return whether a charge is for the period that the subscription waits for."""
    return subscription.state in transitions.LIVE and subscription.period.end == charge.period.start


def _paid(subscription: Subscription, charge: Charge, now: datetime) -> Change:
    is_late = subscription.state == "expired" and charge.period.end > now
    if not (_is_due(subscription, charge) or (is_late and subscription.period.end == charge.period.start)):
        # Cancelled meanwhile, or the period is over: the money is the learner's.
        return Change(subscription, subscription, (_event("billing.payment_to_refund", subscription, charge),))
    after = paid(subscription, charge.period)
    was_unpaid = subscription.state in {"past_due", "expired"}
    kind = "billing.recovered" if was_unpaid else "billing.renewed"
    return Change(subscription, after, (_event(kind, after, charge),))


def _declined(subscription: Subscription, charge: Charge, outcome: Declined, now: datetime) -> Change:
    if not _is_due(subscription, charge):
        return Change(subscription, subscription)
    owed = _past_due(subscription)
    step = after_decline(outcome.kind, charge.period.start, now, owed.timezone, owed.dunned_until)
    after = replace(owed, declines=owed.declines + 1, next_attempt_at=step.retry_at)
    more = {
        "decline": outcome.kind,
        "code": outcome.code,
        "retry_at": step.retry_at,
        "wants_method": step.wants_method,
        "access_until": after.grace_ends_at,
    }
    return Change(subscription, after, (_event("billing.payment_failed", after, charge, more),))


def _asked_to_pay(subscription: Subscription, charge: Charge, outcome: Pending) -> Change:
    if not _is_due(subscription, charge):
        return Change(subscription, subscription)
    after = _past_due(subscription)
    more = {"instructions": dict(outcome.instructions), "access_until": after.grace_ends_at}
    return Change(subscription, after, (_event("billing.payment_requested", after, charge, more),))


def _past_due(subscription: Subscription) -> Subscription:
    """Return it unpaid: access goes on for the days of grace, but not for one that never had any."""
    if subscription.state == "past_due":
        return subscription
    ends_at = grace_end(subscription.period.end, subscription.grace_days, subscription.timezone)
    return replace(subscription, state="past_due", grace_ends_at=ends_at)


def overdue(subscription: Subscription) -> Change:
    """Return one that is past due although nobody could try to charge it (its gateway was away)."""
    return Change(subscription, _past_due(subscription))


def without_method(subscription: Subscription) -> Change:
    """Return what becomes of a subscription that is due and has no payment method."""
    after = replace(_past_due(subscription), next_attempt_at=None)
    payload = {
        "subscription_id": subscription.id,
        "period_start": subscription.period.end,
        "access_until": after.grace_ends_at,
    }
    key = f"billing:method:{subscription.id}:{subscription.period.end:%Y%m%d}"
    return Change(subscription, after, (Event("billing.method_needed", subscription.user_id, payload, key),))


def _event(kind: str, subscription: Subscription, charge: Charge, more: Mapping[str, Any] | None = None) -> Event:
    payload = {
        "subscription_id": subscription.id,
        "charge_id": charge.id,
        "amount": str(charge.amount),
        "currency": charge.currency,
        "period_start": charge.period.start,
        "period_end": charge.period.end,
        **(more or {}),
    }
    return Event(kind, subscription.user_id, payload, f"{kind}:{charge.id}")
