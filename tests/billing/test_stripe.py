"""Stripe's adapter with the official SDK against localstripe, a stateful Stripe server of somebody else's."""

import socket
import sys
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
import stripe

from worker.billing.gateways.port import ChargeRequest, RefundRequest, Succeeded, Unknown
from worker.billing.gateways.stripe import Stripe

# It keeps its accounts in one file for all who run it, wherever it runs: this one has a file of its own.
SERVER = """
import builtins, os
from localstripe import resources, server
resources.open = lambda path, mode: builtins.open(os.environ["STORE"], mode)
server.start()
"""


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory):
    from tests.support.processes import Program  # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return httpx.get(f"{url}/v1/customers", auth=("sk_test_1", "")).status_code == 200
        except httpx.HTTPError:
            return False

    folder = tmp_path_factory.mktemp("localstripe")
    command = [sys.executable, "-c", SERVER, "--from-scratch", "--port", str(port)]
    server = Program(command, folder / "log", {"STORE": str(folder / "store")})
    server.start(ready=answers, timeout_s=90)
    yield url
    server.kill()


@pytest.fixture(scope="module")
def token(localstripe):
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": localstripe})
    customer = client.v1.customers.create({"email": "siti@example.org"})
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    method = client.v1.payment_methods.create({"type": "card", "card": card})
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    return f"{customer.id}/{method.id}"


@pytest.fixture
def adapter(localstripe):
    return Stripe("sk_test_1", "whsec_1", localstripe, timeout_s=30)


def request(token, key, reference=None):
    return ChargeRequest(key, Decimal("12.50"), "USD", token, datetime.now(UTC), reference)


def test_a_charge_off_session_is_found_by_its_id(adapter, token):
    charged = adapter.charge(request(token, "order-1"))
    assert isinstance(charged, Succeeded)
    assert adapter.lookup(request(token, "order-1", charged.reference)) == charged


def test_what_localstripe_does_not_understand_is_unknown_and_never_taken_for_missing(adapter, token):
    assert isinstance(adapter.lookup(request(token, "order-2")), Unknown)  # it lists no intents of one customer


def test_a_charge_is_refunded(adapter, token):
    charged = adapter.charge(request(token, "order-3"))
    refund = RefundRequest("order-3-r1", "order-3", charged.reference, Decimal("2.50"), "USD")
    assert isinstance(adapter.refund(refund), Succeeded)
