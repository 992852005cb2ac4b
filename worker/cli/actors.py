"""Who acts at the command line, for the audit log."""

import getpass
from collections.abc import Mapping
from typing import Any

from worker import clock
from worker.audit import AuditEntry, record
from worker.db import Connection


def actor() -> str:
    """Return the account of the operating system."""
    return f"cli:{getpass.getuser()}"


def note(connection: Connection, action: str, kind: str, name: str, after: Mapping[str, Any] | None) -> None:
    """Record what an operator does, in the transaction that does it."""
    record(connection, [AuditEntry(actor(), action, kind, name, {}, after)], clock.now())
