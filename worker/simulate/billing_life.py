"""What the parts of simulated billing share: chance, the gateways, a process that dies, and the report of it all."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from worker.billing.gateways.guard import Guard
from worker.billing.sandbox.store import Book
from worker.secrets import Cipher

KILLED: Final = 0.01
"""The chance that the process dies between two pieces of work."""


class Killed(BaseException):
    """The process is gone: nothing that it only knew survives."""


@dataclass(slots=True)
class Report:
    """What happened."""

    charges: Counter[str] = field(default_factory=Counter)
    """By state, as the database has them in the end."""
    deeds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    breaks: Counter[str] = field(default_factory=Counter)
    """Of reconciliation, by kind and state, as the database has them in the end."""
    kills: int = 0
    looks: int = 0
    forged: int = 0
    nights: int = 0
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Life:
    """One simulation's.

    Attributes:
        random: whose seed gives the years.
        book: the sandbox's, which is all gateways.
        guards: of our adapters, by gateway.
        cipher: of the payment methods.
        report: what happened so far.
    """

    random: Random
    book: Book
    guards: Mapping[str, Guard]
    cipher: Cipher
    report: Report = field(default_factory=Report)

    @contextmanager
    def dying(self) -> Iterator[None]:
        """Bury a process that died inside."""
        try:
            yield
        except Killed:
            self.report.kills += 1

    def maybe_die(self) -> None:
        """Die, at times.

        Raises:
            Killed: now.
        """
        if self.random.random() < KILLED:
            raise Killed
