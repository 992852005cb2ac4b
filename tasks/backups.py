"""Backups: taken, proven, pruned and looked after. Without ELP_BACKUP_REPOSITORY each run is empty."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from worker import clock
from worker.backups.checking import check, save
from worker.backups.drills import drill
from worker.backups.pruning import prune
from worker.backups.taking import take
from worker.backups.verifying import verify
from worker.jobs import Bounds, Planning, Retry, Shard, job
from worker.jobs.outbox import enqueue
from worker.logging import get_logger
from worker.models.backups import BackupKind
from worker.settings import get_settings

_log = get_logger(__name__)

_LIMIT_S: Final = 12 * 3_600
_RETRY: Final = Retry(first=timedelta(minutes=2), longest=timedelta(hours=1))


def plan(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if there is a repository."""
    del planning
    if get_settings().backup_repository is not None:
        yield {}


def _take(shard: Shard, kind: BackupKind) -> int:
    if shard.is_dry_run:
        shard.show({"kind": kind, "repository": get_settings().backup_repository})
        return 0
    settings = get_settings()
    take(settings, kind, max_rate_mb=settings.backup_max_rate_mb)
    return 1


@job(
    "backups.full",
    schedule="0 17 * * 6",
    queue="backups",
    planner=plan,
    parameters={},
    time_limit_s=_LIMIT_S,
    retry=_RETRY,
)
def full(shard: Shard) -> int:
    """Take a full backup: each Saturday night in Jakarta."""
    return _take(shard, "full")


@job(
    "backups.incremental",
    schedule="0 17 * * 0-5",
    queue="backups",
    planner=plan,
    parameters={},
    time_limit_s=_LIMIT_S,
    retry=_RETRY,
)
def incremental(shard: Shard) -> int:
    """Take an incremental backup each other night; before PostgreSQL 17 a full one."""
    return _take(shard, "incremental")


@job(
    "backups.logical",
    schedule="0 19 * * 0",
    queue="backups",
    planner=plan,
    parameters={},
    time_limit_s=_LIMIT_S,
    retry=_RETRY,
)
def logical(shard: Shard) -> int:
    """Take a portable copy with pg_dump each week."""
    return _take(shard, "logical")


@job(
    "backups.verify",
    schedule="0 21 * * *",
    queue="backups",
    planner=plan,
    parameters={},
    time_limit_s=_LIMIT_S,
    retry=_RETRY,
)
def verify_newest(shard: Shard) -> int:
    """Restore the newest backup to a scratch server each day, check it, and write down that it is proven."""
    if shard.is_dry_run:
        return 0
    verify(get_settings())
    return 1


@job(
    "backups.drill",
    schedule="30 22 1 * *",
    queue="backups",
    planner=plan,
    parameters={},
    time_limit_s=_LIMIT_S,
    retry=_RETRY,
)
def hold_drill(shard: Shard) -> int:
    """Write a marker and restore to just before and just after it, each month."""
    if shard.is_dry_run:
        return 0
    drill(get_settings())
    return 1


@job("backups.prune", schedule="0 23 * * *", queue="backups", planner=plan, parameters={}, time_limit_s=_LIMIT_S)
def prune_old(shard: Shard) -> int:
    """Let go of backups and log that the retention no longer needs."""
    done = prune(get_settings(), dry=shard.is_dry_run)
    for label in done.decision.removed:
        shard.show({"label": label})
    return len(done.decision.removed)


@job("backups.check", schedule="* * * * *", queue="default", planner=plan, parameters={}, catch_up="none", max_starts=1)
def look(shard: Shard) -> int:
    """See whether the log arrives and up to when all can be restored; start a full backup where none leads on."""
    now = clock.now()
    found = check(get_settings(), now)
    save(shard.connection, found)
    for problem in found.problems:
        shard.show(problem)
        _log.warning("backup_problem", problem=problem)
    if found.needs_full and not _is_one_recent(shard, now - timedelta(hours=1)):
        enqueue(shard.connection, "jobs.start", {"job": "backups.full"}, dedupe_key="backups.full:needed", now=now)
    return len(found.problems)


def _is_one_recent(shard: Shard, since: object) -> bool:
    row = shard.connection.execute(
        "SELECT FROM backups WHERE kind = 'full' AND (started_at > %s OR state = 'running') LIMIT 1", (since,)
    ).fetchone()
    return row is not None
