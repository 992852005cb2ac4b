"""Each invariant is broken on purpose, with whatever forbids it out of the way, and `verify` names it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.factories import insert, make_user
from tests.factories_operations import make_subscription, make_transaction
from worker.billing.verify import INVARIANTS, verify
from worker.secrets import Cipher, new_key

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
BEGAN_AT, ENDS_AT = NOW - timedelta(days=10), NOW + timedelta(days=20)
DAY = timedelta(days=1)
PRICE = Decimal(99_000)


def live(connection, *, is_premium=True, **changed):
    """A subscription as it should be, but for what is changed; with its learner."""
    values: dict[str, Any] = {
        "user_id": make_user(connection, is_premium=is_premium),
        "period_start": BEGAN_AT,
        "period_end": ENDS_AT,
        "next_attempt_at": ENDS_AT,
        "gateway": "midtrans",
        "payment_token_encrypted": Cipher([new_key()]).encrypt("card:fine"),
    } | changed
    return values["user_id"], make_subscription(connection, **values)


def pay(connection, owner=None, **changed):
    user_id, subscription_id = owner or live(connection)
    values = {
        "state": "succeeded",
        "concluded_at": NOW - DAY,
        "requested_at": NOW - DAY,
        "period_start": BEGAN_AT,
        "period_end": ENDS_AT,
    } | changed
    return make_transaction(connection, user_id=user_id, subscription_id=subscription_id, **values)


def bill(connection, owner, total):
    user_id, subscription_id = owner
    return insert(
        connection,
        "invoices",
        user_id=user_id,
        subscription_id=subscription_id,
        period_start=BEGAN_AT,
        period_end=ENDS_AT,
        currency="IDR",
        total=total,
        issued_at=NOW,
    )


def notify(connection, event_id, received_at=NOW):
    insert(connection, "webhook_inbox", gateway="midtrans", event_id=event_id, body=b"{}", received_at=received_at)


def take_back(connection, amount):
    owner = live(connection)
    charge = pay(connection, owner)
    pay(connection, owner, kind="refund", parent_id=charge, amount=amount)


def charged_twice(connection):
    owner = live(connection)
    pay(connection, owner)
    pay(connection, owner, period_start=BEGAN_AT + DAY)


def charge_without_period(connection):
    owner = live(connection)
    pay(connection, owner, invoice_id=bill(connection, owner, PRICE - 1_000))


def bill_off(connection):
    owner = live(connection)
    invoice = bill(connection, owner, PRICE)
    line = {"kind": "plan", "amount": PRICE - 1_000, "tax": Decimal(0)}
    insert(connection, "invoice_lines", subscription_id=owner[1], invoice_id=invoice, **line)


def notification_repeated(connection):
    connection.execute("ALTER TABLE webhook_inbox DROP CONSTRAINT uq_webhook_inbox_event")
    notify(connection, "e-1")
    notify(connection, "e-1")


def resolution_unaudited(connection):
    day = {"gateway": "midtrans", "paid_on": date(2026, 3, 9)}
    run = insert(connection, "reconciliation_runs", **day, compared_at=NOW)
    told = {"fingerprint": "f", "kind": "fee", "state": "resolved", "currency": "IDR"}
    insert(connection, "reconciliation_breaks", **day, run_id=run, **told, opened_at=NOW, closed_at=NOW)


def ledger_off(connection):
    entry = {"gateway": "midtrans", "day": date(2026, 3, 9), "account": "cash", "currency": "IDR", "amount": 1}
    insert(connection, "ledger_entries", journal_id=uuid4(), **entry, booked_at=NOW)  # refused at COMMIT alone


BREAKS = {
    "charged_twice": charged_twice,
    "past_grace": lambda connection: live(connection, period_end=NOW - 30 * DAY, period_start=NOW - 60 * DAY),
    "forgotten": lambda connection: live(connection, next_attempt_at=None),
    "charge_without_period": charge_without_period,
    "bill_off": bill_off,
    "refunds_above": lambda connection: take_back(connection, PRICE + 1_000),
    "open_unwatched": lambda connection: pay(connection, state="unknown", concluded_at=None),
    "state_contradicted": lambda connection: pay(connection, look_again_at=NOW),
    "unaudited": lambda connection: live(connection, is_premium=False, state="expired", next_attempt_at=None),
    "taken_back_unaudited": lambda connection: take_back(connection, PRICE),
    "premium_off": lambda connection: live(connection, is_premium=False),
    "notification_stuck": lambda connection: notify(connection, "e-1", NOW - 3 * DAY),
    "notification_repeated": notification_repeated,
    "token_in_clear": lambda connection: live(connection, payment_token_encrypted=b"card:4811-1111"),
    "ledger_off": ledger_off,
    "resolution_unaudited": resolution_unaudited,
}
ALSO = {"refunds_above": {"taken_back_unaudited"}}
"""What the same deed breaks besides."""


def test_every_invariant_is_broken_here():
    assert BREAKS.keys() == INVARIANTS.keys()


def test_what_is_as_it_should_be_breaks_nothing(database):
    pay(database)
    notify(database, "e-1")
    assert verify(database, NOW) == []


@pytest.mark.parametrize("name", BREAKS)
def test_an_invariant_that_is_broken_is_named(database, name):
    database.execute("SET LOCAL session_replication_role = replica")
    BREAKS[name](database)
    assert {each.invariant for each in verify(database, NOW)} == {name} | ALSO.get(name, set())
