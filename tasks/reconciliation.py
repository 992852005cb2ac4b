"""Reconciliation: fetching gateways' reports, comparing both books by day, asking about what differs, booking."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Final

import msgspec

from worker import clock
from worker.billing import break_lookups
from worker.billing.days import compare
from worker.billing.gateways.configured import guard_of, guards
from worker.billing.imports import import_lines
from worker.billing.ledger import book
from worker.billing.schedule import PARAMETERS, days_of, days_to_compare, policy_of, ranges_to_book
from worker.db.queries import load_query
from worker.jobs import Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.secrets import Cipher
from worker.settings import get_settings

_log = get_logger(__name__)

FETCHED_DAYS: Final = 4
"""Reports are asked for so many days back: gateways add to them for a while."""
FILES_ALONE: Final = frozenset({"midtrans"})
"""Gateways whose reports come as files: `elp billing import`."""
BOOKED_DAYS: Final = 70
"""Days that are booked anew each night: twice those that are compared."""
TURN_S: Final = 280.0
"""Seconds after which a run asks about no further break: the next one goes on."""

_nightly = partial(job, timezone="Asia/Jakarta", queue="billing", time_limit_s=1_800, parameters=PARAMETERS)


def plan_fetching(planning: Planning) -> Iterator[Bounds]:
    """Yield each day of each gateway that gives its reports over HTTP."""
    first, last = days_of(planning.parameters, planning.period, days=FETCHED_DAYS)
    for gateway in guards().keys() - FILES_ALONE:
        if planning.parameters.get("gateway", gateway) == gateway:
            for number in range((last - first).days + 1):
                yield {"gateway": gateway, "day": str(first + timedelta(days=number))}


@_nightly("billing.fetch_settlements", schedule="0 5 * * *", planner=plan_fetching)
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


@_nightly("billing.reconcile", schedule="30 5 * * *", planner=plan_comparing)
def reconcile(shard: Shard) -> int:
    """Compare a day of a gateway's book with ours: open what differs, close what agrees by now."""
    gateway, day = shard.bounds["gateway"], date.fromisoformat(shard.bounds["day"])
    found = compare(shard.connection, gateway, day, policy_of(get_settings(), gateway), clock.now())
    if found.opened or found.reopened or found.healed:
        told = msgspec.to_builtins(found)
        _log.info("payments_compared", gateway=gateway, day=str(day), **told)
        shard.show({"gateway": gateway, "day": str(day), **told})
    return found.breaks


def plan_asking(planning: Planning) -> Iterator[Bounds]:
    """Yield each gateway that is to be asked about its breaks."""
    for gateway in guards():
        values = {"gateway": gateway, "now": planning.period}
        row = planning.connection.execute(load_query("worker.billing", "is_any_break_to_ask"), values).fetchone()
        if row is not None and row[0]:
            yield {"gateway": gateway}


@job("billing.ask_about_breaks", schedule="10 * * * *", queue="billing", planner=plan_asking, parameters={})
def ask_about_breaks(shard: Shard) -> int:
    """Ask a gateway about payments whose breaks its report caused; what it says was paid is concluded."""
    if shard.is_dry_run:
        return 0
    gateway, settings, stop_at = shard.bounds["gateway"], get_settings(), time.monotonic() + TURN_S
    return break_lookups.ask_about_breaks(
        guard_of(gateway),
        Cipher.from_settings(settings),
        policy_of(settings, gateway),
        concurrency=settings.billing_concurrency,
        go_on=lambda: time.monotonic() < stop_at,
        actor="job:billing.ask_about_breaks",
    )


def plan_booking(planning: Planning) -> Iterator[Bounds]:
    """Yield each gateway that has anything to book."""
    ranges = ranges_to_book(planning.connection, planning.parameters, planning.period, days=BOOKED_DAYS)
    for gateway, first, last in ranges:
        yield {"gateway": gateway, "first": str(first), "last": str(last)}


@_nightly("billing.book_ledger", schedule="0 6 * * *", planner=plan_booking)
def book_ledger(shard: Shard) -> int:
    """Book a gateway's days in double entry; days booked before get what changed since."""
    first, last = (date.fromisoformat(shard.bounds[name]) for name in ("first", "last"))
    return book(shard.connection, shard.bounds["gateway"], first, last, clock.now())
