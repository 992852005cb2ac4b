"""The demonstration's subscriptions: renewed against the local sandbox gateway, which loses answers on purpose."""

from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID, uuid4

from worker import clock
from worker.billing.actions import NewSubscription, subscribe
from worker.billing.charging import renew
from worker.billing.gateways.guard import Guard
from worker.billing.gateways.midtrans import Midtrans
from worker.billing.resolving import resolve
from worker.billing.sandbox.server import SETTINGS, Sandbox
from worker.billing.sandbox.store import Book
from worker.billing.verify import verify
from worker.db import Connection, transaction
from worker.demo import checks
from worker.demo.checks import Verdict
from worker.secrets import Cipher, new_key

SUBSCRIBERS: Final = 40
_GATEWAY: Final = "sandbox"
"""A name that no worker has a gateway for: nobody else charges these subscriptions."""
_ACTOR: Final = "cli:demo"


def renew_some(seed: int) -> list[Verdict]:
    """Subscribe some new learners, charge them while answers get lost, and return the verdicts; about a second."""
    book = Book(random=Random(seed), chances={"lost_after": 0.15, "lost_before": 0.05, "decline_soft": 0.1})  # noqa: S311
    cipher = Cipher([new_key()])
    with Sandbox(book) as sandbox:
        with transaction() as connection:
            ids = _subscribe(connection, cipher)
        adapter = Midtrans(SETTINGS["midtrans_server_key"], sandbox.url, timeout_s=10, connections=16)
        adapter.name = _GATEWAY
        guard = Guard(adapter, per_second=1_000, failures=1_000)
        charged = renew(guard, cipher, concurrency=16, go_on=lambda: True, actor=_ACTOR)
        with transaction() as connection:
            unknown = _count(connection, ids, "unknown")
            connection.execute(  # the demonstration does not wait for its minute
                "UPDATE payment_transactions SET look_again_at = %s"
                " WHERE subscription_id = ANY (%s) AND state = 'unknown'",
                (clock.now() - timedelta(seconds=1), ids),
            )
        book.chances.clear()
        resolved = resolve(guard, cipher, concurrency=16, go_on=lambda: True, actor=_ACTOR)
    with transaction() as connection:
        paid = _count(connection, ids, "succeeded")
        broken = verify(connection, clock.now())
    orders = book.charged()
    return [
        checks.equal("subscriptions charged, once each", len(ids), charged),
        checks.equal("answers that got lost, asked for", unknown, resolved),
        checks.equal("payments here and at the gateway", len(orders), paid),
        checks.equal("subscriptions charged twice", 0, len(orders) - len({order.key[:32] for order in orders})),
        checks.equal("billing's invariants broken", 0, len(broken)),
    ]


def _subscribe(connection: Connection, cipher: Cipher) -> list[UUID]:
    connection.execute(
        "INSERT INTO plans (code, name, amount) VALUES ('demo-monthly', 'Premium', 59000) ON CONFLICT (code) DO NOTHING"
    )
    ids = []
    for _ in range(SUBSCRIBERS):
        row = connection.execute(
            "INSERT INTO users (email, full_name) VALUES (%s, 'Subscriber') RETURNING id",
            (f"{uuid4().hex}@example.org",),
        ).fetchone()
        assert row is not None
        new = NewSubscription(id=uuid4(), user_id=row[0], plan="demo-monthly", gateway=_GATEWAY, token="card:demo")  # noqa: S106
        subscribe(connection, new, cipher, actor=_ACTOR, now=clock.now())
        ids.append(new.id)
    return ids


def _count(connection: Connection, ids: list[UUID], state: str) -> int:
    row = connection.execute(
        "SELECT count(*) FROM payment_transactions WHERE subscription_id = ANY (%s) AND kind = 'charge' AND state = %s",
        (ids, state),
    ).fetchone()
    assert row is not None
    return int(row[0])
