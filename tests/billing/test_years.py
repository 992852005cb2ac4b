"""Years of billing in virtual time: every fault and kill at random, learners who do what they like."""

from datetime import UTC, datetime, timedelta

import pytest

from worker.simulate.billing import BillingYears

BEGINS_AT = datetime(2026, 1, 1, tzinfo=UTC)


def live(sandbox, settings, *, days, subscriptions, seed):
    years = BillingYears(settings(billing_failures=1_000_000), sandbox.book, subscriptions=subscriptions, seed=seed)
    return years.run(BEGINS_AT, BEGINS_AT + timedelta(days=days), lambda _: None)


def test_months_with_every_fault_and_kills_break_no_invariant(database_url, sandbox, configured, settings):
    report = live(sandbox, settings, days=30, subscriptions=16, seed=3)
    assert report.charges["charge succeeded"] > 10
    assert report.kills > 0
    assert report.nights > 25


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_years_of_500_subscriptions_break_no_invariant(database_url, sandbox, configured, settings, seed):
    report = live(sandbox, settings, days=730, subscriptions=500, seed=seed)
    assert report.charges["charge succeeded"] > 5_000
    assert report.charges["charge declined"] > 300
    assert report.kills > 100
    assert len(report.breaks) > 5  # most kinds, resolved or healed
