"""The jobs of billing as the engine runs them."""

from datetime import timedelta

import pytest

import tasks
from tests.billing.conftest import DUE_AT
from tests.billing.test_charging import subscription
from worker.jobs.dry_run import dry_run
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs


@pytest.fixture(autouse=True)
def jobs():
    load_jobs(tasks.MODULES)


def run(name, virtual):
    started = start_run(name, virtual()).run
    work_on_run(started.run_id)
    return started.shards_total


def test_renewal_has_a_shard_for_each_gateway_with_something_due(committed, subscribe, virtual, sandbox):
    due = [subscribe("midtrans"), subscribe("xendit")]
    assert run("billing.renew", virtual) == 2
    assert all(subscription(committed, each)["period_end"] > DUE_AT for each in due)
    virtual.move_to(virtual() + timedelta(minutes=5))
    assert run("billing.renew", virtual) == 0
    assert len(sandbox.book.charged()) == 2


def test_unknown_charges_are_resolved_and_ends_come_by_their_jobs(committed, subscribe, virtual, sandbox):
    due = subscribe("xendit")
    sandbox.book.next.append("lost_after")
    run("billing.renew", virtual)
    assert run("billing.resolve_unknown", virtual) == 0
    virtual.move_to(virtual() + timedelta(minutes=5))
    assert run("billing.resolve_unknown", virtual) == 1
    assert subscription(committed, due)["period_end"] > DUE_AT
    committed.execute("UPDATE subscriptions SET cancel_at_period_end = true, next_attempt_at = NULL")
    virtual.move_to(subscription(committed, due)["period_end"])
    assert run("billing.expire", virtual) == 1
    assert subscription(committed, due)["state"] == "cancelled"
    assert run("billing.check_premium", virtual) == 1


def test_a_dry_run_shows_what_would_be_charged_and_charges_nothing(committed, subscribe, virtual, sandbox):
    due = subscribe()
    report = dry_run("billing.renew", virtual(), {})
    assert report.items == 1
    assert report.samples == [{"subscription_id": str(due), "state": "active", "price": "99000.00 IDR"}]
    assert sandbox.book.asked["charge"] == 0
    assert subscription(committed, due)["next_attempt_at"] == DUE_AT
