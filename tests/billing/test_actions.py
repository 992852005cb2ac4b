"""What is done with subscriptions: begin, pause, resume, cancel, change the plan, and what time alone brings about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.conftest import DUE_AT
from tests.billing.test_charging import APRIL, charges, event_kinds, is_premium, row, subscription
from tests.factories import make_user
from tests.factories_operations import make_coupon, make_plan
from worker import clock
from worker.billing import actions, refunds
from worker.billing.actions import NewSubscription
from worker.billing.charging import claim_charges
from worker.billing.endings import end_what_is_over
from worker.billing.errors import RefusedChangeError, UnknownSubscriptionError
from worker.billing.verify import verify
from worker.db import transaction

ACTOR = "cli:tester"
WEEKS = timedelta(weeks=1)
DEEDS = ("renew", "cancel", "pause", "resume", "upgrade", "end", "wait", "keep")


def do(action, *arguments, **named):
    with transaction() as connection:
        return action(connection, *arguments, actor=ACTOR, now=clock.now(), **named)


def end(now):
    with transaction() as connection:
        return end_what_is_over(connection, actor="job:billing.expire", now=now)


def begin(committed, cipher, plan=None, *, gateway="midtrans", coupon=None):
    code = f"plan-{uuid4().hex}"
    make_plan(committed, code=code, **(plan or {}))
    new = NewSubscription(
        id=uuid4(), user_id=make_user(committed), plan=code, gateway=gateway, token="card:fine", coupon=coupon
    )
    with transaction() as connection:
        assert actions.subscribe(connection, new, cipher, actor=ACTOR, now=clock.now())
        assert not actions.subscribe(connection, new, cipher, actor=ACTOR, now=clock.now())
    return new


def test_a_subscription_without_trial_gives_access_once_it_is_paid(committed, cipher, engine):
    new = begin(committed, cipher)
    assert subscription(committed, new.id)["state"] == "past_due"
    assert not is_premium(committed, new.id)
    engine().renew()
    after = subscription(committed, new.id)
    assert (after["state"], after["period_start"]) == ("active", DUE_AT)  # today, from midnight on
    assert is_premium(committed, new.id)
    assert verify_all() == []


def test_a_trial_gives_access_and_is_charged_when_it_ends(committed, cipher, engine, virtual):
    new = begin(committed, cipher, {"trial_days": 7})
    assert is_premium(committed, new.id)
    assert engine().renew() == 0
    virtual.move_to(DUE_AT + WEEKS)
    assert engine().renew() == 1
    after = subscription(committed, new.id)
    assert (after["state"], after["anchor_on"].isoformat()) == ("active", "2026-03-12")


def test_a_learner_has_one_subscription_at_a_time(committed, cipher, virtual):
    new = begin(committed, cipher, {"trial_days": 7})
    other = NewSubscription(id=uuid4(), user_id=new.user_id, plan=new.plan, gateway="midtrans", token="card:x")
    with pytest.raises(RefusedChangeError, match="has subscription"), transaction() as connection:
        actions.subscribe(connection, other, cipher, actor=ACTOR, now=clock.now())
    do(actions.cancel, new.id, at_once=True)
    with transaction() as connection:
        assert actions.subscribe(connection, other, cipher, actor=ACTOR, now=clock.now())


def test_coupon_and_introductory_price_count_for_their_periods(committed, cipher, engine, virtual):
    make_coupon(committed, code="HEMAT", percent_off=Decimal(50), periods=2)
    new = begin(
        committed,
        cipher,
        {"amount": Decimal(100_000), "introductory_amount": Decimal(40_000), "introductory_periods": 1},
        coupon="hemat",
    )
    for _ in range(3):
        engine().renew()
        virtual.move_to(subscription(committed, new.id)["next_attempt_at"])
    assert [each["amount"] for each in charges(committed, new.id)] == [20_000, 50_000, 100_000]
    assert verify_all() == []


def test_a_free_period_is_renewed_without_a_charge(committed, cipher, engine, sandbox):
    make_coupon(committed, code="GRATIS", percent_off=Decimal(100), periods=1)
    new = begin(committed, cipher, coupon="GRATIS")
    assert engine().renew() == 0
    assert subscription(committed, new.id)["state"] == "active"
    assert charges(committed, new.id) == []
    assert row(committed, "invoices", subscription_id=new.id)[0]["state"] == "paid"


def test_grace_that_is_over_ends_access(committed, subscribe, engine, virtual):
    due = subscribe(method="decline_soft")
    tries = 0
    while (next_at := subscription(committed, due)["next_attempt_at"]) is not None:
        virtual.move_to(max(next_at, clock.now()))
        engine().renew()
        tries += 1
    assert tries == 5  # when it fell due, and on the days 1, 3, 5 and 7
    ends_at = subscription(committed, due)["grace_ends_at"]
    assert end(ends_at - timedelta(minutes=1)) == 0
    assert is_premium(committed, due)
    virtual.move_to(ends_at)
    assert end(ends_at) == 1
    assert subscription(committed, due)["state"] == "expired"
    assert not is_premium(committed, due)
    assert row(committed, "invoices", subscription_id=due)[0]["state"] == "void"
    assert event_kinds(committed)[-1] == "billing.expired"
    assert verify_all() == []


def test_a_payment_that_was_under_way_when_grace_ended_restores_access(committed, subscribe, engine, sandbox, virtual):
    due = subscribe(method="pending")
    engine().renew()
    virtual.move_to(DUE_AT + timedelta(days=9))
    end(clock.now())
    assert subscription(committed, due)["state"] == "expired"
    sandbox.book.pay(charges(committed, due)[0]["idempotency_key"])
    engine().resolve()
    assert subscription(committed, due)["state"] == "active"
    assert is_premium(committed, due)


def test_a_gateway_that_stays_away_ends_in_the_same_grace(committed, subscribe, virtual, configured):
    due = subscribe()
    committed.execute("UPDATE subscriptions SET next_attempt_at = %s WHERE id = %s", (DUE_AT + 2 * WEEKS, due))
    virtual.move_to(DUE_AT + timedelta(days=8))
    assert end(clock.now()) == 2  # past due, and expired
    assert subscription(committed, due)["state"] == "expired"


def test_cancelling_at_the_periods_end_keeps_access_until_then(committed, subscribe, engine, virtual):
    one = subscribe(next_attempt_at=APRIL, period_start=DUE_AT, period_end=APRIL)
    assert do(actions.cancel, one, at_once=False).state == "active"
    assert is_premium(committed, one)
    do(actions.resume, one)
    assert subscription(committed, one)["next_attempt_at"] == APRIL
    do(actions.cancel, one, at_once=False)
    virtual.move_to(APRIL)
    assert engine().renew() == 0
    end(APRIL)
    assert subscription(committed, one)["state"] == "cancelled"
    assert not is_premium(committed, one)
    with pytest.raises(RefusedChangeError):
        do(actions.cancel, one, at_once=False)


def test_a_charge_that_succeeds_after_cancelling_is_paid_back(committed, subscribe, engine, sandbox, virtual):
    one = subscribe()
    sandbox.book.next.append("lost_after")
    midtrans = engine()
    midtrans.renew()
    do(actions.cancel, one, at_once=True)
    virtual.move_to(clock.now() + timedelta(minutes=5))
    midtrans.resolve()
    assert subscription(committed, one)["state"] == "cancelled"
    charge, refund = charges(committed, one)
    assert (charge["state"], refund["kind"], refund["state"]) == ("succeeded", "refund", "intended")
    midtrans.resolve()
    assert charges(committed, one)[1]["state"] == "succeeded"
    (order,) = sandbox.book.orders.values()
    assert sum(order.refunded.values()) == order.amount
    assert event_kinds(committed)[-2:] == ["billing.payment_to_refund", "billing.refunded"]
    assert verify_all() == []


def test_a_pause_keeps_what_is_left_and_moves_the_next_charge(committed, subscribe, engine, virtual):
    one = subscribe(next_attempt_at=APRIL, period_start=DUE_AT, period_end=APRIL)
    virtual.move_to(DUE_AT + timedelta(days=11))
    do(actions.pause, one, until=DUE_AT + timedelta(days=100))
    assert not is_premium(committed, one)
    virtual.move_to(APRIL + timedelta(days=1))
    assert engine().renew() == 0
    virtual.move_to(DUE_AT + timedelta(days=100))
    end(clock.now())
    after = subscription(committed, one)
    assert (after["state"], after["period_end"]) == ("active", DUE_AT + timedelta(days=120))  # 20 of 31 were left
    assert is_premium(committed, one)
    virtual.move_to(after["period_end"])
    engine().renew()
    assert charges(committed, one)[0]["period_start"] == after["period_end"]
    assert verify_all() == []


def test_only_what_is_paid_can_be_paused(committed, subscribe, virtual):
    with pytest.raises(RefusedChangeError):
        do(actions.pause, subscribe(), until=None)
    with pytest.raises(UnknownSubscriptionError):
        do(actions.pause, uuid4(), until=None)


def test_a_dearer_plan_begins_at_once_and_is_prorated_on_the_next_invoice(committed, subscribe, engine, virtual):
    one = subscribe(next_attempt_at=APRIL, period_start=DUE_AT, period_end=APRIL)
    make_plan(committed, code="family", amount=Decimal(199_000))
    virtual.move_to(DUE_AT + timedelta(days=15, hours=12))  # half of March's 31 days
    do(actions.change_plan, one, "family")
    assert subscription(committed, one)["amount"] == 199_000
    virtual.move_to(APRIL)
    engine().renew()
    (charge,) = charges(committed, one)
    assert charge["amount"] == 199_000 - 49_500 + 99_500
    lines = row(committed, "invoice_lines", subscription_id=one)
    assert sorted(line["kind"] for line in lines) == ["plan", "proration_charge", "proration_credit"]
    assert verify_all() == []


def test_a_cheaper_plan_and_one_of_another_length_begin_at_the_periods_end(committed, subscribe, engine, virtual):
    make_plan(committed, code="yearly", amount=Decimal(900_000), period_unit="year")
    one = subscribe(next_attempt_at=APRIL, period_start=DUE_AT, period_end=APRIL)
    do(actions.change_plan, one, "yearly")
    assert subscription(committed, one)["amount"] == 99_000
    virtual.move_to(APRIL)
    engine().renew()
    after = subscription(committed, one)
    assert (after["amount"], after["next_plan_id"]) == (900_000, None)
    assert after["period_end"] == datetime(2027, 4, 4, 17, tzinfo=UTC)


def test_a_new_price_counts_after_its_notice(committed, subscribe, engine, virtual):
    code = "priced"
    one = subscribe(plan={"code": code}, next_attempt_at=APRIL, period_start=DUE_AT, period_end=APRIL)
    told = do(actions.change_price, code, Decimal(120_000), since=clock.now(), notice_days=45)
    assert told == 1
    for _ in range(2):
        virtual.move_to(subscription(committed, one)["next_attempt_at"])
        engine().renew()
    assert [each["amount"] for each in charges(committed, one)] == [99_000, 120_000]
    assert "billing.price_will_change" in event_kinds(committed)


def test_another_payment_method_is_charged_at_once(committed, subscribe, engine, cipher, virtual):
    one = subscribe(method="decline_hard")
    engine().renew()
    assert engine().renew() == 0
    do(actions.set_method, one, "xendit", "pm-good", cipher)
    assert engine("xendit").renew() == 1
    assert subscription(committed, one)["state"] == "active"


@pytest.mark.parametrize("gateway", ["midtrans", "xendit", "stripe"])
def test_a_charge_is_refunded_in_parts_and_never_beyond_itself(committed, subscribe, engine, sandbox, gateway):
    one = subscribe(gateway)
    worker = engine(gateway)
    worker.renew()
    charge_id = charges(committed, one)[0]["id"]
    do(refunds.intend, charge_id, Decimal(40_000))
    with pytest.raises(RefusedChangeError, match="59000"):
        do(refunds.intend, charge_id, Decimal(60_000))
    do(refunds.intend, charge_id, None)
    worker.resolve()
    (order,) = sandbox.book.orders.values()
    assert sorted(order.refunded.values()) == [40_000, 59_000]
    assert [each["state"] for each in charges(committed, one)] == ["succeeded"] * 3
    assert verify_all() == []


def test_every_change_of_state_is_in_the_audit_log(committed, subscribe, engine, virtual):
    one = subscribe(method="decline_soft")
    engine().renew()
    do(actions.cancel, one, at_once=True)
    entries = committed.execute(
        "SELECT actor, action, before ->> 'state', after ->> 'state' FROM audit_log WHERE object_id = %s"
        " ORDER BY created_at",
        (str(one),),
    ).fetchall()
    assert entries == [
        ("job:billing.renew", "subscription.past_due", "active", "past_due"),
        (ACTOR, "subscription.cancelled", "past_due", "cancelled"),
    ]


def test_verify_finds_what_is_broken(committed, subscribe, engine, cipher, virtual):
    one = subscribe()
    engine().renew()
    charge = charges(committed, one)[0]
    committed.execute(
        "INSERT INTO payment_transactions (user_id, subscription_id, state, amount, currency, period_start, period_end,"
        " idempotency_key, gateway, concluded_at)"
        " VALUES (%s, %s, 'succeeded', 1, 'IDR', %s, %s, 'x', 'midtrans', now())",
        (charge["user_id"], one, charge["period_start"] + timedelta(days=1), charge["period_end"]),
    )
    committed.execute("UPDATE invoices SET total = total + 1")
    committed.execute("UPDATE users SET is_premium = false")
    committed.execute("UPDATE subscriptions SET next_attempt_at = NULL")
    subscribe(state="past_due", grace_ends_at=DUE_AT - WEEKS)
    with transaction() as connection:
        claim_charges(connection, "midtrans", cipher, 10, actor=ACTOR, now=clock.now())
    committed.execute("UPDATE payment_transactions SET look_again_at = NULL WHERE state = 'intended'")
    broken = {each.invariant for each in verify_all()}
    assert broken == {
        "charged_twice", "charge_without_period", "bill_off", "premium_off", "forgotten", "open_unwatched", "unaudited"
    }  # fmt: skip


def verify_all():
    with transaction() as connection:
        return verify(connection, clock.now())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deeds=st.lists(
        st.sampled_from(["renew", "cancel", "pause", "resume", "upgrade", "end", "wait", "keep"]), max_size=14
    )
)
def test_whatever_is_done_in_whatever_order_the_invariants_hold(committed, subscribe, engine, cipher, virtual, deeds):
    committed.execute(
        "INSERT INTO plans (code, name, amount) VALUES ('family', 'Family', 199000) ON CONFLICT DO NOTHING"
    )
    one = subscribe()
    named = {
        "cancel": lambda: do(actions.cancel, one, at_once=False),
        "pause": lambda: do(actions.pause, one, until=None),
        "resume": lambda: do(actions.resume, one),
        "upgrade": lambda: do(actions.change_plan, one, "family"),
        "keep": lambda: do(actions.set_method, one, "midtrans", "card:fine", cipher),
        "end": lambda: end(clock.now()),
        "renew": lambda: engine().renew(),
        "wait": lambda: virtual.move_to(clock.now() + timedelta(days=9)),
    }
    for deed in deeds:
        try:
            named[deed]()
        except RefusedChangeError:
            continue
    engine().renew()
    end(clock.now())
    assert verify_all() == []
