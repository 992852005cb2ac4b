"""The sandbox sends its notifications to the platform by itself: again, twice, late, out of order and forged."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.billing.test_charging import charges, row
from tests.billing.test_webhooks import api  # noqa: F401  a fixture
from worker import clock
from worker.billing.notifications import process

GATEWAYS = ("midtrans", "xendit", "stripe")
PATIENCE_S = 60


@pytest.fixture
def pushing(sandbox, api):  # noqa: F811
    """Have the sandbox tell the platform from now on, with what mischief."""

    def begin(**chances):
        sandbox.pushes.url = str(api.client.base_url).rstrip("/")
        sandbox.pushes.chances.update(chances)
        sandbox.pushes.late_s = 0.2
        return sandbox.pushes.answers

    return begin


def work_off(committed):
    """Process what the outbox holds, as the worker would."""
    for (notification_id,) in committed.execute(
        "SELECT payload ->> 'notification_id' FROM job_outbox WHERE task = 'billing.process_notification' ORDER BY id"
    ).fetchall():
        process(UUID(notification_id), clock.now())


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_payment_whose_answer_was_lost_is_concluded_by_what_the_gateway_tells(
    committed, subscribe, engine, sandbox, pushing, gateway
):
    answers = pushing()
    due = subscribe(gateway)
    sandbox.book.next.append("lost_after")
    engine(gateway).renew()
    assert sandbox.pusher.drain(PATIENCE_S)
    assert dict(answers) == {"taken": 1}
    work_off(committed)
    assert [each["state"] for each in charges(committed, due)] == ["succeeded"]
    assert sandbox.book.asked["charge"] == 1


def test_twice_late_and_forged_ones_have_the_effect_of_one(committed, subscribe, engine, sandbox, pushing):
    answers = pushing(twice=1.0, late=0.5, forged=1.0)
    due = [subscribe(gateway) for gateway in GATEWAYS for _ in range(3)]
    for gateway in GATEWAYS:
        engine(gateway).renew()
    assert sandbox.pusher.drain(PATIENCE_S)
    assert dict(answers) == {"taken": 18, "forged refused": 9}
    assert committed.execute("SELECT count(*) FROM webhook_inbox").fetchone() == (9,)
    work_off(committed)
    assert [each["state"] for one in due for each in charges(committed, one)] == ["succeeded"] * 9
    assert not row(committed, "webhook_inbox", state="received")


def test_news_that_came_out_of_order_say_what_is_true_now(committed, subscribe, engine, sandbox, pushing, virtual):
    pushing(late=1.0)
    sandbox.pushes.late_s = 0.0
    due = subscribe("midtrans", method="pending")
    engine("midtrans").renew()
    (order,) = sandbox.book.orders.values()
    sandbox.book.pay(order.key, status="expired")
    sandbox.pushes.late_s = 0.3
    sandbox.book.pay(order.key)
    assert sandbox.pusher.drain(PATIENCE_S)
    virtual.move_to(virtual() + timedelta(minutes=1))
    kept = row(committed, "webhook_inbox", gateway="midtrans")
    assert len(kept) == 2
    for each in reversed(kept):  # the newer one first, then the older one
        process(each["id"], clock.now())
    assert [each["state"] for each in charges(committed, due)] == ["succeeded"]


def test_what_the_platform_did_not_take_is_sent_again(committed, subscribe, engine, sandbox, pushing):
    answers = pushing()
    sandbox.pushes.again_s = 0.5
    right, sandbox.pushes.url = sandbox.pushes.url, f"{sandbox.url}/nowhere"
    subscribe("xendit")
    engine("xendit").renew()
    while not answers["refused"]:
        assert not sandbox.pusher.drain(0.01)
    sandbox.pushes.url = right
    assert sandbox.pusher.drain(PATIENCE_S)
    assert answers["taken"] == 1
    assert committed.execute("SELECT count(*) FROM webhook_inbox").fetchone() == (1,)
