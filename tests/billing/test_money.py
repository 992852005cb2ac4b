from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.billing.errors import MoneyError
from worker.billing.money import (
    LARGEST,
    exponent,
    formatted,
    from_minor,
    is_exact,
    portion,
    quantise,
    rupiah,
    split,
    to_minor,
)

CURRENCIES = st.sampled_from(["IDR", "USD", "JPY", "EUR"])
UNITS = st.integers(-(10**11), 10**11)


def test_rupiah_have_no_decimals_and_dollars_two() -> None:
    assert (exponent("IDR"), exponent("USD")) == (0, 2)


def test_unknown_currency_is_refused_by_name() -> None:
    with pytest.raises(MoneyError, match="'XXX'"):
        exponent("XXX")


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.5", "IDR", "1"),
        ("-0.5", "IDR", "-1"),
        ("1.005", "USD", "1.01"),
        ("1.004", "USD", "1.00"),
        ("-0.001", "USD", "0.00"),
        (str(LARGEST), "USD", str(LARGEST)),
    ],
)
def test_half_a_unit_is_rounded_away_from_zero(amount: str, currency: str, expected: str) -> None:
    assert str(quantise(Decimal(amount), currency)) == expected


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-sNaN", "1e12", "1e999999"])
def test_amount_that_no_column_holds_is_refused(amount: str) -> None:
    with pytest.raises(MoneyError):
        quantise(Decimal(amount), "USD")


@pytest.mark.parametrize(("amount", "currency", "expected"), [("1.5", "IDR", False), ("1.50", "USD", True)])
def test_amount_with_more_decimals_than_its_currency_is_not_exact(amount: str, currency: str, expected: bool) -> None:
    assert is_exact(Decimal(amount), currency) is expected


@given(minor=UNITS, currency=CURRENCIES)
def test_minor_units_come_back_as_they_were(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


def test_fraction_of_a_minor_unit_is_refused() -> None:
    with pytest.raises(MoneyError, match="decimals"):
        to_minor(Decimal("0.5"), "IDR")


@given(
    minor=UNITS,
    weights=st.lists(st.integers(0, 10**9) | st.decimals("0", "1000", places=4), min_size=1, max_size=20),
    currency=CURRENCIES,
)
def test_shares_add_up_and_are_less_than_a_unit_off(minor: int, weights: list[Decimal | int], currency: str) -> None:
    if not any(weights):
        weights[0] = 1
    amount = from_minor(minor, currency)
    shares = split(amount, weights, currency)
    assert sum(shares) == amount
    total = sum(Decimal(weight) for weight in weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(to_minor(share, currency) - minor * Decimal(weight) / total) < 1
        assert weight or not share


def test_what_is_left_goes_to_the_largest_remainders() -> None:
    assert split(Decimal(100), [1, 1, 1], "IDR") == [34, 33, 33]
    assert split(Decimal(10), [Decimal("0.1"), 8, Decimal("1.9")], "IDR") == [0, 8, 2]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_weights_without_a_sense_are_refused(weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        split(Decimal(10), weights, "IDR")


@given(minor=UNITS, numerator=st.integers(0, 10**7), denominator=st.integers(1, 10**7), currency=CURRENCIES)
def test_portion_is_within_half_a_unit(minor: int, numerator: int, denominator: int, currency: str) -> None:
    numerator %= denominator + 1
    found = to_minor(portion(from_minor(minor, currency), numerator, denominator, currency), currency)
    assert abs(found * denominator - minor * numerator) * 2 <= denominator


def test_amounts_are_written_as_indonesians_read_them() -> None:
    assert rupiah(Decimal(1_250_000)) == "Rp\N{NO-BREAK SPACE}1.250.000"
    assert rupiah(Decimal(-500)) == "−Rp\N{NO-BREAK SPACE}500"
    assert formatted(Decimal("-1234.5"), "USD") == "−USD\N{NO-BREAK SPACE}1.234,50"
