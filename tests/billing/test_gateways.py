"""The adapters and what guards them."""

import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.support.processes import wait_until
from worker.billing.errors import ForgedNotificationError, GatewayError
from worker.billing.gateways.configured import adapters
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.port import (
    ChargeRequest,
    Declined,
    NotFound,
    NotSent,
    Pending,
    RefundRequest,
    Succeeded,
    Unknown,
)
from worker.billing.sandbox.dialects import stripe_signature

AT = datetime(2026, 3, 5, tzinfo=UTC)
TOKENS = {"midtrans": "card:{}", "xendit": "pm-{}", "stripe": "cus_1/pm_{}"}


def request(gateway="midtrans", method="fine", key="order-1", amount=99_000, currency="IDR", reference=None):
    return ChargeRequest(key, Decimal(amount), currency, TOKENS[gateway].format(method), AT, reference)


@pytest.fixture
def gateways(configured):
    made = adapters(configured)
    yield made
    for gateway in made.values():
        gateway.close()


@pytest.mark.parametrize("gateway", TOKENS)
def test_each_gateway_charges_once_a_key_and_knows_what_became_of_it(gateways, sandbox, gateway):
    adapter = gateways[gateway]
    assert isinstance(adapter.lookup(request(gateway)), NotFound)
    first, second = adapter.charge(request(gateway)), adapter.charge(request(gateway))
    assert isinstance(first, Succeeded)
    assert (
        second
        == first
        == adapter.lookup(request(gateway))
        == adapter.lookup(request(gateway, reference=first.reference))
    )
    assert len(sandbox.book.orders) == 1


@pytest.mark.parametrize("gateway", TOKENS)
def test_declines_tell_whether_trying_again_has_a_chance(gateways, gateway):
    for kind in ("hard", "soft"):
        outcome = gateways[gateway].charge(request(gateway, f"decline_{kind}", key=f"order-{kind}"))
        assert isinstance(outcome, Declined)
        assert outcome.kind == kind
        assert gateways[gateway].lookup(request(gateway, key=f"order-{kind}")).kind == kind


@pytest.mark.parametrize("gateway", TOKENS)
@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_before", "error_after"])
def test_a_lost_answer_is_unknown(gateways, sandbox, gateway, fault):
    sandbox.book.next.append(fault)
    assert isinstance(gateways[gateway].charge(request(gateway)), Unknown)


@pytest.mark.parametrize("gateway", TOKENS)
def test_a_gateway_that_takes_too_long_leaves_the_outcome_unknown(configured, sandbox, gateway):
    sandbox.book.latency_s = 0.5
    hasty = adapters(configured.model_copy(update={"billing_timeout_s": 0.1}))[gateway]
    assert isinstance(hasty.charge(request(gateway)), Unknown)
    sandbox.book.latency_s = 0
    assert isinstance(adapters(configured)[gateway].lookup(request(gateway)), Succeeded | NotFound)


def test_what_was_never_sent_is_told_from_what_may_have_arrived(configured):
    nowhere = configured.model_copy(update={"midtrans_url": "http://127.0.0.1:1", "xendit_url": "http://127.0.0.1:1"})
    for gateway in ("midtrans", "xendit"):
        assert isinstance(adapters(nowhere)[gateway].charge(request(gateway)), NotSent)


@pytest.mark.parametrize("token", ["bank_transfer:bca", "qris:gopay"])
def test_midtrans_transfers_and_qr_codes_wait_for_the_customer(gateways, sandbox, token):
    made = ChargeRequest("order-1", Decimal(99_000), "IDR", token, AT)
    outcome = gateways["midtrans"].charge(made)
    assert isinstance(outcome, Pending)
    assert outcome.instructions["va_numbers"]
    sandbox.book.pay("order-1")
    assert isinstance(gateways["midtrans"].lookup(made), Succeeded)


def test_midtrans_gopay_is_charged_by_its_token(gateways):
    outcome = gateways["midtrans"].charge(ChargeRequest("o", Decimal(5_000), "IDR", "gopay:account:option", AT))
    assert isinstance(outcome, Succeeded)
    refused = gateways["midtrans"].charge(ChargeRequest("o", Decimal(5_000), "IDR", "cash", AT))
    assert refused == Declined("hard", "unsupported payment method")


def test_without_its_secret_a_gateways_notifications_are_refused(configured):
    forgettable = configured.model_copy(update={"xendit_callback_token": None, "stripe_webhook_secret": None})
    made = adapters(forgettable)
    signed = {"x-callback-token": "", "stripe-signature": stripe_signature(b"{}", int(time.time()), "")}
    for gateway in ("xendit", "stripe"):
        with pytest.raises(ForgedNotificationError):
            made[gateway].verify_notification(signed, b"{}")


def test_dollars_are_charged_in_cents_and_rupiah_in_stripes_hundredths(gateways, sandbox):
    gateways["stripe"].charge(request("stripe", key="usd", amount="12.34", currency="USD"))
    gateways["stripe"].charge(request("stripe", key="idr"))
    assert [each.amount for each in sandbox.book.orders.values()] == [Decimal("12.34"), Decimal(99_000)]


@pytest.mark.parametrize("gateway", TOKENS)
def test_refunds_happen_once_a_key_and_not_beyond_the_charge(gateways, sandbox, gateway):
    adapter = gateways[gateway]
    reference = adapter.charge(request(gateway)).reference
    refund = RefundRequest("r-1", "order-1", reference, Decimal(60_000), "IDR")
    assert isinstance(adapter.refund(refund), Succeeded)
    assert isinstance(adapter.refund(refund), Succeeded)
    too_much = RefundRequest("r-2", "order-1", reference, Decimal(60_000), "IDR")
    assert isinstance(adapter.refund(too_much), Declined)
    (order,) = sandbox.book.orders.values()
    assert sum(order.refunded.values()) == 60_000


def test_xendits_settlements_come_page_by_page(gateways, sandbox, virtual):
    for number in range(60):
        gateways["xendit"].charge(request("xendit", key=f"order-{number:02}"))
    lines = list(gateways["xendit"].list_settlements(date(2026, 3, 4)))
    assert len(lines) == 60
    assert {(line.amount, line.fee, line.kind) for line in lines} == {(Decimal(99_000), Decimal(2_775), "charge")}
    assert list(gateways["xendit"].list_settlements(date(2026, 3, 5))) == []
    with pytest.raises(GatewayError, match="import its file"):
        gateways["midtrans"].list_settlements(date(2026, 3, 5))


def test_stripes_balance_transactions_are_settlement_lines(gateways, sandbox, virtual):
    charged = gateways["stripe"].charge(request("stripe", amount="12.34", currency="USD"))
    (line,) = gateways["stripe"].list_settlements(date(2026, 3, 4))
    assert (line.amount, line.fee, line.currency) == (Decimal("12.34"), Decimal("0.59"), "USD")
    assert (line.gateway_reference, line.order_id, line.kind) == (charged.reference, "order-1", "charge")


@pytest.mark.parametrize("gateway", TOKENS)
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"order_id": 1}'])
def test_what_is_no_notification_is_refused(gateways, gateway, body):
    with pytest.raises(ForgedNotificationError):
        gateways[gateway].verify_notification({}, body)


def test_a_payment_method_is_not_shown():
    assert "card" not in repr(request())


def test_calls_a_second_are_limited(gateways):
    guard = Guard(gateways["midtrans"], per_second=20)
    started = time.monotonic()
    threads = [threading.Thread(target=guard.lookup, args=(request(),)) for _ in range(45)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 1.0  # 20 at once, 20 a second later, the rest after that


def test_a_gateway_that_does_not_answer_is_left_alone_and_tried_again(gateways, sandbox):
    patient = Guard(gateways["midtrans"], per_second=1_000, failures=3, rest_s=3_600)
    hasty = Guard(gateways["midtrans"], per_second=1_000, failures=3, rest_s=0.01)
    sandbox.book.is_down = True
    for guard in (patient, hasty):
        for _ in range(3):
            assert isinstance(guard.charge(request()), Unknown)
    assert patient.is_resting()
    assert isinstance(patient.charge(request()), NotSent)
    sandbox.book.is_down = False
    wait_until(lambda: isinstance(hasty.charge(request()), Succeeded))
    assert not hasty.is_resting()
    assert patient.is_resting()
