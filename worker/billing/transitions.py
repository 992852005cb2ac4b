"""Which state of a subscription or a payment may follow which. Pure; triggers enforce the same tables."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from worker.billing.errors import ForbiddenTransitionError
from worker.models.billing import SubscriptionState, TransactionState

SUBSCRIPTION: Final[Mapping[SubscriptionState, frozenset[SubscriptionState]]] = {
    "trialing": frozenset({"active", "past_due", "cancelled", "expired"}),
    "active": frozenset({"past_due", "paused", "cancelled"}),
    "past_due": frozenset({"active", "cancelled", "expired"}),
    "paused": frozenset({"active", "cancelled"}),
    "cancelled": frozenset(),
    "expired": frozenset({"active"}),  # a payment that was under way when the grace period ended
}
TRANSACTION: Final[Mapping[TransactionState, frozenset[TransactionState]]] = {
    "intended": frozenset({"pending", "unknown", "succeeded", "declined", "cancelled"}),
    "pending": frozenset({"unknown", "succeeded", "declined", "cancelled"}),
    "unknown": frozenset({"pending", "succeeded", "declined", "cancelled"}),
    "succeeded": frozenset(),
    "declined": frozenset({"succeeded"}),  # the gateway's word came after all: a bank transfer paid late
    "cancelled": frozenset({"succeeded"}),
}
OPEN: Final[frozenset[TransactionState]] = frozenset({"intended", "pending", "unknown"})
"""The outcome is not known yet."""
LIVE: Final[frozenset[SubscriptionState]] = frozenset({"trialing", "active", "past_due"})
"""Charged when due."""


def check(subscription_id: UUID, before: SubscriptionState, after: SubscriptionState) -> None:
    """Refuse a change of state that is not allowed.

    Raises:
        ForbiddenTransitionError: `after` may not follow `before`.
    """
    if before != after and after not in SUBSCRIPTION[before]:
        raise ForbiddenTransitionError(subscription_id, before, after)
