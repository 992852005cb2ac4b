"""What must hold of live data, always: each invariant a query that returns what breaks it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from worker.billing import store
from worker.db import Connection

INVARIANTS: Final = {
    "charged_twice": "no period of a subscription is charged twice, and charged periods do not overlap",
    "past_grace": "no subscription lives past its period's end and its days of grace",
    "forgotten": "every subscription that is to be paid has a time at which it is charged next, or an open charge",
    "charge_without_period": "every charge that succeeded pays one invoice, of its period and amount",
    "bill_off": "the lines of every invoice add up to its total and its tax",
    "refunds_above": "refunds of a charge are never more than the charge",
    "open_unwatched": "every payment whose outcome is not known has a time at which it is looked at",
    "unaudited": "the last state that the audit log has of a subscription is the one it has",
    "premium_off": "a learner has access if and only if a subscription says so",
    "notification_stuck": "every notification is processed within a day",
    "ledger_off": "the entries of every journal of the ledger add up to zero",
    "state_contradicted": "every payment is in exactly one state, and its columns say the same",
    "taken_back_unaudited": "every refund and chargeback stands in the audit log",
    "notification_repeated": "every event of a gateway is kept, and so processed, once",
    "token_in_clear": "every payment method is encrypted",
    "resolution_unaudited": "every break that a person resolved stands in the audit log",
}
"""Names, which are also those of the queries `verify_<name>`, and what they say."""
SLACK: Final = timedelta(hours=1)
"""How late the jobs may be."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that breaks an invariant: which one, and the row that does."""

    invariant: str
    found: dict[str, Any]


def verify(connection: Connection, now: datetime, limit: int = 100) -> list[Violation]:
    """Return what breaks an invariant, at most `limit` of each; nothing should."""
    found = []
    for name in INVARIANTS:
        cursor = connection.execute(store.query(f"verify_{name}"), {"now": now, "slack": SLACK, "limit": limit})
        columns = [column.name for column in cursor.description or ()]
        found += [Violation(name, dict(zip(columns, row, strict=True))) for row in cursor]
    return found
