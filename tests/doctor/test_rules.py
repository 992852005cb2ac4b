"""The doctor's rules on facts made up for them: what is well, what is not, and what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from worker.doctor.facts import BrokerFacts, DatabaseFacts, Disk, Facts, Zone
from worker.doctor.rules import Finding, examine, exit_code
from worker.heartbeats.store import Heartbeat
from worker.jobs.punctuality import Punctuality
from worker.metrics.state import (
    QUEUES,
    BackupsState,
    BillingState,
    BrokerState,
    ClockState,
    DatabaseState,
    LaneState,
    OutboxState,
    PulseState,
    SearchState,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AGREES = ClockState(timedelta(milliseconds=3), timedelta(milliseconds=10))
WORKER = Heartbeat("worker@here", 7, "0.1.0", sorted(QUEUES), 2, True, None, NOW, NOW)
JOB = Punctuality("srs.build_due_queues", NOW - 20 * MINUTE, NOW, "succeeded", NOW - 5 * MINUTE, False, 1)
BACKUPS = BackupsState(NOW, NOW, "reserved", 0, 0, NOW, NOW, 1, 0)
STATE = DatabaseState(
    jobs=[JOB],
    recent_runs=[],
    open_shards=[],
    lanes=[LaneState(lane, 0, None, is_draining=False) for lane in range(16)],
    outbox=OutboxState(0, 3, 0, 0, None),
    pulse=PulseState(True, NOW),
    clock=AGREES,
    heartbeats=[WORKER],
    backups=BACKUPS,
)
JAKARTA = Zone("Asia/Jakarta", 10, timedelta(hours=7), timedelta(hours=7))
DATABASE = DatabaseFacts("18.1", False, "0016", STATE, zones=[JAKARTA])
BROKER = BrokerFacts(BrokerState(dict.fromkeys(QUEUES, 0), 0, 40.0, AGREES), "noeviction", 1_000, 0)
WELL = Facts(NOW, "0016", DATABASE, BROKER, disks=[Disk(Path("/"), 50, 100)])


def database(**changes: Any) -> Facts:
    """Facts in which PostgreSQL told something else."""
    return replace(WELL, database=replace(DATABASE, **changes))


def state(**changes: Any) -> Facts:
    """Facts in which the platform's state differs."""
    return database(state=replace(STATE, **changes))


def broker(**changes: Any) -> Facts:
    """Facts in which Redis told something else."""
    return replace(WELL, broker=replace(BROKER, **changes))


def lanes(age: timedelta, *, draining: bool) -> Facts:
    return state(lanes=[LaneState(3, 5, NOW - age, is_draining=draining)])


def test_well_platform_has_no_complaints_and_nothing_to_do() -> None:
    findings = examine(WELL)
    assert {finding.level for finding in findings} == {"ok"}
    assert [finding.remedy for finding in findings if finding.remedy] == []
    assert exit_code(findings) == 0


CASES: list[tuple[str, Facts, str, str, str]] = [
    ("no database", replace(WELL, database=None, database_problem="refused"), "database", "critical", "refused"),
    ("standby", database(in_recovery=True), "database", "critical", "recovery"),
    ("old schema", database(revision="0012", state=None), "migrations", "critical", "0012"),
    ("no schema", database(revision=None, state=None), "migrations", "critical", "none"),
    ("newer schema", database(revision="0099", state=None), "migrations", "warning", "newer"),
    ("no broker", replace(WELL, broker=None, broker_problem="refused"), "broker", "critical", "refused"),
    ("eviction", broker(eviction_policy="allkeys-lru"), "broker memory", "warning", "allkeys-lru"),
    ("little memory", broker(used_bytes=90, limit_bytes=100), "broker memory", "warning", "90%"),
    ("no beat", broker(state=replace(BROKER.state, beat_lock_s=None)), "beat", "warning", "no beat"),
    ("queue", broker(state=replace(BROKER.state, queues={"batch": 5_000})), "queues", "warning", "batch: 5,000"),
    ("clock", state(clock=ClockState(timedelta(seconds=-5), timedelta())), "clocks", "warning", "-5.0 s"),
    ("clock far off", state(clock=ClockState(timedelta(hours=1), timedelta())), "clocks", "critical", "+3600"),
    ("no pulse", state(pulse=PulseState(False, NOW)), "pulse", "critical", "no pulse"),
    ("no worker", state(heartbeats=[]), "workers", "critical", "no worker"),
    ("dead worker", state(heartbeats=[replace(WORKER, seen_at=NOW - MINUTE)]), "workers", "critical", "no worker"),
    ("deaf worker", state(heartbeats=[replace(WORKER, is_consuming=False)]), "workers", "warning", "worker@here"),
    (
        "lost worker",
        state(heartbeats=[WORKER, replace(WORKER, worker="b@x", seen_at=NOW - MINUTE)]),
        "workers",
        "warning",
        "b@x",
    ),
    (
        "versions",
        state(heartbeats=[WORKER, replace(WORKER, worker="b@x", version="2")]),
        "workers",
        "warning",
        "b@x: 2",
    ),
    ("unread queue", state(heartbeats=[replace(WORKER, queues=["default"])]), "workers", "critical", "attempts, batch"),
    ("behind", state(jobs=[replace(JOB, behind=4)]), "jobs", "warning", "4 periods"),
    ("one late", state(jobs=[replace(JOB, last_period=NOW - 90 * MINUTE)]), "jobs", "warning", "behind"),
    ("failed", state(jobs=[replace(JOB, latest_state="failed")]), "jobs", "warning", "srs.build_due_queues"),
    ("expired", state(open_shards=[("x", "expired", 2)]), "jobs", "warning", "2 shards"),
    ("inbox waits", lanes(2 * MINUTE, draining=True), "inbox", "warning", "lanes 3"),
    ("inbox stuck", lanes(20 * MINUTE, draining=False), "inbox", "critical", "20 min"),
    ("outbox", state(outbox=OutboxState(2, 0, 1, 0, NOW - 2 * MINUTE)), "outbox", "warning", "3 entries"),
    ("outbox stuck", state(outbox=OutboxState(2, 0, 0, 0, NOW - 3 * 60 * MINUTE)), "outbox", "critical", "3 h"),
    ("parked", state(outbox=OutboxState(0, 0, 0, 4, None)), "outbox", "warning", "4 entries"),
    ("unknown task", database(unknown_work=[("outbox", "a.b", 2)]), "unknown tasks", "warning", "'a.b'"),
    ("unknown job", database(unknown_work=[("run", "c.d", 1)]), "unknown tasks", "warning", "'c.d'"),
    ("partition", database(next_partition_exists=False), "partitions", "warning", "next month"),
    ("zone here", database(zones=[replace(JAKARTA, offset_here=None)]), "time zones", "warning", "Asia/Jakarta"),
    ("zone there", database(zones=[replace(JAKARTA, offset=None)]), "time zones", "warning", "Asia/Jakarta"),
    ("offsets", database(zones=[replace(JAKARTA, offset=timedelta(hours=8))]), "time zones", "warning", "+7 h here"),
    ("no backups", state(backups=None), "backups", "warning", "none are made"),
    ("log behind", state(backups=replace(BACKUPS, restorable_at=NOW - 60 * MINUTE)), "backups", "critical", "60 min"),
    ("not restorable", state(backups=replace(BACKUPS, restorable_at=None)), "backups", "critical", "no instant"),
    ("damaged", state(backups=replace(BACKUPS, corrupt=2)), "backups", "warning", "2 are damaged"),
    ("never proven", state(backups=replace(BACKUPS, proven_at=None)), "backups", "warning", "none was ever proven"),
    ("disk", replace(WELL, disks=[Disk(Path("/data"), 5, 100)]), "disk", "warning", "/data"),
    ("full disk", replace(WELL, disks=[Disk(Path("/data"), 1, 100)]), "disk", "critical", "/data"),
]


@pytest.mark.parametrize(("facts", "check", "level", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_is_not_well_is_found_with_its_remedy(facts: Facts, check: str, level: str, words: str) -> None:
    findings = examine(facts)
    (found,) = [finding for finding in findings if finding.level != "ok"]
    assert (found.check, found.level) == (check, level)
    assert words in found.found
    assert found.remedy
    assert exit_code(findings) == {"warning": 1, "critical": 2}[level]


def test_paused_job_is_not_late() -> None:
    findings = examine(state(jobs=[replace(JOB, behind=50, is_paused=True)]))
    assert {finding.level for finding in findings} == {"ok"}
    assert any("paused" in finding.found for finding in findings)


def test_clock_difference_within_the_questions_length_is_none() -> None:
    slow = ClockState(timedelta(seconds=3), timedelta(seconds=4))
    assert exit_code(examine(state(clock=slow))) == 0


def test_worst_finding_decides_the_exit_code() -> None:
    levels = [Finding("a", "warning", "x"), Finding("b", "critical", "x"), Finding("c", "ok", "x")]
    assert [exit_code(levels), exit_code(levels[::2]), exit_code(levels[2:])] == [2, 1, 0]


@pytest.mark.parametrize(
    ("search", "level"),
    [
        (SearchState(0, 0.0, is_rolling_out=False), "ok"),
        (SearchState(5, 59.0, is_rolling_out=False), "ok"),
        (SearchState(5, 61.0, is_rolling_out=False), "warning"),
        (SearchState(50_000, 900.0, is_rolling_out=True), "ok"),
    ],
)
def test_edits_that_stay_unsearchable_are_a_finding_unless_a_definition_is_rolled_out(search, level) -> None:
    (finding,) = [each for each in examine(state(search=search)) if each.check == "search"]
    assert finding.level == level
    assert (finding.remedy is not None) == (level == "warning")


def test_renewals_that_are_late_and_payments_long_unknown_are_found():
    late = BillingState("midtrans", 3, NOW - timedelta(hours=2), 0, None)
    unknown = BillingState("xendit", 0, None, 2, NOW - timedelta(days=2))
    found = [each for each in examine(state(billing=[late, unknown])) if each.check == "billing"]
    assert [each.level for each in found] == ["warning", "warning"]
    assert "midtrans (3)" in found[0].found
    assert "xendit (2)" in found[1].found
    well = [BillingState("midtrans", 3, NOW - timedelta(minutes=4), 1, NOW)]
    assert [each.level for each in examine(state(billing=well)) if each.check == "billing"] == ["ok"]
