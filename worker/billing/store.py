"""SQL of subscriptions, invoices and payments."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.audit import AuditEntry, record
from worker.billing.periods import Period, Rhythm
from worker.billing.pricing import Bill, Coupon, Line
from worker.billing.subscription import Change, Charge, Subscription
from worker.db import Connection
from worker.db.queries import load_query
from worker.events import publish
from worker.ids import uuid7

PACKAGE: Final = "worker.billing"
query = partial(load_query, PACKAGE)
_LOADED: Final = (
    "id",
    "user_id",
    "plan_id",
    "next_plan_id",
    "state",
    "anchor_on",
    "timezone",
    "period_start",
    "period_end",
    "amount",
    "currency",
    "grace_ends_at",
    "cancel_at_period_end",
    "cancelled_at",
    "paused_at",
    "resumes_at",
    "next_attempt_at",
    "declines",
    "coupon_id",
    "coupon_periods",
    "introductory_periods",
    "next_amount",
    "next_amount_from",
    "gateway",
    "period_unit",
    "period_count",
    "grace_days",
)
"""What `load_subscriptions.sql` returns, in its order."""


@dataclass(frozen=True, slots=True)
class NextPlan:
    """The plan that takes over at the end of the period."""

    id: UUID
    amount: Decimal
    rhythm: Rhythm
    grace_days: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What the next period of a subscription is charged by.

    Attributes:
        next_plan: takes over with it.
        introductory_amount: of the present plan.
        coupon: that still counts.
        invoice: of the period, if one stands already: its id, total and end.
        attempts: how often the period was charged.
        waiting: lines that wait for an invoice, by their ids.
        token: the encrypted payment method, if one is set.
    """

    next_plan: NextPlan | None
    introductory_amount: Decimal | None
    coupon: Coupon | None
    invoice: tuple[UUID, Decimal, datetime] | None
    attempts: int
    waiting: Sequence[tuple[UUID, Line]]
    token: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice that is to be written; `line_ids` are those of the bill's lines, in their order."""

    id: UUID
    subscription: Subscription
    period: Period
    bill: Bill
    line_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A charge that is to be written."""

    id: UUID
    subscription: Subscription
    invoice_id: UUID
    period: Period
    amount: Decimal
    attempt: int
    key: str


def claim_due(connection: Connection, gateway: str, limit: int, now: datetime) -> list[UUID]:
    """Take subscriptions that are to be charged; their ids."""
    values = {"gateway": gateway, "limit": limit, "now": now}
    return [subscription_id for (subscription_id,) in connection.execute(query("claim_due"), values)]


def load(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Subscription]:
    """Return subscriptions by their ids, this transaction's until it ends."""
    rows = connection.execute(query("load_subscriptions"), {"ids": sorted(ids)})
    return {row[0]: _subscription(row) for row in rows}


def _subscription(row: Sequence[Any]) -> Subscription:
    values = dict(zip(_LOADED, row, strict=True))
    period = Period(values.pop("period_start"), values.pop("period_end"))
    rhythm = Rhythm(values.pop("period_unit"), values.pop("period_count"))
    return Subscription(**values, period=period, rhythm=rhythm)


def basis(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Basis]:
    """Return what some subscriptions' next periods are charged by."""
    found = {}
    for row in connection.execute(query("charge_basis"), {"ids": list(ids)}):
        plan = NextPlan(row[1], row[2], Rhythm(row[3], row[4]), row[5]) if row[1] is not None else None
        coupon = Coupon(row[7], row[8]) if row[7] is not None or row[8] is not None else None
        invoice = (row[9], row[10], row[11]) if row[9] is not None else None
        waiting = [(UUID(each[0]), Line(each[1], Decimal(each[2]))) for each in msgspec.json.decode(row[13])]
        found[row[0]] = Basis(plan, row[6], coupon, invoice, row[12], waiting, row[14])
    return found


def write_invoices(connection: Connection, invoices: Sequence[NewInvoice], now: datetime) -> None:
    """Write invoices with their lines."""
    if not invoices:
        return
    connection.execute(
        query("write_invoices"),
        {
            "ids": [each.id for each in invoices],
            "user_ids": [each.subscription.user_id for each in invoices],
            "subscription_ids": [each.subscription.id for each in invoices],
            "period_starts": [each.period.start for each in invoices],
            "period_ends": [each.period.end for each in invoices],
            "currencies": [each.subscription.currency for each in invoices],
            "totals": [each.bill.total for each in invoices],
            "taxes": [each.bill.tax for each in invoices],
            "now": now,
        },
    )
    lines = [
        (line_id, each.subscription.id, each.id, line.kind, line.amount, line.tax)
        for each in invoices
        for line_id, line in zip(each.line_ids, each.bill.lines, strict=True)
    ]
    names = ("ids", "subscription_ids", "invoice_ids", "kinds", "amounts", "taxes")
    columns = (list(column) for column in zip(*lines, strict=True))
    connection.execute(query("write_lines"), dict(zip(names, columns, strict=True)))


def add_waiting_lines(connection: Connection, subscription_id: UUID, lines: Iterable[Line], now: datetime) -> None:
    """Write lines that wait for a subscription's next invoice."""
    rows = [(uuid7(now), subscription_id, line.kind, line.amount) for line in lines]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO invoice_lines (id, subscription_id, kind, amount) VALUES (%s, %s, %s, %s)", rows
        )


def write_charges(
    connection: Connection, charges: Sequence[NewCharge], *, look_again_at: datetime, now: datetime
) -> None:
    """Write charges as intended."""
    if charges:
        connection.execute(
            query("write_intents"),
            {
                "ids": [each.id for each in charges],
                "user_ids": [each.subscription.user_id for each in charges],
                "subscription_ids": [each.subscription.id for each in charges],
                "invoice_ids": [each.invoice_id for each in charges],
                "amounts": [each.amount for each in charges],
                "currencies": [each.subscription.currency for each in charges],
                "period_starts": [each.period.start for each in charges],
                "period_ends": [each.period.end for each in charges],
                "attempts": [each.attempt for each in charges],
                "keys": [each.key for each in charges],
                "gateways": [each.subscription.gateway for each in charges],
                "look_again_at": look_again_at,
                "now": now,
            },
        )


def load_charges(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Charge]:
    """Return charges by their ids; refunds are none."""
    rows = connection.execute(query("load_charges"), {"ids": list(ids)})
    return {row[0]: Charge(row[0], row[1], row[2], Period(row[3], row[4]), row[5], row[6]) for row in rows}


def settle_invoices(connection: Connection, ids: Iterable[UUID | None], now: datetime) -> None:
    """Mark invoices paid."""
    connection.execute(query("settle_invoices"), {"ids": [each for each in ids if each], "now": now})


def save(connection: Connection, changes: Sequence[Change], *, actor: str, now: datetime) -> None:
    """Write what has become of subscriptions, with the audit entries, events and access that follow."""
    changed = [change for change in changes if change.before != change.after]
    if changed:
        connection.execute(query("save_subscriptions"), _columns([change.after for change in changed]))
    record(connection, [entry for change in changed for entry in _entries(change, actor)], now)
    publish(connection, [event for change in changes for event in change.events], now=now)
    users = {change.after.user_id for change in changed if _has_moved(change)}
    if users:
        refresh_premium(connection, users, now)


def refresh_premium(connection: Connection, user_ids: Collection[UUID] | None, now: datetime) -> list[UUID]:
    """Make `is_premium` true again for some users, or all; return those for whom it was not."""
    values = {"user_ids": None if user_ids is None else sorted(user_ids), "now": now}
    return [user_id for user_id, _ in connection.execute(query("refresh_premium"), values)]


def _has_moved(change: Change) -> bool:
    before, after = change.before, change.after
    return (before.state, before.grace_ends_at) != (after.state, after.grace_ends_at)


_TOLD: Final = (
    "state",
    "plan_id",
    "next_plan_id",
    "amount",
    "next_amount",
    "cancel_at_period_end",
    "resumes_at",
    "coupon_id",
)
"""What the audit log hears of when it changes; periods are in the charges."""


def _entries(change: Change, actor: str) -> Iterable[AuditEntry]:
    before, after = change.before, change.after
    differing = [name for name in _TOLD if getattr(before, name) != getattr(after, name)]
    if differing:
        action = f"subscription.{after.state}" if before.state != after.state else "subscription.changed"
        yield AuditEntry(
            actor,
            action,
            "subscription",
            str(after.id),
            {name: _plain(getattr(before, name)) for name in differing},
            {name: _plain(getattr(after, name)) for name in differing},
        )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _columns(rows: Sequence[Subscription]) -> dict[str, list[Any]]:
    return {
        "ids": [each.id for each in rows],
        "plan_ids": [each.plan_id for each in rows],
        "next_plan_ids": [each.next_plan_id for each in rows],
        "states": [each.state for each in rows],
        "anchors": [each.anchor_on for each in rows],
        "period_starts": [each.period.start for each in rows],
        "period_ends": [each.period.end for each in rows],
        "amounts": [each.amount for each in rows],
        "grace_ends": [each.grace_ends_at for each in rows],
        "cancels": [each.cancel_at_period_end for each in rows],
        "cancelled": [each.cancelled_at for each in rows],
        "paused": [each.paused_at for each in rows],
        "resumes": [each.resumes_at for each in rows],
        "next_attempts": [each.next_attempt_at for each in rows],
        "declines": [each.declines for each in rows],
        "coupon_periods": [each.coupon_periods for each in rows],
        "introductory": [each.introductory_periods for each in rows],
        "next_amounts": [each.next_amount for each in rows],
        "next_amounts_from": [each.next_amount_from for each in rows],
    }
