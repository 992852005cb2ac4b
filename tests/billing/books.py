"""Payments of ours and lines of a gateway that agree, or disagree in one known way each."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import Connection

from tests.factories import make_user
from tests.factories_operations import make_plan, make_subscription, make_transaction
from worker.billing.imports import Imported, import_lines
from worker.billing.matching import Policy
from worker.billing.settlement import SettlementLine

GATEWAY = "midtrans"
DAY = date(2026, 3, 10)
PAID_AT = datetime(2026, 3, 10, 5, tzinfo=UTC)
"""Noon in Jakarta."""
NOW = datetime(2026, 3, 25, 23, tzinfo=UTC)
POLICY = Policy(late_after_days=3, missing_after_days=7, fee_percent=Decimal(3), fee_fixed=Decimal(3_000))


def settled(**changed: Any) -> SettlementLine:
    """A settled charge of the day; `reference` and `order_id` have to be given."""
    values: dict[str, Any] = {
        "gateway": GATEWAY,
        "gateway_reference": None,
        "order_id": None,
        "kind": "charge",
        "amount": Decimal(99_000),
        "fee": Decimal(2_500),
        "currency": "IDR",
        "occurred_at": PAID_AT,
        "settled_on": DAY + timedelta(days=1),
    }
    return SettlementLine(**values | changed)


def take_in(connection: Connection, lines: list[SettlementLine], name: str = "report") -> Imported | None:
    return import_lines(connection, lines, source="api", name=name, actor="test", now=NOW)


@dataclass
class Books:
    """Both books, and the breaks that must be found: (kind, state, name of the case)."""

    connection: Connection
    lines: list[SettlementLine] = field(default_factory=list)
    expected: set[tuple[str, str, str]] = field(default_factory=set)
    user_id: UUID | None = None
    plan_id: UUID | None = None

    def subscription(self) -> UUID:
        self.user_id = self.user_id or make_user(self.connection)
        self.plan_id = self.plan_id or make_plan(self.connection)
        return make_subscription(self.connection, user_id=self.user_id, plan_id=self.plan_id)

    def pay(self, name: str, **changed: Any) -> UUID:
        """Make a charge that succeeded at noon, with the reference `r-NAME` and the order's id `NAME`."""
        values: dict[str, Any] = {
            "state": "succeeded",
            "concluded_at": PAID_AT,
            "requested_at": PAID_AT,
            "gateway": GATEWAY,
            "gateway_reference": f"r-{name}",
            "idempotency_key": name,
        }
        values |= changed
        if values["state"] not in {"succeeded", "declined", "cancelled"}:
            values["concluded_at"] = None
        subscription = values.pop("subscription_id", None) or self.subscription()
        return make_transaction(self.connection, user_id=self.user_id, subscription_id=subscription, **values)

    def take_back(self, name: str, charge: UUID, kind: str = "refund", **changed: Any) -> UUID:
        """Make a refund or chargeback of a charge."""
        return self.pay(name, kind=kind, parent_id=charge, **changed)

    def settle(self, name: str, **changed: Any) -> None:
        self.lines.append(settled(**{"gateway_reference": f"r-{name}", "order_id": name} | changed))

    def expect(self, kind: str, name: str, state: str = "open") -> None:
        self.expected.add((kind, state, name))


def found_breaks(connection: Connection, day: date | None = DAY) -> set[tuple[str, str, str]]:
    rows = connection.execute(
        "SELECT kind, state, coalesce(order_id, gateway_reference) FROM reconciliation_breaks"
        " WHERE gateway = %s AND (%s::date IS NULL OR paid_on = %s::date)",
        (GATEWAY, day, day),
    ).fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


# Each case: a way in which both books agree or disagree about one payment.


def agrees(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name)


def agrees_by_order_alone(books: Books, name: str) -> None:
    books.pay(name, gateway_reference=None)
    books.settle(name)


def agrees_under_another_reference(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, gateway_reference=f"other-{name}")


def agrees_across_midnight(books: Books, name: str) -> None:
    books.pay(name, concluded_at=PAID_AT + timedelta(hours=13))  # the 11th in Jakarta
    books.settle(name)


def declined_on_both_sides(books: Books, name: str) -> None:
    books.pay(name, state="declined")
    books.settle(name, status="failed")


def pending_on_both_sides(books: Books, name: str) -> None:
    books.pay(name, state="pending")
    books.settle(name, status="pending")


def settled_after_pending(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, status="pending", settled_on=DAY)
    books.settle(name)


def never_settled(books: Books, name: str) -> None:
    books.pay(name)
    books.expect("missing_at_gateway", name)


def still_pending_there(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, status="pending", settled_on=DAY)
    books.expect("missing_at_gateway", name)


def unknown_here(books: Books, name: str) -> None:
    books.settle(name)
    books.expect("missing_here", name)


def failed_and_unknown_here(books: Books, name: str) -> None:
    books.settle(name, status="failed")


def another_amount(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, amount=Decimal(90_000))
    books.expect("amount", name)


def another_currency(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, currency="USD", amount=Decimal("99.00"), fee=Decimal("2.50"))
    books.expect("currency", name)


def another_amount_by_order(books: Books, name: str) -> None:
    books.pay(name, gateway_reference=None)
    books.settle(name, amount=Decimal(98_999))
    books.expect("amount", name)


def settled_but_unknown(books: Books, name: str) -> None:
    books.pay(name, state="unknown")
    books.settle(name)
    books.expect("status", name)


def settled_but_declined(books: Books, name: str) -> None:
    books.pay(name, state="declined")
    books.settle(name)
    books.expect("status", name)


def failed_but_succeeded(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, status="failed")
    books.expect("status", name)


def two_payments_of_one_order(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name)
    books.settle(name, gateway_reference=f"second-{name}")
    books.expect("duplicate_charge", name)


def settled_twice(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name)
    books.settle(name, settled_on=DAY + timedelta(days=2))
    books.expect("duplicate_charge", name)


def two_attempts_paid(books: Books, name: str) -> None:
    subscription = books.subscription()
    books.pay(name, state="declined", subscription_id=subscription)
    books.pay(f"{name}-again", subscription_id=subscription, attempt=2)
    books.settle(name)
    books.settle(f"{name}-again")
    books.expect("duplicate_charge", name)


def too_high_a_fee(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, fee=Decimal(5_971))  # 3 % + 3,000 are 5,970
    books.expect("fee", name)


def highest_fee_allowed(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, fee=Decimal(5_970))


def another_fee_than_told(books: Books, name: str) -> None:
    books.pay(name, fee=Decimal(2_000))
    books.settle(name)
    books.expect("fee", name)


def settled_late(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name, settled_on=DAY + timedelta(days=4))
    books.expect("late_settlement", name, "healed")


def refunded(books: Books, name: str) -> None:
    charge = books.pay(name)
    books.settle(name)
    books.take_back(f"{name}-back", charge)
    books.settle(f"{name}-back", kind="refund")


def refunded_under_the_charges_order(books: Books, name: str) -> None:
    charge = books.pay(name)
    books.settle(name)
    for part in range(2):
        books.take_back(f"{name}-back-{part}", charge, amount=Decimal(10_000))
        books.settle(
            name,
            kind="refund",
            gateway_reference=None,
            amount=Decimal(10_000),
            occurred_at=PAID_AT + timedelta(minutes=part),
        )


def refunded_once_more_there(books: Books, name: str) -> None:
    refunded_under_the_charges_order(books, name)
    books.settle(
        name,
        kind="refund",
        gateway_reference=None,
        amount=Decimal(10_000),
        occurred_at=PAID_AT + timedelta(minutes=5),
    )
    books.expect("unknown_refund", name)


def refunded_here_alone(books: Books, name: str) -> None:
    charge = books.pay(name)
    books.settle(name)
    books.take_back(f"{name}-back", charge)
    books.expect("missing_at_gateway", f"{name}-back")


def refund_unknown_here(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name)
    books.settle(f"{name}-back", kind="refund")
    books.expect("unknown_refund", f"{name}-back")


def disputed(books: Books, name: str) -> None:
    books.pay(name)
    books.settle(name)
    books.settle(name, kind="chargeback")
    books.expect("unknown_chargeback", name)


CASES = (
    agrees,
    agrees_by_order_alone,
    agrees_under_another_reference,
    agrees_across_midnight,
    declined_on_both_sides,
    pending_on_both_sides,
    settled_after_pending,
    never_settled,
    still_pending_there,
    unknown_here,
    failed_and_unknown_here,
    another_amount,
    another_currency,
    another_amount_by_order,
    settled_but_unknown,
    settled_but_declined,
    failed_but_succeeded,
    two_payments_of_one_order,
    settled_twice,
    two_attempts_paid,
    too_high_a_fee,
    highest_fee_allowed,
    another_fee_than_told,
    settled_late,
    refunded,
    refunded_under_the_charges_order,
    refunded_once_more_there,
    refunded_here_alone,
    refund_unknown_here,
    disputed,
)
