"""What learners, operators and the app do with a subscription; each in the caller's transaction, audited and told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from worker.audit import AuditEntry, record
from worker.billing import store
from worker.billing.endings import resume as resumed
from worker.billing.endings import told, void_invoices
from worker.billing.errors import RefusedChangeError, UnknownSubscriptionError
from worker.billing.money import quantise
from worker.billing.periods import Rhythm, trial_period
from worker.billing.pricing import prorate
from worker.billing.subscription import Change, Subscription
from worker.db import Connection
from worker.secrets import Cipher

_OVER = frozenset({"cancelled", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A subscription that is to begin.

    Attributes:
        id: chosen by the app, so that asking twice makes one.
        user_id: the learner.
        plan: the plan's code.
        gateway: the gateway's name.
        token: the payment method, in the gateway's own terms.
        timezone: in which its periods begin at midnight.
        coupon: a coupon's code.
    """

    id: UUID
    user_id: UUID
    plan: str
    gateway: str
    token: str = field(repr=False)
    timezone: str = "Asia/Jakarta"
    coupon: str | None = None


def subscribe(connection: Connection, new: NewSubscription, cipher: Cipher, *, actor: str, now: datetime) -> bool:
    """Begin a subscription: its trial, or (without one) unpaid and due at once; return whether it is new.

    Raises:
        RefusedChangeError: there is no such plan, coupon or learner, or the learner has a subscription already.
    """
    learner = connection.execute("SELECT FROM users WHERE id = %s FOR NO KEY UPDATE", (new.user_id,)).fetchone()
    if learner is None:
        raise RefusedChangeError(f"no learner {new.user_id}")
    known = connection.execute(
        "SELECT id FROM subscriptions WHERE user_id = %s AND (id = %s OR state NOT IN ('cancelled', 'expired'))",
        (new.user_id, new.id),
    ).fetchall()
    if (new.id,) in known:
        return False
    if known:
        raise RefusedChangeError(f"the learner has subscription {known[0][0]}: cancel it, or change its plan")
    plan = _plan(connection, new.plan)
    if not plan["is_active"]:
        raise RefusedChangeError(f"plan {new.plan} is closed to new subscribers")
    coupon_id, coupon_periods = _coupon(connection, new.coupon, plan["currency"], now)
    try:
        period, anchor = trial_period(now, plan["trial_days"], new.timezone)
    except (KeyError, ValueError, OSError):
        raise RefusedChangeError("there is no such time zone") from None
    has_trial = plan["trial_days"] > 0
    state = "trialing" if has_trial else "past_due"
    connection.execute(
        store.query("insert_subscription"),
        {
            "id": new.id,
            "user_id": new.user_id,
            "plan_id": plan["id"],
            "state": state,
            "anchor_on": anchor,
            "timezone": new.timezone,
            "period_start": period.start,
            "period_end": period.end,
            "amount": plan["amount"],
            "currency": plan["currency"],
            "trial_ends_at": period.end if has_trial else None,
            "next_attempt_at": period.end if has_trial else now,
            "gateway": new.gateway,
            "token": cipher.encrypt(new.token),
            "coupon_id": coupon_id,
            "coupon_periods": coupon_periods,
            "introductory_periods": plan["introductory_periods"],
        },
    )
    after = {"state": state, "plan_id": plan["id"], "user_id": new.user_id, "amount": str(plan["amount"])}
    record(connection, [AuditEntry(actor, "subscription.created", "subscription", str(new.id), None, after)], now)
    store.refresh_premium(connection, [new.user_id], now)
    return True


def cancel(connection: Connection, subscription_id: UUID, *, at_once: bool, actor: str, now: datetime) -> Subscription:
    """End a subscription at its period's end, or at once; one that is unpaid or paused ends at once.

    Raises:
        UnknownSubscriptionError, RefusedChangeError: there is none, or it is over already.
    """

    def rule(subscription: Subscription) -> Change:
        if subscription.state in _OVER:
            raise RefusedChangeError(f"subscription {subscription.id} is {subscription.state} already")
        if at_once or subscription.state in {"past_due", "paused"}:
            ended = replace(subscription, state="cancelled", cancelled_at=now, next_attempt_at=None, next_plan_id=None)
            return Change(subscription, ended, (told("billing.cancelled", ended, now),))
        after = replace(subscription, cancel_at_period_end=True, next_attempt_at=None)
        event = told("billing.cancellation_planned", after, now, ends_at=after.period.end)
        return Change(subscription, after, (event,) if after != subscription else ())

    after = _change(connection, subscription_id, rule, actor, now)
    if after.state == "cancelled":
        void_invoices(connection, [after.id])
    return after


def pause(
    connection: Connection, subscription_id: UUID, *, until: datetime | None, actor: str, now: datetime
) -> Subscription:
    """Stop a paid subscription and its access; what is left of the period is kept. `until`: it goes on by itself then.

    Raises:
        UnknownSubscriptionError, RefusedChangeError: there is none, or it is not active and paid.
    """

    def rule(subscription: Subscription) -> Change:
        if subscription.state != "active" or subscription.period.end <= now:
            raise RefusedChangeError("only a subscription that is active and paid can be paused")
        if until is not None and until <= now:
            raise RefusedChangeError("a pause ends in the future")
        after = replace(subscription, state="paused", paused_at=now, resumes_at=until, next_attempt_at=None)
        return Change(subscription, after, (told("billing.paused", after, now, resumes_at=until),))

    return _change(connection, subscription_id, rule, actor, now)


def resume(connection: Connection, subscription_id: UUID, *, actor: str, now: datetime) -> Subscription:
    """Go on after a pause, with the period longer by it; or take a planned cancellation back.

    Raises:
        UnknownSubscriptionError, RefusedChangeError: there is none, or nothing to resume.
    """

    def rule(subscription: Subscription) -> Change:
        if subscription.state == "paused":
            return resumed(subscription, now)
        if subscription.cancel_at_period_end and subscription.period.end > now:
            after = replace(subscription, cancel_at_period_end=False, next_attempt_at=subscription.period.end)
            return Change(subscription, after, (told("billing.resumed", after, now),))
        raise RefusedChangeError("it is neither paused nor about to end")

    return _change(connection, subscription_id, rule, actor, now)


def change_plan(connection: Connection, subscription_id: UUID, code: str, *, actor: str, now: datetime) -> Subscription:
    """Change the plan: to a dearer one of the same length at once, prorated on the next invoice; else at period end.

    Raises:
        UnknownSubscriptionError, RefusedChangeError: there is none, or it cannot be changed so now.
    """
    plan = _plan(connection, code)

    def rule(subscription: Subscription) -> Change:
        if subscription.state not in {"trialing", "active"} or subscription.period.end <= now:
            raise RefusedChangeError("the plan can be changed while the subscription is paid: try again when it is")
        if plan["currency"] != subscription.currency:
            raise RefusedChangeError(
                f"plan {code} is in {plan['currency']}, the subscription in {subscription.currency}"
            )
        if plan["id"] == subscription.plan_id:
            return Change(subscription, replace(subscription, next_plan_id=None))
        same = Rhythm(plan["period_unit"], plan["period_count"]) == subscription.rhythm
        is_trial = subscription.state == "trialing"
        if not (same and (is_trial or plan["amount"] > subscription.amount)):
            after = replace(subscription, next_plan_id=plan["id"])
            event = told("billing.plan_change_planned", after, now, plan=code, at_end_of=after.period.end)
            return Change(subscription, after, (event,))
        if not is_trial:
            lines = prorate(subscription.amount, plan["amount"], subscription.period, now, subscription.currency)
            store.add_waiting_lines(connection, subscription.id, lines, now)
        after = replace(
            subscription,
            plan_id=plan["id"],
            next_plan_id=None,
            amount=plan["amount"],
            next_amount=None,
            next_amount_from=None,
            introductory_periods=plan["introductory_periods"] if is_trial else 0,
        )
        return Change(subscription, after, (told("billing.plan_changed", after, now, plan=code),))

    return _change(connection, subscription_id, rule, actor, now)


def set_method(
    connection: Connection,
    subscription_id: UUID,
    gateway: str,
    token: str,
    cipher: Cipher,
    *,
    actor: str,
    now: datetime,
) -> Subscription:
    """Set another payment method; an unpaid subscription is charged with it at once.

    Raises:
        UnknownSubscriptionError, RefusedChangeError: there is none, or it is over.
    """
    open_charge = connection.execute(
        "SELECT state FROM payment_transactions WHERE subscription_id = %s AND kind = 'charge'"
        " AND state IN ('intended', 'pending', 'unknown')",
        (subscription_id,),
    ).fetchone()

    def rule(subscription: Subscription) -> Change:
        if subscription.state in _OVER:
            raise RefusedChangeError(f"subscription {subscription.id} is {subscription.state}")
        if open_charge is not None and open_charge[0] != "pending":
            raise RefusedChangeError("a charge is under way with the present one: try again in some minutes")
        if subscription.state == "past_due" and open_charge is None:
            return Change(subscription, replace(subscription, next_attempt_at=now))
        return Change(subscription, subscription)

    after = _change(connection, subscription_id, rule, actor, now)
    connection.execute(
        "UPDATE subscriptions SET gateway = %s, payment_token_encrypted = %s WHERE id = %s",
        (gateway, cipher.encrypt(token), subscription_id),
    )
    entry = AuditEntry(actor, "subscription.method_set", "subscription", str(subscription_id), {}, {"gateway": gateway})
    record(connection, [entry], now)
    return after


def change_price(
    connection: Connection, code: str, amount: Decimal, *, since: datetime, notice_days: int, actor: str, now: datetime
) -> int:
    """Change a plan's price and tell its subscribers; return how many.

    New subscribers pay it at once, others from the first period that begins after `since` and the notice.

    Raises:
        RefusedChangeError: there is no such plan.
    """
    plan = _plan(connection, code)
    amount = quantise(amount, plan["currency"])
    effective_at = max(since, now + timedelta(days=notice_days))
    connection.execute("UPDATE plans SET amount = %s WHERE id = %s", (amount, plan["id"]))
    before, after = {"amount": str(plan["amount"])}, {"amount": str(amount), "from": effective_at}
    record(connection, [AuditEntry(actor, "plan.price_changed", "plan", str(plan["id"]), before, after)], now)
    values = {"plan_id": plan["id"], "amount": amount, "effective_at": effective_at, "now": now}
    rows = connection.execute(store.query("announce_price"), values).fetchone()
    return rows[0] if rows else 0


def _change(
    connection: Connection, subscription_id: UUID, rule: Callable[[Subscription], Change], actor: str, now: datetime
) -> Subscription:
    subscription = store.load(connection, [subscription_id]).get(subscription_id)
    if subscription is None:
        raise UnknownSubscriptionError(subscription_id)
    change = rule(subscription)
    store.save(connection, [change], actor=actor, now=now)
    return change.after


def _plan(connection: Connection, code: str) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        plan = cursor.execute("SELECT * FROM plans WHERE code = %s", (code,)).fetchone()
    if plan is None:
        raise RefusedChangeError(f"no plan {code}")
    return plan


def _coupon(connection: Connection, code: str | None, currency: str, now: datetime) -> tuple[UUID | None, int | None]:
    if code is None:
        return None, None
    row = connection.execute(
        "SELECT id, periods FROM coupons WHERE code = %s AND (currency IS NULL OR currency = %s)"
        " AND (valid_until IS NULL OR valid_until > %s)",
        (code.upper(), currency, now),
    ).fetchone()
    if row is None:
        raise RefusedChangeError(f"no coupon {code} that can be taken now")
    return row[0], row[1]
