"""The sandbox's own book: orders, what happened to them, and the faults that are to happen."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Literal
from uuid import UUID

from worker import clock

Status = Literal["succeeded", "declined", "pending", "expired"]
Fault = Literal["decline_hard", "decline_soft", "pending", "lost_before", "lost_after", "error_before", "error_after"]
"""lost_…: the connection ends without an answer, before or after the charge; error_…: HTTP 500 in its place."""


@dataclass(slots=True)
class Order:
    """A charge as the gateway knows it.

    Attributes:
        reference: the gateway's own id.
        key: ours.
        method: the payment method, as it was sent.
        paid_at: when the money moved.
        refunded: how much went back, by refund key.
        refunded_at: when, by refund key.
    """

    gateway: str
    reference: str
    key: str
    amount: Decimal
    currency: str
    method: str
    status: Status
    code: str
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None = None
    refunded: dict[str, Decimal] = field(default_factory=dict)
    refunded_at: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved: a charge or a refund of an order, under which key of ours, how much, when."""

    order: Order
    kind: Literal["charge", "refund"]
    key: str
    amount: Decimal
    at: datetime


@dataclass(slots=True)
class Book:
    """Everything the sandbox knows; may be used by several threads at once.

    A payment method whose text contains the name of a fault has that fault with every charge; others have what `next`
    holds, or what `chances` draw.

    Attributes:
        next: faults of the next charges, the first one first.
        chances: how likely each fault is, for charges whose method says nothing.
        is_down: every request ends with HTTP 503.
        latency_s: how long each answer takes.
        asked: how often each kind of request came.
        listeners: called with each order that has come to something.
    """

    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311
    next: deque[Fault] = field(default_factory=deque)
    chances: dict[Fault, float] = field(default_factory=dict)
    is_down: bool = False
    latency_s: float = 0.0
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    now: Callable[[], datetime] = clock.now
    listeners: list[Callable[[Order], None]] = field(default_factory=list)

    def fault_for(self, method: str) -> Fault | None:
        """Return what is to happen to the next charge with a method."""
        named: tuple[Fault, ...] = (
            "decline_hard", "decline_soft", "pending", "lost_before", "lost_after", "error_before", "error_after"
        )  # fmt: skip
        for name in named:
            if name in method:
                return name
        if self.next:
            return self.next.popleft()
        drawn = self.random.random()
        for name, chance in self.chances.items():
            drawn -= chance
            if drawn < 0:
                return name
        return None

    def find(self, gateway: str, key_or_reference: str) -> Order | None:
        """Return an order by our key or the gateway's id."""
        with self.lock:
            order = self.orders.get((gateway, key_or_reference))
            if order is not None:
                return order
            of_gateway = (each for each in self.orders.values() if each.gateway == gateway)
            return next((each for each in of_gateway if each.reference == key_or_reference), None)

    def charge(
        self, gateway: str, key: str, amount: Decimal, currency: str, method: str, fault: Fault | None
    ) -> tuple[Order, bool]:
        """Charge, once a key; return the order and whether it is new."""
        with self.lock:
            known = self.orders.get((gateway, key))
            if known is not None:
                return known, False
            status: Status = "succeeded"
            code = ""
            if fault in {"decline_hard", "decline_soft"}:
                status, code = "declined", "hard" if fault == "decline_hard" else "soft"
            elif fault == "pending":
                status = "pending"
            reference = str(UUID(int=self.random.getrandbits(128), version=4))
            now = self.now()
            order = Order(gateway, reference, key, amount, currency, method, status, code, now, now)
            order.paid_at = now if status == "succeeded" else None
            self.orders[gateway, key] = order
            self._tell(order)
            return order, True

    def pay(self, key: str, *, gateway: str = "midtrans", status: Status = "succeeded") -> Order:
        """Conclude a pending order, as when the customer pays or does not."""
        with self.lock:
            order = self.orders[gateway, key]
            order.status, order.updated_at = status, self.now()
            order.paid_at = order.updated_at if status == "succeeded" else None
            self._tell(order)
            return order

    def _tell(self, order: Order) -> None:
        for listener in self.listeners:
            listener(order)

    def refund(self, order: Order, key: str, amount: Decimal) -> bool:
        """Give money back, once a key; return whether there was enough."""
        with self.lock:
            if key in order.refunded:
                return True
            if sum(order.refunded.values(), amount) > order.amount or order.status != "succeeded":
                return False
            order.refunded[key] = amount
            order.refunded_at[key] = order.updated_at = self.now()
            return True

    def moved(self, gateway: str, begins_at: datetime, ends_at: datetime) -> list[Movement]:
        """Return what moved at a gateway from an instant until before another: charges, then what went back of them."""
        found = []
        for order in self.charged():
            if order.gateway != gateway:
                continue
            if order.paid_at is not None and begins_at <= order.paid_at < ends_at:
                found.append(Movement(order, "charge", order.key, order.amount, order.paid_at))
            for key, at in order.refunded_at.items():
                if begins_at <= at < ends_at:
                    found.append(Movement(order, "refund", key, order.refunded[key], at))
        return found

    def charged(self, subscription_hex: str | None = None) -> list[Order]:
        """Return the orders whose money moved, of one subscription or all, by their keys."""
        with self.lock:
            found = [each for each in self.orders.values() if each.status == "succeeded"]
        if subscription_hex is not None:
            found = [each for each in found if each.key.startswith(subscription_hex)]
        return sorted(found, key=lambda each: each.key)
