"""Indonesia's value added tax (PPN) by date. Pure.

Rates: 10 % (UU 42/2009); 11 % from 1 April 2022 (UU 7/2021 art. 7); since 1 January 2025 the rate is 12 %, on 11/12 of
the price for all but luxury goods (PMK 131/2024), which is 11 % of the price. Prices include it. It is due on what is
sold in rupiah; what is sold in another currency is sold abroad, without it.
"""

from datetime import date
from fractions import Fraction
from typing import Final

_PPN: Final = (
    (date(2025, 1, 1), Fraction(12, 100) * Fraction(11, 12)),
    (date(2022, 4, 1), Fraction(11, 100)),
    (date(2010, 4, 1), Fraction(10, 100)),
)


def tax_rate(currency: str, day: date) -> Fraction:
    """Return the tax as a share of the price without it: 11/100; 0 outside of Indonesia and before 2010."""
    if currency != "IDR":
        return Fraction(0)
    return next((rate for since, rate in _PPN if since <= day), Fraction(0))
