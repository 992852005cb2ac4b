"""A gateway of the test's own, a database that commits, and subscriptions in it."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.factories import make_user
from tests.factories_operations import make_plan, make_subscription
from tests.support import seeded
from worker import clock
from worker.billing.charging import renew
from worker.billing.gateways.configured import adapters
from worker.billing.gateways.guard import Guard
from worker.billing.resolving import resolve
from worker.billing.sandbox.server import Sandbox
from worker.billing.sandbox.store import Book
from worker.clock import VirtualClock
from worker.secrets import Cipher, new_key
from worker.settings import Settings

DUE_AT = datetime(2026, 3, 4, 17, tzinfo=UTC)
"""Midnight of March 5 in Jakarta: when the subscriptions of these tests are due."""
ANCHOR = date(2026, 2, 5)


@pytest.fixture
def committed(database_url) -> Iterator[psycopg.Connection]:
    """A connection that commits each statement, to a database of the test's own."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def virtual() -> Iterator[VirtualClock]:
    """The present instant: a minute after the subscriptions fell due."""
    with clock.travelling(DUE_AT + timedelta(minutes=1)) as virtual:
        yield virtual


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Book(random=Random(1))) as server:
        yield server


@pytest.fixture
def configured(sandbox, settings) -> Settings:
    """Settings with which the three gateways are the sandbox."""
    return settings(
        **sandbox.settings(),
        encryption_keys=new_key(),
        billing_concurrency=8,
        billing_timeout_s=30,
        billing_rest_s=0.01,
    )


@pytest.fixture
def cipher(configured) -> Cipher:
    return Cipher.from_settings(configured)


@pytest.fixture
def guard(configured) -> Callable[..., Guard]:
    """Makes the guard of a gateway: `guard("midtrans")`."""
    made = adapters(configured)

    def make(name: str, **limits: Any) -> Guard:
        return Guard(made[name], **{"per_second": 10_000, "failures": 1_000, "rest_s": 0.01} | limits)

    return make


TOKENS = seeded.PAYMENT_TOKENS


@pytest.fixture
def subscribe(committed, cipher) -> Callable[..., UUID]:
    """Make a subscription that is due: `subscribe("midtrans", method="decline_soft")`; more by columns."""

    def make(
        gateway: str = "midtrans", *, method: str = "fine", plan: dict[str, Any] | None = None, **values: Any
    ) -> UUID:
        price = {"amount": Decimal(99_000)} | (plan or {})
        row: dict[str, Any] = {
            "user_id": make_user(committed, is_premium=True),
            "plan_id": make_plan(committed, **price),
            "state": "active",
            "anchor_on": ANCHOR,
            "period_start": datetime(2026, 2, 4, 17, tzinfo=UTC),
            "period_end": DUE_AT,
            "next_attempt_at": DUE_AT,
            "amount": price["amount"],
            "gateway": gateway,
            "payment_token_encrypted": cipher.encrypt(TOKENS[gateway].format(method)),
        }
        return make_subscription(committed, **row | values)

    return make


class Engine:
    """Runs what the jobs run, at one gateway."""

    def __init__(self, guard: Guard, cipher: Cipher) -> None:
        self.guard = guard
        self._cipher = cipher

    def renew(self) -> int:
        return renew(self.guard, self._cipher, concurrency=8, go_on=lambda: True, actor="job:billing.renew")

    def resolve(self) -> int:
        return resolve(self.guard, self._cipher, concurrency=8, go_on=lambda: True, actor="job:billing.resolve_unknown")


@pytest.fixture
def engine(guard, cipher, virtual) -> Callable[..., Engine]:
    return lambda name="midtrans", **limits: Engine(guard(name, **limits), cipher)
