"""Cases of the checks on jobs, search, backups and the audit log."""

from datetime import UTC, datetime
from uuid import UUID

from tests.factories_operations import make_backup
from tests.models.cases import Case, bounds, case, filled, json_object, vocabulary
from worker.models.backups import BackupKind, BackupState, ChecksumState
from worker.models.jobs import PAYLOAD_MAX_BYTES, RunState, RunTrigger, ShardState, TaskKind
from worker.models.search import Searchable

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
BACKUP_ID = UUID("8e6a2a52-0a3b-4a0f-8f0e-5d1f5f1c9b21")


def positions(column: str) -> Case:
    """A position in the write-ahead log."""
    return case(
        f"ck_backups_{column}",
        refused=[{column: ""}, {column: "0"}, {column: "0/"}, {column: "g/0"}, {column: "0/123456789"}],
        accepted=[{column: "0/0"}, {column: "16/B374D848"}, {column: "FFFFFFFF/FFFFFFFF"}, {column: None}],
    )


JOBS: list[Case] = [
    filled("job_runs", "job", 200),
    vocabulary("job_runs", "state", RunState),
    vocabulary("job_runs", "trigger", RunTrigger),
    json_object("job_runs", "parameters"),
    case(
        "ck_job_runs_shards",
        refused=[
            {"shards_total": 3, "shards_done": 2, "shards_failed": 2},
            {"shards_total": 3, "shards_done": -1},
            {"shards_total": 3, "shards_failed": -1},
            {"shards_total": -1},
        ],
        accepted=[{"shards_total": 0}, {"shards_total": 3, "shards_done": 1, "shards_failed": 2}],
    ),
    bounds("job_runs", "items", 0),
    bounds("job_shards", "number", 0),
    json_object("job_shards", "bounds"),
    vocabulary("job_shards", "state", ShardState, needs={"running": {"lease_expires_at": T0}}),
    bounds("job_shards", "starts", 0),
    case(
        "ck_job_shards_lease",
        refused=[{"state": "running"}],
        accepted=[{"state": "running", "lease_expires_at": T0}, {"state": "done"}],
    ),
    bounds("job_shards", "items", 0),
    filled("job_controls", "job", 200),
    filled("job_run_summaries", "job", 200),
    case(
        "ck_job_run_summaries_runs",
        refused=[{state: -1} for state in ("succeeded", "failed", "cancelled", "skipped")],
        accepted=[{"succeeded": 0}, {"succeeded": 1, "failed": 1, "cancelled": 1, "skipped": 1}],
    ),
    case(
        "ck_job_run_summaries_totals",
        refused=[{"shards": -1}, {"items": -1}],
        accepted=[{"shards": 0, "items": 0}, {"shards": 1, "items": 10**12}],
    ),
    case(
        "ck_job_run_summaries_times",
        refused=[{"total_ms": 1, "longest_ms": 2}, {"longest_ms": -1}],
        accepted=[{"total_ms": 2, "longest_ms": 2}, {"total_ms": 0, "longest_ms": 0}],
    ),
    filled("job_outbox", "task", 200),
    json_object("job_outbox", "payload"),
    case(
        "ck_job_outbox_payload_size",
        refused=[{"payload": {"text": "x" * (PAYLOAD_MAX_BYTES - 11)}}],
        accepted=[{"payload": {"text": "x" * (PAYLOAD_MAX_BYTES - 12)}}],
    ),
    case(
        "ck_job_outbox_dedupe_key",
        refused=[{"dedupe_key": ""}, {"dedupe_key": " "}, {"dedupe_key": "é" * 201}],
        accepted=[{"dedupe_key": "é" * 200}, {"dedupe_key": None}],
    ),
    bounds("job_outbox", "relays", 0),
    bounds("job_outbox", "starts", 0),
    case(
        "ck_job_outbox_parked",
        refused=[{"parked_at": T0}, {"parked_at": T0, "done_at": T0, "error": "x"}],
        accepted=[{"parked_at": T0, "error": "x"}, {"done_at": T0, "error": "x"}],
    ),
    vocabulary("job_tasks", "kind", TaskKind),
    filled("job_tasks", "name", 200),
    filled("job_tasks", "queue", 100),
    case(
        "ck_app_events_kind",
        refused=[{"kind": kind} for kind in ("", "scored", "Tryout.scored", "tryout.", "a b.c", "a." + "b" * 99)],
        accepted=[{"kind": "tryout.scored"}, {"kind": "billing.dunning.ended"}, {"kind": "a." + "b" * 98}],
    ),
    json_object("app_events", "payload"),
]

OPERATIONS: list[Case] = [
    vocabulary("search_dirty", "object_type", Searchable),
    filled("backups", "label", 200),
    vocabulary("backups", "kind", BackupKind, needs={"incremental": {"parent_id": make_backup}}),
    case(
        "ck_backups_parent",
        refused=[{"kind": "incremental"}, {"kind": "full", "parent_id": make_backup}],
        accepted=[{"kind": "incremental", "parent_id": make_backup}, {"kind": "full"}],
    ),
    case(
        "ck_backups_parent_other",
        refused=[{"id": BACKUP_ID, "kind": "incremental", "parent_id": BACKUP_ID}],
        accepted=[{"id": BACKUP_ID, "kind": "incremental", "parent_id": make_backup}],
    ),
    vocabulary("backups", "state", BackupState, needs={"complete": {"finished_at": T0}}),
    positions("start_lsn"),
    positions("end_lsn"),
    bounds("backups", "timeline", 1),
    bounds("backups", "size_bytes", 0),
    bounds("backups", "stored_bytes", 0),
    vocabulary("backups", "checksum_state", ChecksumState),
    case(
        "ck_backups_finished_at",
        refused=[{"state": "complete"}],
        accepted=[{"state": "complete", "finished_at": T0}, {"state": "running"}],
    ),
    bounds("backups", "restore_ms", 0),
    json_object("backups", "details"),
    filled("audit_log", "actor", 200),
    filled("audit_log", "action", 200),
    filled("audit_log", "object_type", 100),
    filled("audit_log", "object_id", 200),
    bounds("audit_blocks", "number", 1),
    bounds("audit_blocks", "entries", 1),
    case(
        "ck_audit_blocks_digest",
        refused=[{"digest": b"x" * 31}, {"digest": b"x" * 33}],
        accepted=[{"digest": b"x" * 32}],
    ),
    filled("worker_heartbeats", "worker", 200),
    bounds("worker_heartbeats", "concurrency", 0),
]

CASES = JOBS + OPERATIONS
