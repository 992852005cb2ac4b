"""How reports write amounts, days, instants and names of columns: read strictly, refused with the remedy."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from worker.billing.errors import MoneyError
from worker.billing.money import exponent, is_exact

JAKARTA: Final = ZoneInfo("Asia/Jakarta")
"""Indonesian gateways write local time without saying so."""

_PLAIN: Final = re.compile(r"-?\d{1,13}(\.\d{1,2})?")
_GROUPED: Final = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d{1,2})?")
_FORMATS: Final = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d %b %Y, %H:%M:%S", "%d %b %Y, %H:%M")
_DAY_FORMATS: Final = ("%d/%m/%Y", "%d-%m-%Y", "%d %b %Y")
_LONGEST: Final = 200


class FieldError(ValueError):
    """A field that can't be read: which, and what to do.

    Attributes:
        field: the column as the file's header writes it.
        problem: what is wrong and the remedy.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def plain_name(header: str) -> str:
    """Return a column's name as columns are looked up: `Order ID` and `order_id` are one."""
    return " ".join(re.findall(r"[a-z0-9]+", header.lower()))


def amount_of(field: str, text: str, currency: str) -> Decimal:
    """Return an amount without its sign; `1250000`, `1,250,000.00` and `-500` are read, `1.250.000` and `5E+04` not."""
    if not (_PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)):
        raise FieldError(
            field, f"{text!r} is no amount: write it as 1250000 or 1250000.00, without Rp, dots between thousands or E+"
        )
    amount = abs(Decimal(text.replace(",", "")))
    try:
        if not is_exact(amount, currency):
            raise FieldError(field, f"{text!r} has more than the {exponent(currency)} decimals of {currency}")
    except MoneyError as error:
        raise FieldError(field, str(error)) from None
    return amount


def currency_of(field: str, text: str) -> str:
    """Return a currency that is known here."""
    try:
        exponent(text.upper())
    except MoneyError as error:
        raise FieldError(field, str(error)) from None
    return text.upper()


def instant_of(field: str, text: str) -> datetime:
    """Return an aware instant; one without an offset is meant in Jakarta."""
    found = _instant(text)
    if found is None:
        raise FieldError(field, f"{text!r} is no date and time: write it as 2026-11-24 19:30:05 or with +07:00")
    return found.replace(tzinfo=JAKARTA) if found.tzinfo is None else found


def day_of(field: str, text: str) -> date:
    """Return a day: that in Jakarta if a time stands with it."""
    for form in _DAY_FORMATS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    found = _instant(text)
    if found is None:
        raise FieldError(field, f"{text!r} is no date: write it as 2026-11-24")
    return found.date() if found.tzinfo is None else found.astimezone(JAKARTA).date()


def reference_of(field: str, text: str) -> str | None:
    """Return a reference, None where the field is empty."""
    if not text or text == "-":
        return None
    if len(text) > _LONGEST:
        raise FieldError(field, f"is longer than {_LONGEST} characters")
    if "\0" in text or re.fullmatch(r"\d+(\.\d+)?E\+\d+", text):
        raise FieldError(field, f"{text!r} was mangled by a spreadsheet: take the file as the gateway made it")
    return text


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  the caller knows the zone
        except ValueError:
            continue
    return None
