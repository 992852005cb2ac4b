"""Years of billing in minutes: subscriptions in virtual time against the sandbox, with every fault, killed at random.

One thread does what the jobs do, piece by piece with the same functions, so that a seed gives the same years; it "dies"
between any two pieces: what is committed stays, what is only known to it is lost. Learners pay late, cancel, pause and
change plans meanwhile. What must always hold is looked at each week, also against the gateway's own book.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from worker import clock, ids
from worker.billing import actions, refunds, store
from worker.billing.actions import NewSubscription
from worker.billing.charging import Result, claim_charges, conclude_all
from worker.billing.endings import end_what_is_over
from worker.billing.errors import ForgedNotificationError, RefusedChangeError
from worker.billing.gateways.configured import adapters
from worker.billing.gateways.guard import Guard
from worker.billing.notifications import process
from worker.billing.resolving import ask, claim_unresolved
from worker.billing.sandbox.dialects import Callback, callback, stripe_signature
from worker.billing.sandbox.store import Book, Fault
from worker.billing.verify import verify
from worker.clock import VirtualClock
from worker.db import Connection, transaction
from worker.ids import uuid7
from worker.secrets import Cipher
from worker.settings import Settings
from worker.simulate.errors import InvariantBrokenError

STEP: Final = timedelta(hours=6)
WEEK: Final = timedelta(weeks=1)
FAULTS: Final[Mapping[Fault, float]] = {
    "decline_soft": 0.08,
    "decline_hard": 0.02,
    "pending": 0.02,
    "lost_before": 0.01,
    "lost_after": 0.02,
    "error_before": 0.005,
    "error_after": 0.01,
}
KILLED: Final = 0.01
"""The chance that the process dies between two pieces of work."""
_ACTOR: Final = "job:billing.simulated"
_TOGETHER: Final = 20
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


class Killed(BaseException):
    """The process is gone: nothing that it only knew survives."""


@dataclass(slots=True)
class Report:
    """What happened."""

    charges: Counter[str] = field(default_factory=Counter)
    """By state, as the database has them in the end."""
    deeds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    looks: int = 0
    forged: int = 0
    took_s: float = 0.0


class BillingYears:
    """One simulation."""

    def __init__(self, settings: Settings, book: Book, *, subscriptions: int, seed: int) -> None:
        """Prepare; nothing is written yet.

        Args:
            settings: with the sandbox's addresses and secrets, and a key for the payment methods.
            book: of that sandbox.
            subscriptions: how many learners subscribe in the first months.
            seed: the same one gives the same years.
        """
        self._book = book
        self._random = Random(seed)  # noqa: S311  a simulation
        book.random = Random(f"{seed} gateway")  # noqa: S311
        self._guards = {
            name: Guard(adapter, per_second=10_000, failures=1_000_000, rest_s=0.001)
            for name, adapter in adapters(settings).items()
        }
        self._cipher = Cipher.from_settings(settings)
        self._left = subscriptions
        self._to_begin = subscriptions
        self._users: list[UUID] = []
        self._begun: list[UUID] = []
        self._down_until: datetime | None = None
        self._told: list[Callback] = []
        self._kept: list[UUID] = []
        self.report = Report()

    def run(self, begins_at: datetime, ends_at: datetime, progress: Callable[[datetime], None]) -> Report:
        """Let the years pass.

        Raises:
            InvariantBrokenError: something that must always hold does not.
        """
        started = time.monotonic()
        with clock.travelling(begins_at) as virtual, ids.drawn_from(self._random.randbytes):
            with transaction() as connection:
                self._set_up(connection)
            next_look = begins_at + WEEK
            while clock.now() < ends_at:
                self._step(virtual)
                if clock.now() >= next_look:
                    self._look()
                    next_look += WEEK
                    progress(clock.now())
            self._calm_down(virtual)
            self._look()
            self._count()
        self.report.took_s = time.monotonic() - started
        return self.report

    def _set_up(self, connection: Connection) -> None:
        for code, unit, count, amount, trial in _PLANS:
            connection.execute(
                "INSERT INTO plans (code, name, period_unit, period_count, amount, trial_days)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (code, code, unit, count, amount, trial),
            )
        for number in range(self._to_begin):
            row = connection.execute(
                "INSERT INTO users (email, full_name) VALUES (%s, %s) RETURNING id",
                (f"payer{number}@example.org", f"Payer {number}"),
            ).fetchone()
            assert row is not None
            self._users.append(row[0])

    def _step(self, virtual: VirtualClock) -> None:
        virtual.move_to(clock.now() + STEP * self._random.uniform(0.2, 1.8))
        self._weather()
        self._learners()
        self._customers_pay()
        for name in sorted(self._guards):
            for work in (self._renew, self._resolve):
                with self._dying():
                    work(name)
        with self._dying():
            self._end()

    @contextmanager
    def _dying(self) -> Iterator[None]:
        try:
            yield
        except Killed:
            self.report.kills += 1

    def _maybe_die(self) -> None:
        if self._random.random() < KILLED:
            raise Killed

    def _weather(self) -> None:
        """Have the gateways fail now and then, for an hour to two days."""
        now = clock.now()
        if self._down_until is not None and now >= self._down_until:
            self._down_until, self._book.is_down = None, False
        elif self._down_until is None and self._random.random() < 0.005:  # noqa: PLR2004  twice a year
            self._down_until = now + timedelta(hours=self._random.randrange(1, 48))
            self._book.is_down = True
        self._book.chances = dict(FAULTS)

    def _renew(self, gateway: str) -> None:
        while True:
            with transaction() as connection:
                intents = claim_charges(connection, gateway, self._cipher, _TOGETHER, actor=_ACTOR, now=clock.now())
                self._maybe_die()
            results: list[Result] = []
            for intent in intents:
                self._maybe_die()
                results.append((intent.id, intent.request.requested_at, self._guards[gateway].charge(intent.request)))
                if self._random.random() < 0.3:  # noqa: PLR2004
                    self._conclude(results)
                    results = []
            self._conclude(results)
            if len(intents) < _TOGETHER:
                return

    def _resolve(self, gateway: str) -> None:
        with transaction() as connection:
            payments = claim_unresolved(connection, gateway, self._cipher, 200, clock.now())
        for payment in payments:
            self._maybe_die()
            outcome = ask(self._guards[gateway], payment, clock.now())
            self._conclude([(payment.id, payment.asked_at, outcome)])

    def _conclude(self, results: list[Result]) -> None:
        self._maybe_die()
        if results:
            conclude_all(results, actor=_ACTOR)

    def _end(self) -> None:
        with transaction() as connection:
            end_what_is_over(connection, actor=_ACTOR, now=clock.now())
            self._maybe_die()

    # --- learners -----------------------------------------------------------------------------------------------------

    def _learners(self) -> None:
        while self._left and self._random.random() < 0.85:  # noqa: PLR2004
            self._left -= 1
            self._begin(self._users[self._left])
        deeds = self._random.randrange(3) if self._begun else 0
        for _ in range(deeds):
            self._do(self._random.choice(self._begun))

    def _begin(self, user_id: UUID) -> None:
        gateway = self._random.choice(sorted(_TOKENS))
        subscription_id = UUID(int=self._random.getrandbits(128), version=4)
        new = NewSubscription(
            id=subscription_id,
            user_id=user_id,
            plan=self._random.choice(_PLANS)[0],
            gateway=gateway,
            token=_TOKENS[gateway].format(user_id.hex[:12]),
            timezone=self._random.choice(("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Europe/Berlin")),
        )
        with transaction() as connection:
            actions.subscribe(connection, new, self._cipher, actor="app", now=clock.now())
        self._begun.append(subscription_id)

    def _do(self, subscription_id: UUID) -> None:
        deed = self._random.choice(_DEEDS)
        try:
            with transaction() as connection:
                self._deed(connection, subscription_id, deed)
        except RefusedChangeError:
            self.report.deeds[f"{deed} refused"] += 1
        else:
            self.report.deeds[deed] += 1

    def _deed(self, connection: Connection, subscription_id: UUID, deed: str) -> None:
        now = clock.now()
        match deed:
            case "cancel" | "cancel_now":
                if self._random.random() < 0.2:  # noqa: PLR2004  most stay
                    actions.cancel(connection, subscription_id, at_once=deed != "cancel", actor="app", now=now)
            case "pause":
                until = now + timedelta(days=self._random.randrange(1, 60))
                actions.pause(connection, subscription_id, until=until, actor="app", now=now)
            case "resume":
                actions.resume(connection, subscription_id, actor="app", now=now)
            case "plan":
                plan = self._random.choice(_PLANS)[0]
                actions.change_plan(connection, subscription_id, plan, actor="app", now=now)
            case "method":
                gateway = self._random.choice(sorted(_TOKENS))
                token = _TOKENS[gateway].format(self._random.randrange(10**9))
                actions.set_method(connection, subscription_id, gateway, token, self._cipher, actor="app", now=now)
            case _:
                row = connection.execute(
                    "SELECT id FROM payment_transactions WHERE subscription_id = %s AND kind = 'charge'"
                    " AND state = 'succeeded' ORDER BY period_start DESC LIMIT 1",
                    (subscription_id,),
                ).fetchone()
                if row is not None and self._random.random() < 0.2:  # noqa: PLR2004
                    refunds.intend(connection, row[0], Decimal(1_000), actor="app", now=now)

    def _customers_pay(self) -> None:
        """Have pending orders paid, or not; the gateway tells: twice, late, in another order, and others tell lies."""
        for order in [each for each in self._book.orders.values() if each.status == "pending"]:
            if self._random.random() < 0.1:  # noqa: PLR2004
                status = self._random.choice(("succeeded", "succeeded", "expired"))
                self._book.pay(order.key, gateway=order.gateway, status=status)  # type: ignore[arg-type]
                self._told += [callback(order)] * self._random.choice((1, 2))
        self._random.shuffle(self._told)
        now_telling, self._told = self._told[: len(self._told) // 2 + 1], self._told[len(self._told) // 2 + 1 :]
        for said in now_telling:
            self._receive(said)
        with self._dying():
            while self._kept:  # as the outbox delivers them: again until they are done
                self._maybe_die()
                process(self._kept[0], clock.now())
                self._maybe_die()
                del self._kept[0]

    def _receive(self, said: Callback) -> None:
        headers = dict(said.headers)
        if said.gateway == "stripe":  # its signatures grow old by the machine's clock
            headers = {"stripe-signature": stripe_signature(said.body, int(time.time()))}
        guard = self._guards[said.gateway]
        if self._random.random() < 0.1:  # noqa: PLR2004
            forged = dict.fromkeys(headers, "t=1,v1=00")
            try:
                guard.gateway.verify_notification(forged, said.body.replace(b"signature_key", b"signature"))
            except ForgedNotificationError:
                self.report.forged += 1
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

    # --- what must hold -----------------------------------------------------------------------------------------------

    def _calm_down(self, virtual: VirtualClock) -> None:
        """Let everything come to its end: no more faults, and a day's worth of runs."""
        self._book.is_down = False
        for _ in range(12):
            virtual.move_to(clock.now() + timedelta(hours=3))
            self._book.chances = {}
            for name in sorted(self._guards):
                for work in (self._renew, self._resolve):
                    with self._dying():
                        work(name)
            with self._dying():
                self._end()

    def _look(self) -> None:
        self.report.looks += 1
        now = clock.now()
        with transaction() as connection:
            store.refresh_premium(connection, None, now)  # as the nightly job: grace ends between two looks
            found = [f"{each.invariant}: {each.found}" for each in verify(connection, now - STEP * 2)]
            rows = connection.execute(
                "SELECT idempotency_key FROM payment_transactions WHERE kind = 'charge' AND state = 'succeeded'"
            )
            ours = {key for (key,) in rows}
            known = connection.execute(
                "SELECT idempotency_key FROM payment_transactions WHERE kind = 'charge' AND state <> 'succeeded'"
                " AND state NOT IN ('intended', 'pending', 'unknown')"
            )
            given_up = {key for (key,) in known}
        theirs = {order.key for order in self._book.charged()}
        found += [f"here and not at the gateway: {key}" for key in sorted(ours - theirs)]
        periods = Counter(key.rpartition("-")[0] for key in theirs)
        found += [f"charged {times} times at the gateway: {key}" for key, times in periods.items() if times > 1]
        declined = {order.key for order in self._book.orders.values() if order.status == "declined"}
        found += [
            f"given up, and taken by the gateway: {key}" for key in sorted(given_up & theirs - self._late(given_up))
        ]
        found += [f"paid here, declined there: {key}" for key in sorted(ours & declined)]
        if found:
            raise InvariantBrokenError("billing", found, now, None)

    def _late(self, given_up: set[str]) -> set[str]:
        """Return those given up whose customer paid after all, and of whom the gateway has yet to tell."""
        late = {order.key for order in self._book.charged() if order.updated_at != order.created_at}
        return given_up & late

    def _count(self) -> None:
        with transaction() as connection:
            for kind, state, count in connection.execute(
                "SELECT kind, state, count(*) FROM payment_transactions GROUP BY 1, 2"
            ):
                self.report.charges[f"{kind} {state}"] = count
            for state, count in connection.execute("SELECT state, count(*) FROM subscriptions GROUP BY 1"):
                self.report.states[state] = count
