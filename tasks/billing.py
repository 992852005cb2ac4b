"""Billing: charging what is due, resolving what is unknown, ending what is over, and keeping access true."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID
from zlib import crc32

from worker import clock
from worker.app import task
from worker.audit import AuditEntry, record
from worker.billing import store
from worker.billing.charging import renew
from worker.billing.endings import end_what_is_over, is_anything_over
from worker.billing.gateways.configured import guard_of, guards
from worker.billing.notifications import process
from worker.billing.resolving import resolve
from worker.billing.trials import announce_trial_ends, trials_to_announce
from worker.db import Connection
from worker.jobs import Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.secrets import Cipher
from worker.settings import get_settings

_log = get_logger(__name__)

TURN_S: Final = 280.0
"""Seconds after which a run claims no more: the next one goes on."""
_LOCK_CLASS: Final = 0x454C500B
"""Class of the advisory locks of who charges, and who resolves, at a gateway: its limits are kept by one process."""
_LOGGED: Final = 10


def _gateways_with(connection: Connection, query: str, now: datetime) -> Iterator[Bounds]:
    for gateway in guards():
        row = connection.execute(store.query(query), {"gateway": gateway, "now": now}).fetchone()
        if row is not None and row[0]:
            yield {"gateway": gateway}


def _is_ours(shard: Shard, work: str) -> bool:
    """Return whether this shard alone works at its gateway; an earlier run that is still at work goes on instead."""
    key = crc32(f"{work} {shard.bounds['gateway']}".encode()) - (1 << 31)
    row = shard.connection.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (_LOCK_CLASS, key)).fetchone()
    return row is not None and bool(row[0])


def plan_renewal(planning: Planning) -> Iterator[Bounds]:
    """Yield a shard for each gateway with subscriptions that are due: one that is ill holds up its own alone."""
    yield from _gateways_with(planning.connection, "is_any_due", planning.period)


@job("billing.renew", schedule="*/5 * * * *", queue="billing", planner=plan_renewal, time_limit_s=600, parameters={})
def renew_subscriptions(shard: Shard) -> int:
    """Charge the subscriptions of a gateway that are due."""
    gateway = shard.bounds["gateway"]
    if shard.is_dry_run:
        rows = shard.connection.execute(store.query("due"), {"gateway": gateway, "now": shard.period}).fetchall()
        for subscription_id, state, amount, currency in rows:
            shard.show({"subscription_id": str(subscription_id), "state": state, "price": f"{amount} {currency}"})
        return len(rows)
    if not _is_ours(shard, "renew"):
        return 0
    settings, stop_at = get_settings(), time.monotonic() + TURN_S
    charged = renew(
        guard_of(gateway),
        Cipher.from_settings(settings),
        concurrency=settings.billing_concurrency,
        go_on=lambda: time.monotonic() < stop_at,
        actor="job:billing.renew",
    )
    _log.info("subscriptions_charged", gateway=gateway, charges=charged)
    return charged


def plan_resolving(planning: Planning) -> Iterator[Bounds]:
    """Yield a shard for each gateway with payments that are to be looked at."""
    yield from _gateways_with(planning.connection, "is_any_unresolved", planning.period)


@job(
    "billing.resolve_unknown",
    schedule="*/5 * * * *",
    queue="billing",
    planner=plan_resolving,
    time_limit_s=600,
    parameters={},
)
def resolve_unknown(shard: Shard) -> int:
    """Ask a gateway what became of the payments whose outcome is not known."""
    if shard.is_dry_run or not _is_ours(shard, "resolve"):
        return 0
    settings, stop_at = get_settings(), time.monotonic() + TURN_S
    return resolve(
        guard_of(shard.bounds["gateway"]),
        Cipher.from_settings(settings),
        concurrency=settings.billing_concurrency,
        go_on=lambda: time.monotonic() < stop_at,
        actor="job:billing.resolve_unknown",
    )


def plan_endings(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if a subscription is to be cancelled, expired or resumed."""
    if is_anything_over(planning.connection, planning.period):
        yield {}


@job("billing.expire", schedule="*/15 * * * *", queue="billing", planner=plan_endings, parameters={})
def expire(shard: Shard) -> int:
    """Cancel, expire and resume the subscriptions whose time has come."""
    return end_what_is_over(shard.connection, actor="job:billing.expire", now=shard.period)


def plan_announcing(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if a learner is to be told that a trial ends."""
    if trials_to_announce(planning.connection, get_settings().trial_notice_days, planning.period, limit=1):
        yield {}


@job("billing.announce_trials", schedule="20 * * * *", queue="billing", planner=plan_announcing, parameters={})
def announce_trials(shard: Shard) -> int:
    """Tell learners whose trial ends soon what they will pay then."""
    return announce_trial_ends(shard.connection, get_settings().trial_notice_days, shard.period)


@job("billing.check_premium", schedule="15 19 * * *", queue="billing", parameters={})
def check_premium(shard: Shard) -> int:
    """Compare every learner's access with what the subscriptions say, and put right what differs: none should."""
    drifted = store.refresh_premium(shard.connection, None, clock.now())
    for user_id in drifted[:_LOGGED]:
        _log.error("premium_drifted", user_id=str(user_id))
        shard.show({"user_id": str(user_id)})
    entries = [
        AuditEntry("job:billing.check_premium", "user.premium_corrected", "user", str(user_id)) for user_id in drifted
    ]
    record(shard.connection, entries, clock.now())
    return len(drifted)


@task("billing.process_notification", queue="billing")
def process_notification(notification_id: str) -> None:
    """Act on a gateway's notification: look up the order it speaks of. A repetition changes nothing."""
    process(UUID(notification_id), clock.now())
