"""Breaks that a gateway is asked about: what it says was paid heals, everything else waits with its answer."""

from datetime import timedelta

import pytest

from tests.billing.test_charging import charges, subscription
from tests.billing.test_sandbox_settlements import POLICY, compared, day, taken_in
from worker.billing.break_lookups import ask_about_breaks
from worker.billing.breaks import list_breaks
from worker.billing.days import compare

DAY_LATER = timedelta(days=1, minutes=1)


@pytest.fixture
def ask(engine, cipher):
    def ask(gateway="midtrans"):
        guard = engine(gateway).guard
        return ask_about_breaks(
            guard, cipher, POLICY, concurrency=4, go_on=lambda: True, actor="job:billing.ask_about_breaks"
        )

    return ask


def only_break(committed):
    (found,) = list_breaks(committed, state=None)
    return found


@pytest.fixture
def given_up(committed, subscribe, engine, virtual, sandbox):
    """A charge that was declined here; the customer paid it after all, and no notification of that came."""
    subscription_id = subscribe("midtrans", method="pending")
    assert engine("midtrans").renew() == 1
    (order,) = sandbox.book.orders.values()
    sandbox.book.pay(order.key, status="expired")
    virtual.move_to(virtual() + timedelta(minutes=5))
    assert engine("midtrans").resolve() == 1
    sandbox.book.pay(order.key)
    return subscription_id, order


def test_payment_that_was_given_up_and_settled_is_concluded_by_the_gateways_word(
    committed, given_up, sandbox, ask, tmp_path
):
    subscription_id, order = given_up
    before = subscription(committed, subscription_id)["period_end"]
    taken_in(committed, tmp_path / "march.csv", sandbox)
    assert compared(committed) == {("status", "open"): order.key}
    assert ask() == 1
    assert only_break(committed)["state"] == "healed"
    assert [each["state"] for each in charges(committed, subscription_id)] == ["succeeded"]
    assert subscription(committed, subscription_id)["period_end"] > before


def test_gateway_that_contradicts_its_report_heals_nothing(committed, given_up, sandbox, ask, tmp_path):
    subscription_id, order = given_up
    taken_in(committed, tmp_path / "march.csv", sandbox)
    compared(committed)
    order.status = "declined"
    assert ask() == 1
    assert only_break(committed)["state"] == "open"
    assert only_break(committed)["details"]["gateway_says"].startswith("declined")
    assert [each["state"] for each in charges(committed, subscription_id)] == ["declined"]


@pytest.mark.parametrize("known", [True, False])
def test_payment_missing_in_the_reports_waits_with_what_the_gateway_says(
    committed, subscribe, engine, sandbox, ask, tmp_path, known
):
    for _ in range(2):
        subscribe("midtrans")
    engine("midtrans").renew()
    missing, *_ = sandbox.book.charged()
    taken_in(committed, tmp_path / "march.csv", sandbox, {missing.key: "missing_at_gateway"})
    committed.execute("UPDATE settlement_lines SET settled_on = settled_on + 20")
    with committed.transaction():
        compare(committed, "midtrans", day(), POLICY, missing.created_at)
    if not known:
        del sandbox.book.orders["midtrans", missing.key]
    asked = ask()
    (found,) = list_breaks(committed, kind="missing_at_gateway")
    assert asked == 1
    assert found["order_id"] == missing.key
    assert found["details"]["gateway_says"] == ("paid" if known else "no such payment")


def test_a_break_is_asked_about_once_a_day_and_for_a_month(committed, given_up, sandbox, ask, virtual, tmp_path):
    taken_in(committed, tmp_path / "march.csv", sandbox, {given_up[1].key: "amount"})
    compared(committed)
    given_up[1].status = "declined"
    committed.execute("UPDATE reconciliation_breaks SET opened_at = %s", (virtual(),))
    assert ask() == 1
    assert ask() == 0
    virtual.move_to(virtual() + DAY_LATER)
    assert ask() == 1
    virtual.move_to(virtual() + timedelta(days=30))
    assert ask() == 0


def test_a_gateway_that_does_not_answer_is_asked_again_on_another_day(
    committed, given_up, sandbox, ask, virtual, tmp_path
):
    taken_in(committed, tmp_path / "march.csv", sandbox)
    compared(committed)
    committed.execute("UPDATE reconciliation_breaks SET opened_at = %s", (virtual(),))
    sandbox.book.is_down = True
    ask()
    assert only_break(committed)["details"]["gateway_says"].startswith("no answer")
    sandbox.book.is_down = False
    virtual.move_to(virtual() + DAY_LATER)
    assert ask() == 1
    assert only_break(committed)["state"] == "healed"


def test_a_run_asks_about_no_more_breaks_than_its_limit(committed, given_up, sandbox, ask, tmp_path, monkeypatch):
    monkeypatch.setattr("worker.billing.break_lookups.MOST", 0)
    taken_in(committed, tmp_path / "march.csv", sandbox)
    compared(committed)
    assert ask() == 0
    assert "asked_at" not in only_break(committed)["details"]
