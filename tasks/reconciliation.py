"""Reconciliation: fetching gateways' reports, comparing both books day by day, booking the ledger."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import msgspec

from worker import clock
from worker.billing.days import compare
from worker.billing.gateways.configured import guard_of, guards
from worker.billing.imports import import_lines
from worker.billing.ledger import book
from worker.billing.schedule import PARAMETERS, days_of, days_to_compare, policy_of, ranges_to_book
from worker.jobs import Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.settings import get_settings

_log = get_logger(__name__)

FETCHED_DAYS: Final = 4
"""Reports are asked for so many days back: gateways add to them for a while."""
FILES_ALONE: Final = frozenset({"midtrans"})
"""Gateways whose reports come as files: `elp billing import`."""
BOOKED_DAYS: Final = 70
"""Days that are booked anew each night: twice those that are compared."""


def plan_fetching(planning: Planning) -> Iterator[Bounds]:
    """Yield each day of each gateway that gives its reports over HTTP."""
    first, last = days_of(planning.parameters, planning.period, days=FETCHED_DAYS)
    for gateway in guards().keys() - FILES_ALONE:
        if planning.parameters.get("gateway", gateway) == gateway:
            for number in range((last - first).days + 1):
                yield {"gateway": gateway, "day": str(first + timedelta(days=number))}


@job(
    "billing.fetch_settlements",
    schedule="0 5 * * *",
    timezone="Asia/Jakarta",
    queue="billing",
    planner=plan_fetching,
    time_limit_s=1_800,
    parameters=PARAMETERS,
)
def fetch_settlements(shard: Shard) -> int:
    """Fetch a gateway's settlement report of a day; lines that are there already are not added again."""
    gateway, day = shard.bounds["gateway"], date.fromisoformat(shard.bounds["day"])
    lines = guard_of(gateway).gateway.list_settlements(day)
    found = import_lines(
        shard.connection, lines, source="api", name=str(day), actor="job:billing.fetch_settlements", now=clock.now()
    )
    return found.added if found else 0


def plan_comparing(planning: Planning) -> Iterator[Bounds]:
    """Yield each gateway and day that has anything to compare."""
    days = days_to_compare(
        planning.connection, planning.parameters, planning.period, days=get_settings().reconcile_days
    )
    for gateway, day in days:
        yield {"gateway": gateway, "day": str(day)}


@job(
    "billing.reconcile",
    schedule="30 5 * * *",
    timezone="Asia/Jakarta",
    queue="billing",
    planner=plan_comparing,
    time_limit_s=1_800,
    parameters=PARAMETERS,
)
def reconcile(shard: Shard) -> int:
    """Compare a day of a gateway's book with ours: open what differs, close what agrees by now."""
    gateway, day = shard.bounds["gateway"], date.fromisoformat(shard.bounds["day"])
    found = compare(shard.connection, gateway, day, policy_of(get_settings(), gateway), clock.now())
    if found.opened or found.reopened or found.healed:
        told = msgspec.to_builtins(found)
        _log.info("payments_compared", gateway=gateway, day=str(day), **told)
        shard.show({"gateway": gateway, "day": str(day), **told})
    return found.breaks


def plan_booking(planning: Planning) -> Iterator[Bounds]:
    """Yield each gateway that has anything to book."""
    ranges = ranges_to_book(planning.connection, planning.parameters, planning.period, days=BOOKED_DAYS)
    for gateway, first, last in ranges:
        yield {"gateway": gateway, "first": str(first), "last": str(last)}


@job(
    "billing.book_ledger",
    schedule="0 6 * * *",
    timezone="Asia/Jakarta",
    queue="billing",
    planner=plan_booking,
    time_limit_s=1_800,
    parameters=PARAMETERS,
)
def book_ledger(shard: Shard) -> int:
    """Book a gateway's days in double entry; days booked before get what changed since."""
    first, last = (date.fromisoformat(shard.bounds[name]) for name in ("first", "last"))
    return book(shard.connection, shard.bounds["gateway"], first, last, clock.now())
