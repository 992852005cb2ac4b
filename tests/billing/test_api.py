"""Subscriptions over HTTP and on the command line."""

from uuid import uuid4

import pytest
from typer.testing import CliRunner

from tests.api.server import ApiServer
from tests.billing.test_charging import charges, subscription
from tests.factories import make_user
from tests.factories_operations import make_plan
from worker.cli.billing import app

PROBLEM = "urn:elp:problem:"


@pytest.fixture
def api(database_url, configured):
    with ApiServer(database_url, **configured.model_dump(exclude={"database_url", "redis_url", "api_token"})) as server:
        yield server


def begin(committed, **values):
    make_plan(committed, code="premium", trial_days=7)
    body = {"id": str(uuid4()), "user_id": str(make_user(committed)), "plan": "premium", "gateway": "midtrans"}
    return {**body, "payment_method": "card:fine", **values}


def test_a_subscription_lives_over_http(api, committed):
    make_plan(committed, code="family", amount=199_000)
    wanted = begin(committed)
    path = f"/v1/subscriptions/{wanted['id']}"
    for _ in range(2):
        answer = api.client.post("/v1/subscriptions", json=wanted)
        assert (answer.status_code, answer.json()["state"]) == (200, "trialing")
    assert "card" not in answer.text
    assert api.client.get(path).json()["plan"] == "premium"
    assert api.client.post(f"{path}/plan", json={"plan": "family"}).json()["plan"] == "family"
    assert api.client.post(f"{path}/cancel", json={}).json()["cancel_at_period_end"] is True
    assert api.client.post(f"{path}/resume").json()["cancel_at_period_end"] is False
    assert (
        api.client.post(f"{path}/method", json={"gateway": "xendit", "payment_method": "pm-1"}).json()["gateway"]
        == "xendit"
    )
    assert api.client.post(f"{path}/pause", json={}).json()["type"] == f"{PROBLEM}change-refused"
    assert api.client.post(f"{path}/cancel", json={"at_once": True}).json()["state"] == "cancelled"
    recorded = {action for (action,) in committed.execute("SELECT action FROM audit_log WHERE actor = 'token:api'")}
    assert recorded >= {"subscription.created", "subscription.method_set", "subscription.cancelled"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"plan": "none"}, 409),
        ({"timezone": "Mars/Base"}, 409),
        ({"plan": "a\0"}, 422),
        ({"user_id": str(uuid4())}, 409),
    ],
)
def test_what_cannot_begin_is_refused_with_its_reason(api, committed, change, status):
    answer = api.client.post("/v1/subscriptions", json=begin(committed, **change))
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert api.client.get(f"/v1/subscriptions/{uuid4()}").json()["type"] == f"{PROBLEM}unknown-subscription"


def test_operators_see_refund_cancel_and_verify(committed, subscribe, engine):
    one = subscribe()
    engine().renew()
    charge = charges(committed, one)[0]["id"]
    run = CliRunner().invoke
    assert str(one) in run(app, ["subscriptions", "--json"]).output
    assert "succeeded" in run(app, ["charges", "--subscription", str(one)]).output
    assert "under way" in run(app, ["refund", str(charge), "--amount", "1000"]).output
    assert "ends" in run(app, ["cancel", str(one), "--now"]).output
    assert subscription(committed, one)["state"] == "cancelled"
    by_hand = committed.execute("SELECT action FROM audit_log WHERE actor LIKE 'cli:%' ORDER BY id").fetchall()
    assert by_hand == [("charge.refund_intended",), ("subscription.cancelled",)]
    verified = run(app, ["verify"])
    assert (verified.exit_code, "broken" in verified.output) == (0, False)
    committed.execute("UPDATE users SET is_premium = true")
    broken = run(app, ["verify"])
    assert (broken.exit_code, "broken" in broken.output) == (1, True)
