"""Refunds: intended and committed first, sent by `billing.resolve_unknown`, once a key."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from worker.audit import AuditEntry, record
from worker.billing import store
from worker.billing.errors import RefusedChangeError
from worker.billing.gateways.port import LookupOutcome, Succeeded
from worker.billing.money import quantise
from worker.db import Connection
from worker.events import Event, publish
from worker.ids import uuid7


def intend(connection: Connection, charge_id: UUID, amount: Decimal | None, *, actor: str, now: datetime) -> UUID:
    """Have a charge, or a part of it, paid back; return the refund's id. The gateway is asked within minutes.

    Args:
        connection: in the caller's transaction.
        charge_id: a charge that succeeded.
        amount: None: what is left of it.
        actor: for the audit log.
        now: the present instant.

    Raises:
        RefusedChangeError: there is no such charge, or not so much is left of it.
    """
    row = connection.execute(store.query("refundable"), {"id": charge_id}).fetchone()
    if row is None:
        raise RefusedChangeError(f"no charge {charge_id} that succeeded")
    left, currency, refunds = row
    wanted = left if amount is None else quantise(amount, currency)
    if not 0 < wanted <= left:
        raise RefusedChangeError(f"{left} {currency} are left of charge {charge_id}: refund that or less")
    refund_id = uuid7(now)
    values = {"id": refund_id, "charge_id": charge_id, "amount": wanted, "now": now}
    connection.execute(store.query("write_refund"), {**values, "key": f"{charge_id.hex}-r{refunds + 1}"})
    after = {"amount": str(wanted), "currency": currency, "refund_id": refund_id}
    record(connection, [AuditEntry(actor, "charge.refund_intended", "charge", str(charge_id), None, after)], now)
    return refund_id


def tell(connection: Connection, results: Sequence[tuple[UUID, LookupOutcome]], now: datetime) -> None:
    """Tell the app of refunds that succeeded."""
    ids = [payment_id for payment_id, outcome in results if isinstance(outcome, Succeeded)]
    if not ids:
        return
    rows = connection.execute(
        "SELECT id, user_id, subscription_id, parent_id, amount, currency FROM payment_transactions"
        " WHERE id = ANY (%s) AND kind = 'refund'",
        (ids,),
    )
    events = []
    for refund_id, user_id, subscription_id, charge_id, amount, currency in rows:
        payload = {"subscription_id": subscription_id, "charge_id": charge_id, "amount": str(amount)}
        payload["currency"] = currency
        events.append(Event("billing.refunded", user_id, payload, f"billing.refunded:{refund_id}"))
    publish(connection, events, now=now)
