"""Years of billing in minutes: subscriptions in virtual time against the sandbox, with every fault, killed at random.

One thread does what the jobs do, piece by piece with the same functions, so that a seed gives the same years; it "dies"
between any two pieces: what is committed stays, what is only known to it is lost. Learners pay late, cancel, pause and
change plans meanwhile; each night the gateways' reports are reconciled and booked. What must always hold is looked at
each week, also against the gateway's own book.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from worker import clock, ids
from worker.billing.charging import Result, claim_charges, conclude_all
from worker.billing.endings import end_what_is_over
from worker.billing.gateways.configured import adapters
from worker.billing.gateways.guard import Guard
from worker.billing.resolving import ask, claim_unresolved
from worker.billing.sandbox.store import Book
from worker.billing.trials import announce_trial_ends
from worker.clock import VirtualClock
from worker.db import transaction
from worker.secrets import Cipher
from worker.settings import Settings
from worker.simulate.billing_books import Books
from worker.simulate.billing_checks import violations
from worker.simulate.billing_gateways import FAULTS, Gateways
from worker.simulate.billing_learners import Learners
from worker.simulate.billing_life import Life, Report
from worker.simulate.errors import InvariantBrokenError

STEP: Final = timedelta(hours=6)
WEEK: Final = timedelta(weeks=1)
_ACTOR: Final = "job:billing.simulated"
_TOGETHER: Final = 20
_NOTICE_DAYS: Final = 3
_CALM_STEP: Final = timedelta(hours=3)
_CALM_STEPS: Final = 12


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
        guards = {
            name: Guard(adapter, per_second=10_000, failures=1_000_000, rest_s=0.001)
            for name, adapter in adapters(settings).items()
        }
        self._life = Life(Random(seed), book, guards, Cipher.from_settings(settings))  # noqa: S311  a simulation
        book.random = Random(f"{seed} gateway")  # noqa: S311
        self._learners = Learners(self._life, subscriptions)
        self._gateways = Gateways(self._life)
        self._books = Books(self._life, Random(f"{seed} reports"))  # noqa: S311

    def run(self, begins_at: datetime, ends_at: datetime, progress: Callable[[datetime], None]) -> Report:
        """Let the years pass.

        Raises:
            InvariantBrokenError: something that must always hold does not.
        """
        report = self._life.report
        started = time.monotonic()
        with clock.travelling(begins_at) as virtual, ids.drawn_from(self._life.random.randbytes):
            with transaction() as connection:
                self._learners.set_up(connection)
            next_look = begins_at + WEEK
            while clock.now() < ends_at:
                self._step(virtual)
                if clock.now() >= next_look:
                    self._look()
                    next_look += WEEK
                    progress(clock.now())
            self._calm_down(virtual)
            self._look()
            self._books.close(begins_at, clock.now())
            self._count()
        report.took_s = time.monotonic() - started
        return report

    def _step(self, virtual: VirtualClock) -> None:
        virtual.move_to(clock.now() + STEP * self._life.random.uniform(0.2, 1.8))
        self._life.book.chances = dict(FAULTS)
        self._gateways.weather()
        self._learners.act()
        self._gateways.customers_pay()
        self._work()

    def _calm_down(self, virtual: VirtualClock) -> None:
        """Let everything come to its end: no more faults, and a day's worth of runs."""
        self._life.book.is_down = False
        self._life.book.chances = {}
        for _ in range(_CALM_STEPS):
            virtual.move_to(clock.now() + _CALM_STEP)
            self._work()

    def _work(self) -> None:
        """Do what the jobs do."""
        for name in sorted(self._life.guards):
            for work in (self._renew, self._resolve):
                with self._life.dying():
                    work(name)
        with self._life.dying():
            self._end()
        with self._life.dying():
            self._books.work(clock.now())

    def _renew(self, gateway: str) -> None:
        while True:
            with transaction() as connection:
                intents = claim_charges(
                    connection, gateway, self._life.cipher, _TOGETHER, actor=_ACTOR, now=clock.now()
                )
                self._life.maybe_die()
            results: list[Result] = []
            for intent in intents:
                self._life.maybe_die()
                outcome = self._life.guards[gateway].charge(intent.request)
                results.append((intent.id, intent.request.requested_at, outcome))
                if self._life.random.random() < 0.3:  # noqa: PLR2004
                    self._conclude(results)
                    results = []
            self._conclude(results)
            if len(intents) < _TOGETHER:
                return

    def _resolve(self, gateway: str) -> None:
        with transaction() as connection:
            payments = claim_unresolved(connection, gateway, self._life.cipher, 200, clock.now())
        for payment in payments:
            self._life.maybe_die()
            outcome = ask(self._life.guards[gateway], payment, clock.now())
            self._conclude([(payment.id, payment.asked_at, outcome)])

    def _conclude(self, results: list[Result]) -> None:
        self._life.maybe_die()
        if results:
            conclude_all(results, actor=_ACTOR)

    def _end(self) -> None:
        with transaction() as connection:
            end_what_is_over(connection, actor=_ACTOR, now=clock.now())
            announce_trial_ends(connection, _NOTICE_DAYS, clock.now())
            self._life.maybe_die()

    def _look(self) -> None:
        self._life.report.looks += 1
        now = clock.now()
        found = violations(self._life.book, now, STEP * 2) + self._books.explain(now)
        if found:
            raise InvariantBrokenError("billing", found, now, None)

    def _count(self) -> None:
        report = self._life.report
        with transaction() as connection:
            for kind, state, count in connection.execute(
                "SELECT kind, state, count(*) FROM payment_transactions GROUP BY 1, 2"
            ):
                report.charges[f"{kind} {state}"] = count
            for state, count in connection.execute("SELECT state, count(*) FROM subscriptions GROUP BY 1"):
                report.states[state] = count
            for kind, state, count in connection.execute(
                "SELECT kind, state, count(*) FROM reconciliation_breaks GROUP BY 1, 2"
            ):
                report.breaks[f"{kind} {state}"] = count
