"""What a period costs, as the lines of an invoice that add up exactly: price, coupon, proration, tax. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from worker.billing.money import portion
from worker.billing.periods import Period

LineKind = Literal["plan", "introductory", "proration_credit", "proration_charge", "discount"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice.

    Attributes:
        kind: what it is for.
        amount: with tax; below 0 for credits and discounts.
        tax: the share of it that is tax.
    """

    kind: LineKind
    amount: Decimal
    tax: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Coupon:
    """What a coupon takes off the price of a period: a share, or an amount."""

    percent_off: Decimal | None = None
    amount_off: Decimal | None = None

    def discount(self, price: Decimal, currency: str) -> Decimal:
        """Return what it takes off, never more than the price."""
        if self.percent_off is not None:
            numerator, denominator = self.percent_off.as_integer_ratio()
            return min(portion(price, numerator, denominator * 100, currency), price)
        return min(self.amount_off or Decimal(0), price)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice's lines and sums: `total` is the sum of their amounts, `tax` of their taxes."""

    lines: Sequence[Line]
    total: Decimal
    tax: Decimal


def bill_period(
    *,
    price: Decimal,
    introductory_price: Decimal | None,
    coupon: Coupon | None,
    carried: Iterable[Line],
    rate: Fraction,
    currency: str,
) -> Bill:
    """Return the bill of one period.

    Args:
        price: of the period, tax included.
        introductory_price: in its place, while the introduction lasts.
        coupon: taken off the period's price alone, not off what is carried.
        carried: lines of earlier changes of plan that wait for the next bill; together not below 0.
        rate: the tax as a share of the price without it.
        currency: of all amounts.
    """
    first = Line("plan", price) if introductory_price is None else Line("introductory", introductory_price)
    lines = [first, *carried]
    if coupon is not None and (discount := coupon.discount(first.amount, currency)):
        lines.append(Line("discount", -discount))
    return _with_tax(lines, rate, currency)


def _with_tax(lines: Iterable[Line], rate: Fraction, currency: str) -> Bill:
    """Share the tax out: each line gets what the running total's tax grows by, so that the shares add up exactly."""
    total = tax = Decimal(0)
    taxed = []
    for line in lines:
        total += line.amount
        until_here = portion(total, rate.numerator, rate.denominator + rate.numerator, currency)
        taxed.append(Line(line.kind, line.amount, until_here - tax))
        tax = until_here
    return Bill(taxed, total, tax)


def prorate(old: Decimal, new: Decimal, period: Period, now: datetime, currency: str) -> tuple[Line, Line]:
    """Return what changing to a dearer plan within a period adds to the next bill: a credit and a charge.

    The unused part of the old price is given back, the same part of the new price is owed; to the second. What is kept
    of the old price and what is given back add up to it exactly.
    """
    whole = int((period.end - period.start).total_seconds())
    left = min(max(int((period.end - now).total_seconds()), 0), whole)
    return (
        Line("proration_credit", -portion(old, left, whole, currency)),
        Line("proration_charge", portion(new, left, whole, currency)),
    )
