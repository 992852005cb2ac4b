"""The audit log: privileged changes, recorded in their own transaction, and the proof that they are unaltered."""

from worker.audit.entries import AuditEntry, record, record_async

__all__ = ["AuditEntry", "record", "record_async"]
