"""What is compared and booked by whom, when: days of a range, as parameters name them, and each gateway's policy."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from worker.billing.errors import ReportError
from worker.billing.matching import Policy
from worker.billing.report_fields import JAKARTA
from worker.db.engines import Connection
from worker.db.queries import load_query
from worker.settings import Settings

PARAMETERS: Final = {
    "gateway": "one gateway, such as midtrans",
    "from": "first day of payments, as 2026-11-24",
    "to": "last day of payments",
}

_query = partial(load_query, "worker.billing")


def policy_of(settings: Settings, gateway: str) -> Policy:
    """Return what is normal with a gateway."""
    limit = settings.gateway_fee_limits.get(gateway)
    return Policy(
        late_after_days=settings.settlement_late_days,
        missing_after_days=settings.settlement_missing_days,
        fee_percent=limit.percent if limit else None,
        fee_fixed=limit.fixed if limit else Decimal(0),
    )


def days_of(parameters: Mapping[str, Any], period: datetime, *, days: int) -> tuple[date, date]:
    """Return the first and last day that parameters name; without them the days before the period's, in Jakarta.

    Raises:
        ReportError: a day can't be read, or the first comes after the last.
    """
    today = period.astimezone(JAKARTA).date()
    last = _day("to", parameters.get("to"), today - timedelta(days=1))
    first = _day("from", parameters.get("from"), last - timedelta(days=days - 1))
    if first > last:
        raise ReportError(f"from {first} comes after to {last}: give them the other way round")
    return first, last


def days_to_compare(
    connection: Connection, parameters: Mapping[str, Any], period: datetime, *, days: int
) -> Iterator[tuple[str, date]]:
    """Yield each gateway and day that has anything to compare; without parameters also older days with open breaks."""
    first, last = days_of(parameters, period, days=days)
    values = {
        "gateway": parameters.get("gateway"),
        "first": first,
        "last": last,
        "with_open": "from" not in parameters and "to" not in parameters,
    }
    yield from connection.execute(_query("days_to_compare"), values).fetchall()


def ranges_to_book(
    connection: Connection, parameters: Mapping[str, Any], period: datetime, *, days: int
) -> list[tuple[str, date, date]]:
    """Return each gateway with the first and last day that has anything to book."""
    first, last = days_of(parameters, period, days=days)
    values = {"gateway": parameters.get("gateway"), "first": first, "last": last}
    return [(gateway, begin, end) for gateway, begin, end in connection.execute(_query("days_to_book"), values)]


def _day(name: str, text: Any, default: date) -> date:
    if text is None:
        return default
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise ReportError(f"{name} {text!r} is no day: write it as 2026-11-24") from None
