"""Learners are told days before their trial ends what they will pay then: once."""

from datetime import timedelta
from decimal import Decimal

import pytest

import tasks
from tests.billing.test_actions import begin, do
from tests.billing.test_charging import charges, row
from tests.factories_operations import make_coupon
from worker import clock
from worker.billing import actions
from worker.billing.trials import announce_trial_ends
from worker.db import transaction
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs

BEFORE = timedelta(days=3)


def announce():
    with transaction() as connection:
        return announce_trial_ends(connection, BEFORE.days, clock.now())


def told(committed):
    return [each["payload"] for each in row(committed, "app_events", kind="billing.trial_ending")]


@pytest.fixture
def trial(committed, cipher, virtual):
    """A trial of seven days with a coupon: its subscription, and when it ends."""
    make_coupon(committed, code="HEMAT", percent_off=Decimal(50), periods=2)
    new = begin(committed, cipher, {"trial_days": 7, "amount": Decimal(100_000)}, coupon="HEMAT")
    (found,) = row(committed, "subscriptions", id=new.id)
    return new.id, found["period_end"]


def test_the_end_is_announced_three_days_before_and_once(committed, trial, virtual):
    virtual.move_to(trial[1] - BEFORE - timedelta(minutes=1))
    assert announce() == 0
    virtual.move_to(trial[1] - BEFORE)
    assert announce() == 1
    virtual.move_to(trial[1] - timedelta(hours=1))
    assert announce() == 0
    assert [each["subscription_id"] for each in told(committed)] == [str(trial[0])]


def test_what_is_announced_is_what_is_charged(committed, trial, virtual, engine):
    virtual.move_to(trial[1] - BEFORE)
    announce()
    virtual.move_to(trial[1])
    assert engine("midtrans").renew() == 1
    (charge,) = charges(committed, trial[0])
    (said,) = told(committed)
    assert Decimal(said["amount"]) == charge["amount"] == 50_000
    assert (said["currency"], said["wants_method"]) == ("IDR", False)


def test_a_trial_that_is_cancelled_is_not_announced_until_that_is_taken_back(committed, trial, virtual):
    do(actions.cancel, trial[0], at_once=False)
    virtual.move_to(trial[1] - BEFORE)
    assert announce() == 0
    do(actions.resume, trial[0])
    assert announce() == 1


def test_a_trial_shorter_than_the_notice_is_announced_when_it_begins(committed, cipher, virtual):
    begin(committed, cipher, {"trial_days": 2})
    assert announce() == 1
    assert announce() == 0


def test_the_job_runs_only_when_somebody_is_to_be_told(committed, trial, virtual):
    load_jobs(tasks.MODULES)
    started = start_run("billing.announce_trials", virtual()).run
    assert started.shards_total == 0
    virtual.move_to(trial[1] - BEFORE)
    started = start_run("billing.announce_trials", virtual()).run
    work_on_run(started.run_id)
    assert len(told(committed)) == 1
    assert start_run("billing.announce_trials", virtual() + timedelta(hours=1)).run.shards_total == 0
