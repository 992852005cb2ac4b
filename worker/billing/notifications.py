"""Gateways' notifications: kept once by the event's id, then a reason to look the order up.

Their content decides nothing: a replay, a late one or one out of order changes nothing, since what counts is what the
gateway says when it is asked.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from worker.billing import store
from worker.billing.charging import conclude_all
from worker.billing.gateways.configured import guard_of
from worker.billing.gateways.port import ChargeRequest, LookupOutcome, NotFound, NotSent, Succeeded, Unknown
from worker.billing.methods import read_method
from worker.billing.transitions import OPEN
from worker.db import Connection, transaction
from worker.logging import get_logger
from worker.models.billing import TransactionState
from worker.models.reconciliation import WebhookState
from worker.secrets import Cipher
from worker.settings import get_settings

_log = get_logger(__name__)
_ACTOR: Final = "job:billing.process_notification"


@dataclass(frozen=True, slots=True)
class Told:
    """A notification that waits, and the payment it is about."""

    gateway: str
    event_type: str
    payment_id: UUID | None
    state: TransactionState | None
    request: ChargeRequest | None


def process(notification_id: UUID, now: datetime) -> None:
    """Look up the payment that a notification is about, and write what became of it.

    A notification that speaks of nothing of ours, or of what is concluded, is kept as ignored.
    """
    with transaction() as connection:
        told = _take(connection, notification_id)
    if told is None:
        return
    if told.payment_id is None or told.request is None or told.state == "succeeded":
        _log.info("notification_ignored", gateway=told.gateway, kind=told.event_type)
        _finish(notification_id, "ignored", now)
        return
    outcome = guard_of(told.gateway).lookup(told.request)
    if _says_something(told, outcome):
        conclude_all([(told.payment_id, told.request.requested_at, outcome)], actor=_ACTOR)
    _finish(notification_id, "processed", now)


def _says_something(told: Told, outcome: LookupOutcome) -> bool:
    """Return whether a lookup tells more than is known; what it leaves open is asked for again by its time."""
    if told.state in OPEN:
        return not isinstance(outcome, Unknown | NotSent | NotFound)
    return isinstance(outcome, Succeeded)  # given up, and paid after all


def _take(connection: Connection, notification_id: UUID) -> Told | None:
    row = connection.execute(store.query("take_notification"), {"id": notification_id}).fetchone()
    if row is None:
        return None
    gateway, event_type, payment_id, kind, state, key, amount, currency, asked_at, reference, token = row
    request = None
    if payment_id is not None and kind == "charge":
        text = read_method(token, Cipher.from_settings(get_settings())) or ""
        request = ChargeRequest(key, amount, currency, text, asked_at, reference)
    return Told(gateway, event_type, payment_id, state, request)


def _finish(notification_id: UUID, state: WebhookState, now: datetime) -> None:
    with transaction() as connection:
        connection.execute(
            "UPDATE webhook_inbox SET state = %s, processed_at = %s WHERE id = %s AND state = 'received'",
            (state, now, notification_id),
        )
