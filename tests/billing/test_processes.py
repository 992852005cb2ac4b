"""Real processes that charge, killed with SIGKILL while charges are under way."""

from datetime import timedelta

import pytest

from tests.billing.test_charging import charges, subscription
from tests.support.processes import wait_until
from worker import clock
from worker.billing.periods import Rhythm, period_from
from worker.billing.verify import verify
from worker.clock import local_day, local_day_start
from worker.db import transaction

JAKARTA = "Asia/Jakarta"


@pytest.mark.processes
def test_killed_at_any_moment_two_workers_charge_each_subscription_exactly_once(
    committed, subscribe, sandbox, configured, program
):
    now = clock.now()
    due_on = local_day(now, JAKARTA, 0)
    due_at = local_day_start(due_on, JAKARTA, 0)
    due = [
        subscribe(anchor_on=due_on, period_start=due_at - timedelta(days=31), period_end=due_at, next_attempt_at=due_at)
        for _ in range(40)
    ]
    book = sandbox.book
    book.latency_s = 0.05
    book.chances = {"lost_after": 0.05, "lost_before": 0.05, "error_after": 0.05}
    environment = {f"ELP_{name.upper()}": str(value) for name, value in sandbox.settings().items()}
    environment["ELP_ENCRYPTION_KEYS"] = configured.encryption_keys.get_secret_value()
    workers = [program("python", "-m", "tests.billing.charger", **environment) for _ in range(2)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(book.orders) >= 12, timeout_s=90, what="charges under way")
    for worker in workers:
        worker.kill()
    # What the dead left open belongs to them for a while; that while is over.
    book.latency_s, book.chances = 0, {}

    def let_it_end():
        committed.execute("UPDATE payment_transactions SET look_again_at = now() WHERE concluded_at IS NULL")
        return all(subscription(committed, each)["period_end"] > due_at for each in due)

    workers[0].start()
    wait_until(let_it_end, timeout_s=90, what="every subscription renewed")
    workers[0].kill()
    paid = book.charged()
    assert len(paid) == 40
    assert len({order.key.partition("-")[0] for order in paid}) == 40
    for each in due:
        assert [charge["state"] for charge in charges(committed, each)].count("succeeded") == 1
    after = subscription(committed, due[0])
    assert after["period_end"] == period_from(due_on, Rhythm("month"), due_at, JAKARTA).end
    with transaction() as connection:
        assert verify(connection, clock.now()) == []
