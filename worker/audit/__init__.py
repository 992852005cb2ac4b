"""The audit log: privileged changes, recorded in their own transaction, and the proof that they are unaltered."""

from worker.audit.entries import AuditEntry, record

__all__ = ["AuditEntry", "record"]
