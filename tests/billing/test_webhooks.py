"""Gateways' notifications over HTTP: verified on the raw body, kept once, and only a reason to look the order up."""

import json
from uuid import UUID

import pytest

from tests.api.server import ApiServer
from tests.billing.test_charging import APRIL, charges, row, subscription
from worker import clock
from worker.billing.notifications import process
from worker.billing.sandbox.dialects import callback, stripe_signature

GATEWAYS = ("midtrans", "xendit", "stripe")


@pytest.fixture
def api(database_url, configured):
    with ApiServer(database_url, **configured.model_dump(exclude={"database_url", "redis_url", "api_token"})) as server:
        yield server


def send(api, said, body=None, **headers):
    content = said.body if body is None else body
    return api.client.post(f"/v1/webhooks/{said.gateway}", content=content, headers={**said.headers, **headers})


def waiting(committed):
    """What the outbox is to have processed."""
    rows = committed.execute(
        "SELECT payload ->> 'notification_id' FROM job_outbox WHERE task = 'billing.process_notification'"
    )
    return [UUID(each) for (each,) in rows]


def signed_now(said):
    """The same event, signed at this real moment: Stripe's signatures grow old."""
    if said.gateway != "stripe":
        return said
    import time  # noqa: PLC0415
    from dataclasses import replace  # noqa: PLC0415

    return replace(said, headers={"stripe-signature": stripe_signature(said.body, int(time.time()))})


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_notification_has_its_order_looked_up_and_a_replay_changes_nothing(
    committed, subscribe, engine, sandbox, api, gateway
):
    due = subscribe(gateway)
    sandbox.book.next.append("lost_after")
    engine(gateway).renew()
    assert charges(committed, due)[0]["state"] == "unknown"
    (order,) = sandbox.book.orders.values()
    said = signed_now(callback(order))
    assert send(api, said).json() == {"status": "kept"}
    assert send(api, said).json() == {"status": "known"}
    (notification_id,) = waiting(committed)
    for _ in range(3):
        process(notification_id, clock.now())
    assert charges(committed, due)[0]["state"] == "succeeded"
    assert subscription(committed, due)["period_end"] == APRIL
    (kept,) = row(committed, "webhook_inbox", gateway=gateway)
    assert (kept["state"], kept["starts"], bytes(kept["body"])) == ("processed", 1, said.body)
    assert sandbox.book.asked["charge"] == 1


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_forged_or_altered_notification_is_refused_and_not_kept(committed, subscribe, engine, sandbox, api, gateway):
    subscribe(gateway)
    engine(gateway).renew()
    (order,) = sandbox.book.orders.values()
    said = signed_now(callback(order))
    without = dict.fromkeys(said.headers, "")
    altered = said.body.replace(b"99000", b"1").replace(b"9900000", b"1")
    answers = [
        send(api, said, **without) if said.headers else send(api, said, said.body.replace(b"signature_key", b"x"))
    ]
    if gateway != "xendit":  # whose token says nothing about the body
        answers.append(send(api, said, altered))
    assert [answer.status_code for answer in answers] == [401] * len(answers)
    assert answers[0].json()["type"] == "urn:elp:problem:forged-notification"
    assert row(committed, "webhook_inbox", gateway=gateway) == []
    assert api.client.post("/v1/webhooks/paypal", content=b"{}").status_code == 404


def test_what_a_notification_claims_counts_for_nothing_against_the_gateways_own_word(
    committed, subscribe, engine, sandbox, api
):
    due = subscribe(method="pending")
    engine().renew()
    (order,) = sandbox.book.orders.values()
    sandbox.book.pay(order.key)
    said = callback(order)  # signed, and true …
    sandbox.book.pay(order.key, status="pending")  # … but the gateway says otherwise when asked
    assert send(api, said).status_code == 200
    process(waiting(committed)[0], clock.now())
    assert charges(committed, due)[0]["state"] == "pending"


def test_notifications_out_of_order_end_where_the_gateway_is(committed, subscribe, engine, sandbox, api):
    due = subscribe(method="pending")
    engine().renew()
    (order,) = sandbox.book.orders.values()
    early = callback(order)
    sandbox.book.pay(order.key)
    late = callback(order)
    send(api, late)
    send(api, early)
    for notification_id in waiting(committed):
        process(notification_id, clock.now())
    assert charges(committed, due)[0]["state"] == "succeeded"
    assert subscription(committed, due)["state"] == "active"


def test_a_notification_about_nothing_of_ours_is_kept(committed, subscribe, engine, sandbox, api):
    body = json.dumps({"event": "payout.created", "data": {"id": "po-1"}}).encode()
    headers = {"x-callback-token": "sandbox-callback-token", "webhook-id": "w-1"}
    assert api.client.post("/v1/webhooks/xendit", content=body, headers=headers).status_code == 200
    process(waiting(committed)[0], clock.now())
    assert row(committed, "webhook_inbox", gateway="xendit")[0]["state"] == "ignored"


def test_a_payment_that_was_given_up_and_is_paid_after_all_counts(committed, subscribe, engine, sandbox, api, virtual):
    due = subscribe(method="pending")
    midtrans = engine()
    midtrans.renew()
    (order,) = sandbox.book.orders.values()
    sandbox.book.pay(order.key, status="expired")
    virtual.move_to(charges(committed, due)[0]["look_again_at"])
    midtrans.resolve()
    assert charges(committed, due)[0]["state"] == "declined"
    sandbox.book.pay(order.key)
    send(api, callback(order))
    process(waiting(committed)[0], clock.now())
    assert charges(committed, due)[0]["state"] == "succeeded"
    assert subscription(committed, due)["state"] == "active"
