"""How backups hang together: which one builds on which, and which serve an instant. Pure.

Backups are ordered by their positions in the write-ahead log, not by clocks, which may have been wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.backups.entry import Entry
from worker.backups.lsn import parse_lsn


@dataclass(frozen=True, slots=True)
class Target:
    """Where a recovery ends; with nothing set, at the end of the write-ahead log."""

    at: datetime | None = None
    xid: int | None = None
    name: str | None = None
    """Of a restore point."""
    inclusive: bool = True
    """Whether the transaction itself, or those of that very instant, count."""
    is_backup_end: bool = False
    """As soon as the database is consistent."""

    def __str__(self) -> str:
        """Return it in words."""
        side = "" if self.inclusive else "just before "
        if self.at is not None:
            return f"{side}{self.at.isoformat()}"
        if self.xid is not None:
            return f"{side}transaction {self.xid}"
        if self.name is not None:
            return f"restore point {self.name}"
        return "the backup's end" if self.is_backup_end else "the newest instant"

    def parameters(self) -> dict[str, str]:
        """Return PostgreSQL's settings for it."""
        common = {"recovery_target_inclusive": "on" if self.inclusive else "off"}
        if self.at is not None:
            return {"recovery_target_time": self.at.isoformat(), **common}
        if self.xid is not None:
            return {"recovery_target_xid": str(self.xid), **common}
        if self.name is not None:
            return {"recovery_target_name": self.name}
        return {"recovery_target": "immediate"} if self.is_backup_end else {}


LATEST = Target()


def position(entry: Entry) -> tuple[int, int]:
    """Return where a physical backup ends, as something that can be compared."""
    return entry.timeline or 0, parse_lsn(entry.end_lsn or "0/0")


def chain_of(entry: Entry, by_label: Mapping[str, Entry]) -> list[Entry] | None:
    """Return what a backup needs, the full one first, itself last; None if a link is missing."""
    chain = [entry]
    while chain[-1].parent is not None:
        parent = by_label.get(chain[-1].parent)
        if parent is None or parent in chain:
            return None
        chain.append(parent)
    return chain[::-1]


def parent_for_next(entries: Iterable[Entry], *, system_identifier: str, major: int, timeline: int) -> Entry | None:
    """Return what the next incremental backup builds on: the newest of the same cluster whose chain is whole."""
    by_label = {entry.label: entry for entry in entries}
    fitting = [
        entry
        for entry in by_label.values()
        if entry.is_physical
        and (entry.system_identifier, entry.major, entry.timeline) == (system_identifier, major, timeline)
        and is_sound(entry, by_label)
    ]
    return max(fitting, key=position, default=None)


def is_sound(entry: Entry, by_label: Mapping[str, Entry]) -> bool:
    """Tell whether a backup's chain is whole and no link of it is known to be damaged."""
    chain = chain_of(entry, by_label)
    return chain is not None and all(link.checksum_state != "corrupt" for link in chain)


def candidates(entries: Sequence[Entry], target: Target) -> list[list[Entry]]:
    """Return the chains from which a target can be reached, the one with the least log to play first."""
    by_label = {entry.label: entry for entry in entries}
    fitting = [
        entry for entry in entries if entry.is_physical and is_sound(entry, by_label) and _precedes(entry, target)
    ]
    if not fitting:
        return []
    # Only the cluster of the newest one: after an upgrade the older cluster's log does not lead to the present.
    newest = max(fitting, key=lambda entry: entry.finished_at)
    same = [entry for entry in fitting if entry.system_identifier == newest.system_identifier]
    chains = (chain_of(entry, by_label) for entry in sorted(same, key=position, reverse=True))
    return [chain for chain in chains if chain is not None]


def _precedes(entry: Entry, target: Target) -> bool:
    if target.at is not None:
        return entry.finished_at <= target.at
    if target.xid is not None:
        return entry.next_xid is not None and entry.next_xid <= target.xid
    return True


def children_of(label: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return the backups that build on this one directly."""
    return [entry for entry in entries if entry.parent == label]
