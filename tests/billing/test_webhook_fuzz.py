"""Whatever is sent to the webhooks: no error of ours, and nothing kept unless its gateway signed it."""

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.server import ApiServer
from tests.support.servers import clone_template, drop_database
from worker.billing.gateways.midtrans import signature
from worker.billing.sandbox.dialects import CALLBACK_TOKEN, SERVER_KEY, WEBHOOK_SECRET, stripe_signature

GATEWAYS = ("midtrans", "xendit", "stripe")
SECRETS = {
    "midtrans_server_key": SERVER_KEY,
    "xendit_secret_key": "xnd_secret-of-the-fuzz",
    "xendit_callback_token": CALLBACK_TOKEN,
    "stripe_secret_key": "sk_secret-of-the-fuzz",
    "stripe_webhook_secret": WEBHOOK_SECRET,
}
NAMES = (
    *("id", "type", "data", "object", "event", "status", "order_id", "transaction_id", "transaction_status"),
    *("status_code", "gross_amount", "signature_key", "reference_id", "metadata", "amount", "currency", "created"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800") | st.just("\0" * 600),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=5),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8)
BODIES = st.binary(max_size=200) | (OBJECTS | JSON).map(lambda value: json.dumps(value).encode())
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80)
HEADERS = st.dictionaries(
    st.sampled_from(["x-callback-token", "webhook-id", "stripe-signature", "content-type", "x-made-up"]), VALUES
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def url(maintenance_url: str, worker_name: str) -> Iterator[str]:
    name = f"elp_{worker_name}_webhook_fuzz"
    yield clone_template(maintenance_url, name)
    drop_database(maintenance_url, name)


@pytest.fixture(scope="module")
def api(url: str) -> Iterator[ApiServer]:
    with ApiServer(url, **SECRETS) as server:
        yield server


@pytest.fixture(scope="module")
def kept(url: str) -> Iterator[Any]:
    """Counts what was kept, and what the outbox is to have processed."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda: connection.execute(
            "SELECT (SELECT count(*) FROM webhook_inbox), (SELECT count(*) FROM job_outbox)"
        ).fetchone()


@FUZZ
@given(gateway=st.sampled_from(GATEWAYS), body=BODIES, headers=HEADERS)
def test_what_no_gateway_signed_is_refused_and_leaves_nothing(api, kept, gateway, body, headers):
    before = kept()
    answer = api.client.post(f"/v1/webhooks/{gateway}", content=body, headers=headers)
    assert answer.status_code in {400, 401}, answer.text
    assert answer.json()["detail"]
    assert kept() == before


def signed(gateway: str, said: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A body and headers as the gateway itself would send them."""
    if gateway == "midtrans":
        parts = [
            str(said.get(name, name)).replace("\ud800", "") for name in ("order_id", "status_code", "gross_amount")
        ]
        said = said | dict(zip(("order_id", "status_code", "gross_amount"), parts, strict=True))
        said["signature_key"] = signature(*parts, SERVER_KEY)
    body = json.dumps(said).encode()
    headers = {"xendit": {"x-callback-token": CALLBACK_TOKEN}, "midtrans": {}}
    return body, headers.get(gateway) or {"stripe-signature": stripe_signature(body, int(time.time()))}


@FUZZ
@given(gateway=st.sampled_from(GATEWAYS), said=OBJECTS)
def test_whatever_a_gateway_signed_is_kept_once_or_refused_for_what_it_is(api, kept, gateway, said):
    body, headers = signed(gateway, said)
    (entries, tasks), first = kept(), api.client.post(f"/v1/webhooks/{gateway}", content=body, headers=headers)
    if first.status_code == 401:  # signed, but no JSON: NaN, half of a surrogate pair
        assert kept() == (entries, tasks)
        return
    assert first.status_code == 200, first.text
    new = first.json()["status"] == "kept"
    assert kept() == (entries + new, tasks + new)
    again = api.client.post(f"/v1/webhooks/{gateway}", content=body, headers=headers)
    assert again.json() == {"status": "known"}
    assert kept() == (entries + new, tasks + new)
