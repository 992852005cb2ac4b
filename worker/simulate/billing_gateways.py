"""Gateways of simulated billing as they are: down at times, and what they tell comes twice, late and out of order."""

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from worker import clock
from worker.billing import store
from worker.billing.errors import ForgedNotificationError
from worker.billing.notifications import process
from worker.billing.sandbox.dialects import Callback, callback, stripe_signature
from worker.billing.sandbox.store import Fault
from worker.db import transaction
from worker.ids import uuid7
from worker.simulate.billing_life import Life
from worker.simulate.errors import InvariantBrokenError

FAULTS: Final[Mapping[Fault, float]] = {
    "decline_soft": 0.08,
    "decline_hard": 0.02,
    "pending": 0.02,
    "lost_before": 0.01,
    "lost_after": 0.02,
    "error_before": 0.005,
    "error_after": 0.01,
}


class Gateways:
    """What they do of their own accord."""

    def __init__(self, life: Life) -> None:
        """Begin with all of them up."""
        self._life = life
        self._down_until: datetime | None = None
        self._told: list[Callback] = []
        self._kept = deque[UUID]()

    def weather(self) -> None:
        """Have the gateways fail now and then, for an hour to two days."""
        now = clock.now()
        if self._down_until is not None and now >= self._down_until:
            self._down_until, self._life.book.is_down = None, False
        elif self._down_until is None and self._life.random.random() < 0.005:  # noqa: PLR2004  twice a year
            self._down_until = now + timedelta(hours=self._life.random.randrange(1, 48))
            self._life.book.is_down = True
        self._life.book.chances = dict(FAULTS)

    def customers_pay(self) -> None:
        """Have pending orders paid, or not; the gateway tells: twice, late, in another order, and others tell lies."""
        for order in [each for each in self._life.book.orders.values() if each.status == "pending"]:
            if self._life.random.random() < 0.1:  # noqa: PLR2004
                status = self._life.random.choice(("succeeded", "succeeded", "expired"))
                self._life.book.pay(order.key, gateway=order.gateway, status=status)  # type: ignore[arg-type]
                self._told += [callback(order)] * self._life.random.choice((1, 2))
        self._life.random.shuffle(self._told)
        now_telling, self._told = self._told[: len(self._told) // 2 + 1], self._told[len(self._told) // 2 + 1 :]
        for said in now_telling:
            self._receive(said)
        with self._life.dying():
            while self._kept:  # as the outbox delivers them: again until they are done
                self._life.maybe_die()
                process(self._kept[0], clock.now())
                self._life.maybe_die()
                self._kept.popleft()

    def _receive(self, said: Callback) -> None:
        headers = dict(said.headers)
        if said.gateway == "stripe":  # its signatures grow old by the machine's clock
            headers = {"stripe-signature": stripe_signature(said.body, int(time.time()))}
        guard = self._life.guards[said.gateway]
        if self._life.random.random() < 0.1:  # noqa: PLR2004
            forged = dict.fromkeys(headers, "t=1,v1=00")
            try:
                guard.gateway.verify_notification(forged, said.body.replace(b"signature_key", b"signature"))
            except ForgedNotificationError:
                self._life.report.forged += 1
            else:
                raise InvariantBrokenError("a forged notification is refused", [said.gateway], clock.now(), None)
        told = guard.gateway.verify_notification(headers, said.body)
        now = clock.now()
        values = {"id": uuid7(now), "gateway": said.gateway, "event_id": told.event_id, "event_type": told.event_type}
        with transaction() as connection:
            row = connection.execute(
                store.query("keep_notification"), {**values, "order_key": told.key, "body": said.body, "now": now}
            ).fetchone()
        if row is not None:
            self._kept.append(row[0])
