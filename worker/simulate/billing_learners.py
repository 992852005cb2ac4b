"""Learners of simulated billing: they subscribe, cancel, pause, change plan or payment method, and want money back."""

from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from worker import clock
from worker.billing import actions, refunds
from worker.billing.actions import NewSubscription
from worker.billing.errors import RefusedChangeError
from worker.db import Connection, transaction
from worker.simulate.billing_life import Life

_PLANS: Final = (
    ("weekly", "week", 1, 19_000, 0),
    ("monthly", "month", 1, 59_000, 0),
    ("monthly-trial", "month", 1, 59_000, 7),
    ("monthly-family", "month", 1, 99_000, 0),
    ("quarterly", "month", 3, 149_000, 0),
    ("yearly", "year", 1, 499_000, 14),
)
_DEEDS: Final = ("cancel", "cancel_now", "pause", "resume", "resume", "plan", "method", "method", "refund")
_TOKENS: Final = {"midtrans": "card:{}", "xendit": "pm-{}", "stripe": "cus_{}/pm_1"}


class Learners:
    """All of them."""

    def __init__(self, life: Life, count: int) -> None:
        """Prepare; `set_up` makes them."""
        self._life = life
        self._left = self._count = count
        self._users: list[UUID] = []
        self._begun: list[UUID] = []

    def set_up(self, connection: Connection) -> None:
        """Make the plans and the learners, without subscriptions."""
        for code, unit, count, amount, trial in _PLANS:
            connection.execute(
                "INSERT INTO plans (code, name, period_unit, period_count, amount, trial_days)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (code, code, unit, count, amount, trial),
            )
        for number in range(self._count):
            row = connection.execute(
                "INSERT INTO users (email, full_name) VALUES (%s, %s) RETURNING id",
                (f"payer{number}@example.org", f"Payer {number}"),
            ).fetchone()
            assert row is not None
            self._users.append(row[0])

    def act(self) -> None:
        """Let some begin, and some do what they like."""
        while self._left and self._life.random.random() < 0.85:  # noqa: PLR2004
            self._left -= 1
            self._begin(self._users[self._left])
        deeds = self._life.random.randrange(3) if self._begun else 0
        for _ in range(deeds):
            self._do(self._life.random.choice(self._begun))

    def _begin(self, user_id: UUID) -> None:
        gateway = self._life.random.choice(sorted(_TOKENS))
        subscription_id = UUID(int=self._life.random.getrandbits(128), version=4)
        new = NewSubscription(
            id=subscription_id,
            user_id=user_id,
            plan=self._life.random.choice(_PLANS)[0],
            gateway=gateway,
            token=_TOKENS[gateway].format(user_id.hex[:12]),
            timezone=self._life.random.choice(("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Europe/Berlin")),
        )
        with transaction() as connection:
            actions.subscribe(connection, new, self._life.cipher, actor="app", now=clock.now())
        self._begun.append(subscription_id)

    def _do(self, subscription_id: UUID) -> None:
        deed = self._life.random.choice(_DEEDS)
        try:
            with transaction() as connection:
                self._deed(connection, subscription_id, deed)
        except RefusedChangeError:
            self._life.report.deeds[f"{deed} refused"] += 1
        else:
            self._life.report.deeds[deed] += 1

    def _deed(self, connection: Connection, subscription_id: UUID, deed: str) -> None:
        now = clock.now()
        match deed:
            case "cancel" | "cancel_now":
                if self._life.random.random() < 0.2:  # noqa: PLR2004  most stay
                    actions.cancel(connection, subscription_id, at_once=deed != "cancel", actor="app", now=now)
            case "pause":
                until = now + timedelta(days=self._life.random.randrange(1, 60))
                actions.pause(connection, subscription_id, until=until, actor="app", now=now)
            case "resume":
                actions.resume(connection, subscription_id, actor="app", now=now)
            case "plan":
                plan = self._life.random.choice(_PLANS)[0]
                actions.change_plan(connection, subscription_id, plan, actor="app", now=now)
            case "method":
                gateway = self._life.random.choice(sorted(_TOKENS))
                token = _TOKENS[gateway].format(self._life.random.randrange(10**9))
                actions.set_method(connection, subscription_id, gateway, token, self._life.cipher, actor="app", now=now)
            case _:
                row = connection.execute(
                    "SELECT id FROM payment_transactions WHERE subscription_id = %s AND kind = 'charge'"
                    " AND state = 'succeeded' ORDER BY period_start DESC LIMIT 1",
                    (subscription_id,),
                ).fetchone()
                if row is not None and self._life.random.random() < 0.2:  # noqa: PLR2004
                    refunds.intend(connection, row[0], Decimal(1_000), actor="app", now=now)
