"""Renewals against the sandbox, then its settlement report: what is wrong is found, and heals once it is right."""

from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from worker import clock
from worker.billing.days import compare
from worker.billing.imports import import_file, import_lines
from worker.billing.ledger import book
from worker.billing.matching import Policy
from worker.billing.report_fields import JAKARTA
from worker.billing.sandbox.settlements import SettlementFault, midtrans_report

POLICY = Policy(late_after_days=3, missing_after_days=7, fee_percent=Decimal(3), fee_fixed=Decimal(3_000))
FAULTS = get_args(SettlementFault)
LATER = timedelta(days=20)


@pytest.fixture
def renewed(committed, subscribe, engine, sandbox):
    """Charge subscriptions at a gateway and return their orders' keys."""

    def renew(gateway, count):
        for _ in range(count):
            subscribe(gateway)
        assert engine(gateway).renew() == count
        return [order.key for order in sandbox.book.charged()]

    return renew


def day():
    return clock.now().astimezone(JAKARTA).date()


def taken_in(connection, path, sandbox, faults=None):
    path.write_text(midtrans_report(sandbox.book, faults))
    with connection.transaction():
        return import_file(connection, path, actor="cli:finance", now=clock.now())


def compared(connection, gateway="midtrans"):
    with connection.transaction():
        compare(connection, gateway, day(), POLICY, clock.now() + LATER)
    return {
        (kind, state): key
        for kind, state, key in connection.execute("SELECT kind, state, order_id FROM reconciliation_breaks")
    }


def test_each_fault_of_a_report_is_found_with_its_order(committed, renewed, sandbox, tmp_path):
    keys = renewed("midtrans", len(FAULTS) + 1)
    faults = dict(zip(keys, FAULTS, strict=False))
    found_in = taken_in(committed, tmp_path / "march.csv", sandbox, faults)
    assert found_in.rejected == 0
    found = compared(committed)
    by_fault = {fault: key for key, fault in faults.items()}
    expected = {(fault, "open") for fault in FAULTS} - {("late_settlement", "open")} | {("late_settlement", "healed")}
    assert set(found) == expected
    for fault in set(FAULTS) - {"missing_here"}:
        assert found[fault, "healed" if fault == "late_settlement" else "open"] == by_fault[fault]
    with committed.transaction():
        book(committed, "midtrans", day(), day() + LATER, clock.now())
    assert committed.execute("SELECT sum(amount) FROM ledger_entries WHERE currency = 'IDR'").fetchone() == (0,)


def test_report_without_faults_agrees_refunds_included(committed, renewed, sandbox, tmp_path):
    keys = renewed("midtrans", 3)
    order = sandbox.book.find("midtrans", keys[0])
    committed.execute(
        "INSERT INTO payment_transactions (user_id, subscription_id, kind, parent_id, state, amount, currency, gateway,"
        " idempotency_key, requested_at, concluded_at)"
        " SELECT user_id, subscription_id, 'refund', id, 'succeeded', 40000, currency, gateway, 'refund-1', %(now)s,"
        " %(now)s FROM payment_transactions WHERE idempotency_key = %(key)s",
        {"key": order.key, "now": clock.now()},
    )
    assert sandbox.book.refund(order, "refund-1", Decimal(40_000))
    taken_in(committed, tmp_path / "march.csv", sandbox)
    assert compared(committed) == {}


def test_payment_left_out_of_one_report_heals_with_the_next(committed, renewed, sandbox, tmp_path):
    keys = renewed("midtrans", 3)
    faults = {keys[0]: "missing_at_gateway", keys[1]: "late_settlement"}
    taken_in(committed, tmp_path / "first.csv", sandbox, faults)
    assert compared(committed)["missing_at_gateway", "open"] == keys[0]
    taken_in(committed, tmp_path / "second.csv", sandbox, {keys[1]: "late_settlement"})
    found = compared(committed)
    assert found["missing_at_gateway", "healed"] == keys[0]
    assert {state for _, state in found} == {"healed"}


def test_xendits_transactions_over_http_agree_with_ours(committed, renewed, engine):
    renewed("xendit", 4)
    today = clock.now().date()  # Xendit counts days in UTC
    with committed.transaction():
        lines = engine("xendit").guard.gateway.list_settlements(today)
        found = import_lines(
            committed, lines, source="api", name=str(today), actor="job:billing.fetch_settlements", now=clock.now()
        )
    assert found.added == 4
    assert compared(committed, "xendit") == {}
    assert committed.execute("SELECT lines, matched, breaks FROM reconciliation_runs").fetchall() == [(4, 4, 0)]
