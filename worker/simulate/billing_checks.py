"""What must hold of simulated billing at every look: the live data's invariants, and the gateway's own book."""

from collections import Counter
from datetime import datetime, timedelta

from worker.billing import store
from worker.billing.sandbox.store import Book
from worker.billing.verify import verify
from worker.db import transaction


def violations(book: Book, now: datetime, slack: timedelta) -> list[str]:
    """Return what does not hold, in words.

    Args:
        book: the sandbox's.
        now: the present instant.
        slack: how late the simulated jobs may be.
    """
    with transaction() as connection:
        store.refresh_premium(connection, None, now)  # as the nightly job: grace ends between two looks
        found = [f"{each.invariant}: {each.found}" for each in verify(connection, now - slack)]
        rows = connection.execute(
            "SELECT idempotency_key FROM payment_transactions WHERE kind = 'charge' AND state = 'succeeded'"
        )
        ours = {key for (key,) in rows}
        known = connection.execute(
            "SELECT idempotency_key FROM payment_transactions WHERE kind = 'charge' AND state <> 'succeeded'"
            " AND state NOT IN ('intended', 'pending', 'unknown')"
        )
        given_up = {key for (key,) in known}
    theirs = {order.key for order in book.charged()}
    found += [f"here and not at the gateway: {key}" for key in sorted(ours - theirs)]
    periods = Counter(key.rpartition("-")[0] for key in theirs)
    found += [f"charged {times} times at the gateway: {key}" for key, times in periods.items() if times > 1]
    declined = {order.key for order in book.orders.values() if order.status == "declined"}
    found += [f"given up, and taken by the gateway: {key}" for key in sorted(given_up & theirs - _late(book, given_up))]
    found += [f"paid here, declined there: {key}" for key in sorted(ours & declined)]
    return found


def _late(book: Book, given_up: set[str]) -> set[str]:
    """Return those given up whose customer paid after all, and of whom the gateway has yet to tell."""
    late = {order.key for order in book.charged() if order.updated_at != order.created_at}
    return given_up & late
