"""Exact amounts: decimals of each currency, minor units, shares that add up. Decimal alone, never float.

Decimals are ISO 4217's, but for IDR: ISO knows the sen, which nobody has used for decades, and every Indonesian gateway
takes whole rupiah (so does the schema's `ck_…_amount_decimals`).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from typing import Final

from worker.billing.errors import MoneyError

LARGEST: Final = Decimal("999999999999.99")
"""What the columns hold: numeric(14, 2)."""

_DECIMALS: Final = {
    "IDR": 0,
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "AUD": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "MYR": 2,
    "PHP": 2,
    "SGD": 2,
    "THB": 2,
    "USD": 2,
}
_EXACT: Final = Context(prec=60)


def exponent(currency: str) -> int:
    """Return how many decimals a currency has: IDR 0, USD 2.

    Raises:
        MoneyError: the currency is unknown here. A guess would make an amount a hundred times too large.
    """
    try:
        return _DECIMALS[currency]
    except KeyError:
        known = ", ".join(sorted(_DECIMALS))
        raise MoneyError(f"unknown currency {currency!r}: known are {known} (worker/billing/money.py)") from None


def quantise(amount: Decimal, currency: str, *, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return an amount with exactly the decimals of its currency, half a unit rounded away from zero.

    Raises:
        MoneyError: the currency is unknown, or the amount is no finite number or larger than the columns hold.
    """
    decimals = exponent(currency)
    if not amount.is_finite():
        raise MoneyError(f"{amount} is no amount of {currency}")
    with localcontext(_EXACT):
        try:
            found = amount.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
        except DecimalException:
            raise MoneyError(f"{amount:.6E} {currency} is more than {LARGEST}") from None
    if abs(found) > LARGEST:
        raise MoneyError(f"{amount:.6E} {currency} is more than {LARGEST}")
    return found + 0  # -0 becomes 0


def is_exact(amount: Decimal, currency: str) -> bool:
    """Return whether an amount needs no more decimals than its currency has.

    Raises:
        MoneyError: as `quantise`.
    """
    return quantise(amount, currency) == amount


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units, as Stripe takes it: 12.34 USD is 1234, 50,000 IDR is 50000.

    Raises:
        MoneyError: it is not a whole number of them; nothing is rounded silently. Or as `quantise`.
    """
    if not is_exact(amount, currency):
        raise MoneyError(f"{amount} {currency} has more than {exponent(currency)} decimals")
    return int(amount.scaleb(exponent(currency), context=_EXACT))


def from_minor(minor: int, currency: str) -> Decimal:
    """Return the amount of so many minor units: 1234 of USD is 12.34.

    Raises:
        MoneyError: as `quantise`.
    """
    return quantise(Decimal(minor).scaleb(-exponent(currency), context=_EXACT), currency)


def split(amount: Decimal, weights: Sequence[Decimal | int], currency: str) -> list[Decimal]:
    """Return shares of an amount in proportion to the weights, in whole minor units, that add up to it exactly.

    Each share is rounded down, and what is left goes a unit at a time to the largest remainders (Hamilton's method),
    the earlier of equal ones first. So no share is a unit or more off, and a weight of 0 gets nothing.

    Raises:
        MoneyError: the amount has too many decimals, a weight is negative, or none is above 0.
    """
    if any(weight < 0 for weight in weights) or not any(weights):
        raise MoneyError("shares need weights of 0 or more, at least one of them above 0")
    sign = -1 if amount < 0 else 1
    units = abs(to_minor(amount, currency))
    parts = [Decimal(weight).as_integer_ratio() for weight in weights]
    common = 1
    for _, denominator in parts:
        common *= denominator
    whole = [numerator * (common // denominator) for numerator, denominator in parts]
    total = sum(whole)
    shares = [units * weight // total for weight in whole]
    by_remainder = sorted(range(len(whole)), key=lambda index: (-(units * whole[index] % total), index))
    for index in by_remainder[: units - sum(shares)]:
        shares[index] += 1
    return [from_minor(sign * share, currency) for share in shares]


def portion(amount: Decimal, numerator: int, denominator: int, currency: str) -> Decimal:
    """Return `numerator/denominator` of an amount to the minor unit: unused seconds of a period, a tax of 11/100.

    `amount - portion(…)` is the rest, so that the two always add up.

    Raises:
        MoneyError: the denominator is not above 0, or as `quantise`.
    """
    if denominator <= 0:
        raise MoneyError("a portion's denominator must be above 0")
    with localcontext(_EXACT):
        return quantise(amount * numerator / denominator, currency)


def rupiah(amount: Decimal) -> str:
    """Return an amount of IDR as Indonesians write it: Rp 1.250.000, −Rp 500."""
    sign = "−" if amount < 0 else ""
    return f"{sign}Rp\N{NO-BREAK SPACE}{abs(quantise(amount, 'IDR')):,}".replace(",", ".")


def formatted(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency for readers in Indonesia: Rp 1.250.000, USD 12,34."""
    if currency == "IDR":
        return rupiah(amount)
    sign = "−" if amount < 0 else ""
    text = f"{abs(quantise(amount, currency)):,}".translate(str.maketrans(",.", ".,"))
    return f"{sign}{currency}\N{NO-BREAK SPACE}{text}"
