"""Chargebacks: the customer's bank took a charge back. Seen in a report, recorded by a person, booked, access ended."""

from datetime import datetime
from uuid import UUID

from worker.audit import AuditEntry, record
from worker.billing import actions, store
from worker.billing.days import compare
from worker.billing.errors import RefusedChangeError
from worker.billing.matching import Policy
from worker.db import Connection
from worker.events import Event, publish
from worker.ids import uuid7

_OVER = frozenset({"cancelled", "expired"})


def record_chargeback(
    connection: Connection,
    break_id: UUID,
    policy: Policy,
    *,
    keeps_subscription: bool = False,
    actor: str,
    now: datetime,
) -> UUID:
    """Record the chargeback that a break tells of and return its transaction's id; the break heals by that.

    A subscription whose period under way was taken back ends at once, another one with its period: a disputed method
    is not charged again.

    Args:
        connection: in the caller's transaction.
        break_id: an open break of kind `unknown_chargeback` that names its charge.
        policy: what is normal with the gateway: its day is compared again.
        keeps_subscription: the learner and we agree that it goes on.
        actor: for the audit log.
        now: the present instant.

    Raises:
        RefusedChangeError: there is no such break, the charge was not so much, or an earlier chargeback of as much is
            to be recorded first.
    """
    row = connection.execute(store.query("disputed"), {"id": break_id}).fetchone()
    if row is None:
        raise RefusedChangeError(f"no open break {break_id} of a chargeback whose charge is known")
    charge_id, subscription_id, period_start, left, currency, number, gateway, day, amount, of_line, at, reference = row
    if of_line != currency or amount > left:
        raise RefusedChangeError(
            f"{left} {currency} are left of charge {charge_id}, and {amount} {of_line} were taken: ask the gateway"
        )
    chargeback_id = uuid7(now)
    values = {"id": chargeback_id, "charge_id": charge_id, "amount": amount, "reference": reference, "at": at}
    written = connection.execute(
        store.query("write_chargeback"), {**values, "key": f"{charge_id.hex}-c{number + 1}"}
    ).fetchone()
    assert written is not None, "its charge is held"
    after = {"amount": str(amount), "currency": currency, "chargeback_id": chargeback_id, "break_id": break_id}
    record(connection, [AuditEntry(actor, "charge.charged_back", "charge", str(charge_id), None, after)], now)
    told = {"subscription_id": subscription_id, "charge_id": charge_id, "amount": str(amount), "currency": currency}
    event = Event("billing.charged_back", written[0], told, f"billing.charged_back:{chargeback_id}")
    publish(connection, [event], now=now)
    compare(connection, gateway, day, policy, now)
    state = connection.execute("SELECT state FROM reconciliation_breaks WHERE id = %s", (break_id,)).fetchone()
    if state == ("open",):  # what was written explains another line, and is rolled back
        raise RefusedChangeError(f"an earlier chargeback of {amount} {currency} is open: record that one first")
    subscription = store.load(connection, {subscription_id})[subscription_id]
    if not keeps_subscription and subscription.state not in _OVER:
        # By its beginning: a pause may have moved the end of the period under way.
        at_once = period_start >= subscription.period.start
        actions.cancel(connection, subscription_id, at_once=at_once, actor=actor, now=now)
    return chargeback_id
