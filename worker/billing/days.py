"""Comparing one day of a gateway's book with ours, and storing what differs: the same again writes nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.billing.matching import (
    ACTIONS,
    Break,
    Changes,
    Entry,
    Known,
    Pair,
    Payment,
    Policy,
    adopts_reference,
    breaks_of,
    changes,
)
from worker.billing.report_fields import JAKARTA
from worker.db.engines import Connection
from worker.db.queries import load_query

ACTOR: Final = "job:billing.reconcile"
WORK_MEM: Final = "64MB"
"""What each of PostgreSQL's processes may take for the join before it goes to disk, twice over for its hash table: with
three of them enough for a day of some 3,000,000 payments, for one alone of some 1,000,000."""

_query = partial(load_query, "worker.billing")


class Compared(msgspec.Struct, frozen=True):
    """What the comparison of a day found."""

    lines: int
    matched: int
    breaks: int
    """Open or healed at once."""
    opened: int
    reopened: int
    healed: int
    adopted: int
    """Transactions that took over a reference."""


class Differences(msgspec.Struct, frozen=True):
    """What does not simply agree between both books of a day, by id."""

    lines: list[UUID]
    transactions: list[UUID]
    """Of ours, those without a line."""


class Total(msgspec.Struct, frozen=True):
    """Both books' sums of a day, of one kind and currency."""

    gateway: str
    kind: str
    currency: str
    our_count: int = 0
    our_amount: Decimal = Decimal(0)
    their_count: int = 0
    their_amount: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """What the gateway has beyond what we have."""
        return self.their_amount - self.our_amount


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Return the first instant of a day in Jakarta and the first one after it."""
    begins_at = datetime.combine(day, time(), JAKARTA).astimezone(UTC)
    return begins_at, begins_at + timedelta(days=1)  # Jakarta knows no daylight saving


def reported_until(connection: Connection, gateway: str) -> date | None:
    """Return the newest day of settlement that a gateway's reports cover; None: it has no report yet."""
    row = connection.execute(
        "SELECT max(settled_on) FROM settlement_lines WHERE gateway = %s AND status = 'settled'", (gateway,)
    ).fetchone()
    return row[0] if row else None


def compare(connection: Connection, gateway: str, day: date, policy: Policy, now: datetime) -> Compared:
    """Compare a gateway's day with ours and store what differs, in the caller's transaction.

    Memory grows with what differs, not with what agrees.
    """
    # One comparison of a day at a time: an older look must not reopen what a newer one has seen heal.
    key = f"reconcile {gateway} {day}"
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (key,))
    until = reported_until(connection, gateway)
    found: dict[str, Break] = {}
    adopted: list[tuple[Any, str]] = []
    strangers = 0  # lines that nothing of ours explains
    lines, different = differences(connection, gateway, day, policy, until)
    for pair in pairs(connection, different):
        strangers += pair.paid is None and pair.line is not None and pair.line.status == "settled"
        for each in breaks_of(pair, gateway=gateway, policy=policy, reported_until=until or day):
            found[each.fingerprint] = each
        if pair.paid and pair.line and adopts_reference(pair):
            adopted.append((pair.paid.id, pair.line.reference or ""))
    where = {"gateway": gateway, "day": day}
    known = {
        fingerprint: Known(break_id, state)
        for fingerprint, break_id, state in connection.execute(_query("known_breaks"), where)
    }
    change = changes(found, known)
    values = {"lines": lines, "matched": lines - strangers, "breaks": len(found), "now": now}
    connection.execute(_query("save_day"), where | values)
    _save_breaks(connection, where, change, now)
    if adopted:
        ids, references = zip(*adopted, strict=True)
        connection.execute(_query("adopt_references"), {"ids": list(ids), "references": list(references)})
    if any(each.kind == "missing_here" for each in found.values()):
        connection.execute(_query("propose"), where)
    return Compared(
        lines=lines,
        matched=lines - strangers,
        breaks=len(found),
        opened=sum(not each.is_healed for each in change.new),
        reopened=len(change.reopened),
        healed=len(change.healed),
        adopted=len(adopted),
    )


def differences(
    connection: Connection, gateway: str, day: date, policy: Policy, until: date | None
) -> tuple[int, Differences]:
    """Return how many movements a gateway settled of a day's payments, and what does not simply agree of them."""
    begins_at, ends_at = bounds_of(day)
    values = {
        "gateway": gateway,
        "day": day,
        "begins_at": begins_at,
        "ends_at": ends_at,
        "is_due": until is not None and (until - day).days > policy.late_after_days,
        "late_after_days": policy.late_after_days,
        "fee_rate": None if policy.fee_percent is None else policy.fee_percent / 100,
        "fee_fixed": policy.fee_fixed,
    }
    # Compiling the statement costs more than it saves.
    connection.execute("SET LOCAL jit = off")
    connection.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
    with connection.cursor(binary=True) as cursor:
        row = cursor.execute(_query("compare_day"), values).fetchone()
    assert row is not None
    settled, lines, transactions = row
    return settled, Differences(lines or [], transactions or [])


def pairs(connection: Connection, different: Differences) -> Iterator[Pair]:
    """Yield both sides of what does not simply agree, as it comes from the database."""
    values = {"lines": different.lines, "transactions": different.transactions}
    connection.execute("SET LOCAL jit = off")  # nearly all of the statement never runs
    with connection.cursor(binary=True) as cursor:
        for row in cursor.stream(_query("look_up_pairs"), values, size=1_000):
            yield _pair(row)


def _pair(row: tuple[Any, ...]) -> Pair:
    (
        line_id, kind, reference, order_id, amount, fee, currency, status, standing, occurred_on, settled_on,
        paid_id, state, our_amount, our_fee, our_currency, our_reference, key, concluded_on, found_by, charge_id,
        is_second, is_paid_otherwise,
    ) = row  # fmt: skip
    line = None
    if line_id is not None:
        line = Entry(
            id=line_id,
            reference=reference,
            order_id=order_id,
            amount=amount,
            fee=fee,
            currency=currency,
            status=status,
            standing=standing,
            occurred_on=occurred_on,
            settled_on=settled_on,
        )
    paid = None
    if paid_id is not None:
        paid = Payment(
            id=paid_id,
            state=state,
            amount=our_amount,
            fee=our_fee,
            currency=our_currency,
            reference=our_reference,
            key=key,
            concluded_on=concluded_on,
        )
    return Pair(
        kind=kind,
        line=line,
        paid=paid,
        found_by=found_by,
        charge_id=charge_id,
        is_second=bool(is_second),
        is_paid_otherwise=bool(is_paid_otherwise),
    )


def totals(connection: Connection, gateway: str, day: date) -> list[Total]:
    """Return both books' sums of a day by kind and currency."""
    begins_at, ends_at = bounds_of(day)
    found: dict[tuple[str, str], Total] = {}
    for kind, currency, number, amount, fees in connection.execute(
        _query("line_totals"), {"gateway": gateway, "day": day}
    ):
        found[kind, currency] = Total(gateway, kind, currency, their_count=number, their_amount=amount, fees=fees)
    for kind, currency, number, amount in connection.execute(
        _query("payment_totals"), {"gateway": gateway, "begins_at": begins_at, "ends_at": ends_at}
    ):
        theirs = found.get((kind, currency), Total(gateway, kind, currency))
        found[kind, currency] = msgspec.structs.replace(theirs, our_count=number, our_amount=amount)
    return [found[key] for key in sorted(found)]


def _save_breaks(connection: Connection, where: dict[str, Any], change: Changes, now: datetime) -> None:
    values = {"actor": ACTOR, "now": now}
    if change.new:
        new = change.new

        def each(of: Callable[[Break], Any]) -> list[Any]:
            return [of(one) for one in new]

        connection.execute(
            _query("add_breaks"),
            {
                **where,
                **values,
                "fingerprints": each(lambda one: one.fingerprint),
                "kinds": each(lambda one: one.kind),
                "healed": each(lambda one: one.is_healed),
                "transactions": each(lambda one: one.transaction_id),
                "lines": each(lambda one: one.line_id),
                "references": each(lambda one: one.gateway_reference),
                "orders": each(lambda one: one.order_id),
                "currencies": each(lambda one: one.currency),
                "ours": each(lambda one: one.our_amount),
                "theirs": each(lambda one: one.gateway_amount),
                "details": each(lambda one: msgspec.json.encode(one.details).decode()),
                "actions": each(lambda one: "" if one.is_healed else ACTIONS[one.kind]),
            },
        )
    if change.healed:
        connection.execute(_query("close_breaks"), {"ids": change.healed, **values})
    if change.reopened:
        connection.execute(_query("reopen_breaks"), {"ids": change.reopened, "now": now})
