"""Rows for tests, continued from tests/factories.py: money, search, backups, audit."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
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


def make_coupon(connection: Connection[Any], **values: Any) -> UUID:
    """Ten per cent off, for ever."""
    return insert(connection, "coupons", **{"code": uuid4().hex.upper(), "percent_off": Decimal(10)} | values)


def make_invoice(
    connection: Connection[Any], *, user_id: UUID | None = None, subscription_id: UUID | None = None, **values: Any
) -> UUID:
    """An open invoice of a month."""
    user_id = user_id or make_user(connection)
    pair = {"user_id": user_id, "subscription_id": subscription_id or make_subscription(connection, user_id=user_id)}
    start = values.setdefault("period_start", datetime(2026, 1, 30, 17, tzinfo=UTC))
    invoice = {
        "period_end": start + timedelta(days=28),
        "currency": "IDR",
        "total": Decimal(99_000),
        "issued_at": start,
    }
    return insert(connection, "invoices", **pair, **invoice | values)


def make_invoice_line(connection: Connection[Any], *, subscription_id: UUID | None = None, **values: Any) -> UUID:
    """A line that waits for the next invoice."""
    subscription_id = subscription_id or make_subscription(connection)
    line = {"kind": "plan", "amount": Decimal(99_000)}
    return insert(connection, "invoice_lines", subscription_id=subscription_id, **line | values)


def make_webhook(connection: Connection[Any], **values: Any) -> UUID:
    webhook = {"gateway": "midtrans", "event_id": uuid4().hex, "event_type": "settlement", "body": b"{}"}
    return insert(connection, "webhook_inbox", **webhook | values)


def make_reconciliation_run(connection: Connection[Any], **values: Any) -> UUID:
    """The comparison of a day of its own, which found nothing."""
    run = {"gateway": f"g{uuid4().hex[:20]}", "paid_on": date(2026, 1, 31), "compared_at": now()}
    return insert(connection, "reconciliation_runs", **run | values)


def make_reconciliation_break(connection: Connection[Any], *, run_id: UUID | None = None, **values: Any) -> UUID:
    """A charge of the gateway's that we know nothing of."""
    found = {"fingerprint": uuid4().hex, "kind": "missing_here", "gateway": "midtrans", "paid_on": date(2026, 1, 31)}
    found |= {"currency": "IDR", "opened_at": now()}
    run_id = run_id or make_reconciliation_run(connection)
    return insert(connection, "reconciliation_breaks", run_id=run_id, **found | values)


def make_settlement_import(connection: Connection[Any], **values: Any) -> UUID:
    """A file with one line."""
    report = {"gateway": "midtrans", "source": "file", "digest": sha256(uuid4().bytes).hexdigest(), "name": "a.csv"}
    report |= {"lines": 1, "added": 1, "imported_by": "cli:finance", "imported_at": now()}
    return insert(connection, "settlement_imports", **report | values)


def make_settlement_line(connection: Connection[Any], *, import_id: UUID | None = None, **values: Any) -> UUID:
    """A settled charge."""
    line = {"line_key": uuid4(), "gateway": "midtrans", "kind": "charge", "gateway_reference": uuid4().hex}
    line |= {"amount": Decimal(99_000), "currency": "IDR", "status": "settled", "settled_on": date(2026, 2, 1)}
    line |= {"occurred_at": datetime(2026, 1, 31, 3, tzinfo=UTC), "occurred_on": date(2026, 1, 31)}
    import_id = import_id or make_settlement_import(connection)
    return insert(connection, "settlement_lines", import_id=import_id, **line | values)


def make_ledger_entry(connection: Connection[Any], **values: Any) -> UUID:
    """One side of a journal; alone it can't be committed."""
    entry = {"journal_id": uuid4(), "gateway": "midtrans", "day": date(2026, 1, 31), "account": "receivable"}
    entry |= {"currency": "IDR", "amount": Decimal(99_000), "booked_at": now()}
    return insert(connection, "ledger_entries", **entry | values)


def make_search_mark(connection: Connection[Any], **values: Any) -> UUID:
    return insert(connection, "search_dirty", **{"object_type": "question", "object_id": uuid4()} | values)


def make_search_state(connection: Connection[Any], **values: Any) -> None:
    """How far a kind's vectors are; in the place of the row that the migration made."""
    state = {"object_type": "question"} | values
    connection.execute("DELETE FROM search_state WHERE object_type = %s", [state["object_type"]])
    insert_row(connection, "search_state", **state)


def make_search_word(connection: Connection[Any], **values: Any) -> None:
    insert_row(connection, "search_words", **{"word": "membaca"} | values)


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


def make_audit_block(connection: Connection[Any], **values: Any) -> None:
    block = {"number": uuid4().int >> 66, "block_id": uuid4(), "entries": 1, "digest": b"x" * 32}
    insert_row(connection, "audit_blocks", **block | values)


def make_heartbeat(connection: Connection[Any], **values: Any) -> None:
    """A worker that was heard of just now."""
    instant = now()
    heartbeat = {"worker": f"worker@{uuid4().hex}", "pid": 1, "version": "1", "queues": ["default"], "concurrency": 2}
    heartbeat |= {"is_consuming": True, "started_at": instant, "seen_at": instant}
    insert_row(connection, "worker_heartbeats", **heartbeat | values)
