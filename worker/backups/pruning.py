"""Lets go of backups and log that the retention no longer needs, and of what failed attempts left behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker import clock
from worker.backups.catalogue import Catalogue
from worker.backups.entry import Entry
from worker.backups.lsn import SEGMENT_NAME, parse_lsn, parse_segment, segment_of
from worker.backups.repository import Repository
from worker.backups.retention import Decision, Policy, decide
from worker.backups.server import backup_lock
from worker.backups.verifying import mirror_catalogue
from worker.backups.wal_archive import FOLDER
from worker.logging import get_logger
from worker.settings import Settings

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was, or would be, removed."""

    decision: Decision
    orphans: Sequence[str]
    """Objects' folders of backups that never came to be."""
    segments: int
    bytes: int
    """Stored bytes of backups and orphans."""


def prune(
    settings: Settings,
    *,
    dry: bool,
    on_wait: Callable[[], object] = lambda: None,
    now: Callable[[], datetime] = clock.now,
) -> Pruned:
    """Remove what the retention lets go; dry, only tell what that would be.

    It holds the backup lock: no backup is being made, so that what no catalogue entry names is nobody's.
    """
    repository = Repository.from_settings(settings)
    catalogue = Catalogue(repository)
    with backup_lock(settings.required_database_url(), on_wait):
        entries = catalogue.entries()
        decision = decide(entries, Policy.from_settings(settings), now())
        gone = [entry for entry in entries if entry.label in set(decision.removed)]
        known = {entry.label for entry in entries}
        orphans = [label for label in repository.folders("backups") if label not in known]
        segments = _needless_log(repository, entries, decision)
        orphan_keys = [each for label in orphans for each in repository.keys(f"backups/{label}")]
        total = sum(entry.stored_bytes for entry in gone) + sum(size for _, size in orphan_keys)
        if not dry:
            # The entry first: what is in the catalogue is whole, whenever this is interrupted.
            for label in decision.removed:
                catalogue.remove([label])
                repository.delete_below(f"backups/{label}")
            for label in orphans:
                repository.delete_below(f"backups/{label}")
            for folder in segments:
                repository.delete_below(folder)
            mirror_catalogue(settings, catalogue, repository)
            _log.info(
                "backups_pruned", labels=list(decision.removed), orphans=orphans, segments=len(segments), bytes=total
            )
    return Pruned(decision, orphans, len(segments), total)


def _needless_log(repository: Repository, entries: Sequence[Entry], decision: Decision) -> list[str]:
    """Return the folders of the segments before what is needed; of clusters that no backup knows, none."""
    sizes = {entry.system_identifier: entry.segment_bytes for entry in entries}
    found = []
    for cluster in repository.folders(FOLDER):
        if cluster not in sizes:
            continue
        begin = decision.log_from.get(cluster)
        names = [name for name in repository.folders(f"{FOLDER}/{cluster}") if SEGMENT_NAME.fullmatch(name)]
        for name in names:
            _, number = parse_segment(name, sizes[cluster])
            if begin is None or number < segment_of(parse_lsn(begin), sizes[cluster]):
                found.append(f"{FOLDER}/{cluster}/{name}")
    return found
