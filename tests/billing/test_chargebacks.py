"""Chargebacks: seen in a report, recorded by a person, booked; what follows for the subscription."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.billing.test_charging import event_kinds, is_premium, row, subscription
from tests.billing.test_sandbox_settlements import LATER, POLICY, compared, day, taken_in
from worker.billing.breaks import list_breaks
from worker.billing.chargebacks import record_chargeback
from worker.billing.errors import RefusedChangeError
from worker.billing.ledger import book
from worker.db import transaction


@pytest.fixture
def disputed(committed, subscribe, engine, sandbox, tmp_path):
    """A subscription whose charge was taken back, and the break that tells of it."""
    subscription_id = subscribe("midtrans")
    engine("midtrans").renew()
    (order,) = sandbox.book.charged()
    taken_in(committed, tmp_path / "march.csv", sandbox, {order.key: "unknown_chargeback"})
    assert compared(committed) == {("unknown_chargeback", "open"): order.key}
    (found,) = list_breaks(committed)
    return subscription_id, found["id"]


def recorded(break_id, now, **options):
    with transaction() as connection:
        return record_chargeback(connection, break_id, POLICY, actor="cli:finance", now=now, **options)


def balances(committed, now):
    with committed.transaction():
        book(committed, "midtrans", day() - LATER, day() + LATER, now)
    return dict(committed.execute("SELECT account, sum(amount) FROM ledger_entries GROUP BY account").fetchall())


def test_a_chargeback_leaves_suspense_when_it_is_recorded_and_the_break_heals(committed, disputed, virtual):
    amount = Decimal(99_000)
    assert balances(committed, virtual())["suspense"] == amount
    chargeback_id = recorded(disputed[1], virtual())
    found = row(committed, "payment_transactions", id=chargeback_id)[0]
    assert (found["kind"], found["state"], found["amount"]) == ("chargeback", "succeeded", amount)
    (told,) = list_breaks(committed, state=None)
    assert told["state"] == "healed"
    after = balances(committed, virtual())
    assert (after["chargebacks"], after["suspense"], sum(after.values())) == (amount, 0, 0)
    assert row(committed, "audit_log", action="charge.charged_back")[0]["object_id"] == str(found["parent_id"])
    compared(committed)
    assert [each["state"] for each in list_breaks(committed, state=None)] == ["healed"]


def test_the_subscription_whose_period_was_taken_back_ends_at_once(committed, disputed, virtual):
    recorded(disputed[1], virtual())
    assert subscription(committed, disputed[0])["state"] == "cancelled"
    assert not is_premium(committed, disputed[0])
    assert {"billing.charged_back", "billing.cancelled"} <= set(event_kinds(committed))


def test_the_period_is_still_the_one_taken_back_after_a_pause_has_moved_its_end(committed, disputed, virtual):
    paid_until = subscription(committed, disputed[0])["period_end"]
    moved = "UPDATE subscriptions SET period_end = period_end + interval '20 days' WHERE id = %s"
    committed.execute(moved, (disputed[0],))
    virtual.move_to(paid_until + timedelta(days=3))
    recorded(disputed[1], virtual())
    assert subscription(committed, disputed[0])["state"] == "cancelled"
    assert not is_premium(committed, disputed[0])


def test_one_whose_earlier_period_was_taken_back_ends_with_its_period(committed, disputed, engine, virtual):
    virtual.move_to(subscription(committed, disputed[0])["period_end"] + timedelta(minutes=1))
    assert engine("midtrans").renew() == 1
    recorded(disputed[1], virtual())
    found = subscription(committed, disputed[0])
    assert (found["state"], found["cancel_at_period_end"]) == ("active", True)


def test_one_that_is_kept_goes_on(committed, disputed, virtual):
    recorded(disputed[1], virtual(), keeps_subscription=True)
    found = subscription(committed, disputed[0])
    assert (found["state"], found["cancel_at_period_end"]) == ("active", False)


def test_a_chargeback_is_recorded_once(committed, disputed, virtual):
    recorded(disputed[1], virtual())
    with pytest.raises(RefusedChangeError):
        recorded(disputed[1], virtual())
    assert len(row(committed, "payment_transactions", kind="chargeback")) == 1


def test_more_than_was_charged_is_refused(committed, disputed, virtual):
    committed.execute("UPDATE settlement_lines SET amount = amount + 1 WHERE kind = 'chargeback'")
    with pytest.raises(RefusedChangeError, match="are left of charge"):
        recorded(disputed[1], virtual())
    assert subscription(committed, disputed[0])["state"] == "active"
