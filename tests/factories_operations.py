"""Rows for tests, continued from tests/factories.py: money, search, backups, audit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection

from tests.factories import insert, insert_row, make_user
from worker.clock import now


def make_plan(connection: Connection[Any], **values: Any) -> UUID:
    """A monthly plan in rupiah."""
    plan = {"code": f"plan-{uuid4().hex}", "name": "Premium", "amount": Decimal(99_000), "currency": "IDR"}
    return insert(connection, "plans", **plan | values)


def make_subscription(
    connection: Connection[Any], *, user_id: UUID | None = None, plan_id: UUID | None = None, **values: Any
) -> UUID:
    """An active subscription in its first month."""
    start = values.setdefault("period_start", datetime(2026, 1, 30, 17, tzinfo=UTC))
    pair = {"user_id": user_id or make_user(connection), "plan_id": plan_id or make_plan(connection)}
    subscription = {"state": "active", "anchor_on": date(2026, 1, 31), "period_end": start + timedelta(days=28)}
    subscription |= {"amount": Decimal(99_000), "currency": "IDR"}
    return insert(connection, "subscriptions", **pair, **subscription | values)


def make_transaction(
    connection: Connection[Any], *, user_id: UUID | None = None, subscription_id: UUID | None = None, **values: Any
) -> UUID:
    """A charge that is intended and not yet asked for."""
    user_id = user_id or make_user(connection)
    pair = {"user_id": user_id, "subscription_id": subscription_id or make_subscription(connection, user_id=user_id)}
    start = values.setdefault("period_start", datetime(2026, 1, 30, 17, tzinfo=UTC))
    charge = {"amount": Decimal(99_000), "currency": "IDR", "gateway": "midtrans", "idempotency_key": uuid4().hex}
    charge |= {"period_end": start and start + timedelta(days=28)}
    return insert(connection, "payment_transactions", **pair, **charge | values)


def make_webhook(connection: Connection[Any], **values: Any) -> UUID:
    webhook = {"gateway": "midtrans", "event_id": uuid4().hex, "event_type": "settlement", "body": b"{}"}
    return insert(connection, "webhook_inbox", **webhook | values)


def make_reconciliation_run(connection: Connection[Any], **values: Any) -> UUID:
    run = {"gateway": "midtrans", "settled_on": date(2026, 1, 31), "source": "api", "started_at": now()}
    return insert(connection, "reconciliation_runs", **run | values)


def make_reconciliation_break(connection: Connection[Any], *, run_id: UUID | None = None, **values: Any) -> UUID:
    found = {"fingerprint": uuid4().hex, "kind": "missing_here", "gateway": "midtrans"}
    run_id = run_id or make_reconciliation_run(connection)
    return insert(connection, "reconciliation_breaks", run_id=run_id, **found | values)


def make_search_mark(connection: Connection[Any], **values: Any) -> UUID:
    return insert(connection, "search_dirty", **{"object_type": "question", "object_id": uuid4()} | values)


def make_backup(connection: Connection[Any], **values: Any) -> UUID:
    """A full backup that is being taken."""
    backup = {"label": f"full-{uuid4().hex}", "kind": "full", "location": "file:///backups", "server_version": "18.1"}
    return insert(connection, "backups", **backup | {"started_at": now()} | values)


def make_backup_check(connection: Connection[Any], **values: Any) -> None:
    """A look that found nothing wrong."""
    check = {"location": f"file:///{uuid4().hex}", "checked_at": now(), "slot_state": "reserved", "problems": []}
    insert_row(connection, "backup_checks", **check | values)


def make_backup_drill(connection: Connection[Any], **values: Any) -> UUID:
    """A drill that has begun."""
    return insert(connection, "backup_drills", **{"marked_at": now()} | values)


def make_audit_entry(connection: Connection[Any], **values: Any) -> UUID:
    entry = {"actor": "cli:operator", "action": "user.role_changed", "object_type": "user", "object_id": str(uuid4())}
    return insert(connection, "audit_log", **entry | values)


def make_heartbeat(connection: Connection[Any], **values: Any) -> None:
    """A worker that was heard of just now."""
    instant = now()
    heartbeat = {"worker": f"worker@{uuid4().hex}", "pid": 1, "version": "1", "queues": ["default"], "concurrency": 2}
    heartbeat |= {"is_consuming": True, "started_at": instant, "seen_at": instant}
    insert_row(connection, "worker_heartbeats", **heartbeat | values)
