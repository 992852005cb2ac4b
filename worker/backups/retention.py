"""Which backups are kept: a window for every instant, then ever fewer, grandfather, father and son. Pure."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from worker.backups.chains import chain_of, is_sound, position
from worker.backups.entry import Entry
from worker.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long backups are kept."""

    window: timedelta
    """Every instant so far back can be restored."""
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    """Of so many days, weeks, months and years that have a backup the newest one is kept."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "Policy":
        """Return the settings' policy."""
        return cls(
            window=timedelta(days=settings.backup_window_days),
            daily=settings.backup_keep_daily,
            weekly=settings.backup_keep_weekly,
            monthly=settings.backup_keep_monthly,
            yearly=settings.backup_keep_yearly,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the backups."""

    kept: Mapping[str, str]
    """Labels with the reason in words."""
    removed: Sequence[str]
    """Labels, children before their parents."""
    log_from: Mapping[str, str] = field(default_factory=dict)
    """By system identifier, the position before which the log is not needed; one that is missing needs none at all."""


_BUCKETS: Sequence[tuple[str, str, Callable[[datetime], Hashable]]] = (
    ("daily", "newest of its day", lambda at: at.date()),
    ("weekly", "newest of its week", lambda at: at.isocalendar()[:2]),
    ("monthly", "newest of its month", lambda at: (at.year, at.month)),
    ("yearly", "newest of its year", lambda at: at.year),
)


def decide(entries: Sequence[Entry], policy: Policy, now: datetime) -> Decision:
    """Return what is kept and why, and what may go.

    Whatever the policy: the newest sound backup stays, the last one that was proven, what is held, what a kept one
    builds on, and what seems to come from the future (some clock is wrong; nothing is removed on its word).
    """
    by_label = {entry.label: entry for entry in entries}
    reasons: dict[str, str] = {}
    sound = [entry for entry in entries if is_sound(entry, by_label)]
    for entry in entries:
        if entry.is_held:
            reasons[entry.label] = "held"
        elif entry.finished_at > now:
            reasons[entry.label] = "its time lies in the future"
    for physical in (True, False):
        of_kind = [entry for entry in sound if entry.is_physical is physical]
        _keep_by_policy(reasons, of_kind, policy, now)
    proven = [entry for entry in sound if entry.proven is not None]
    if proven:
        last = max(proven, key=lambda entry: entry.proven.at if entry.proven else entry.finished_at)
        reasons.setdefault(last.label, "the last that was proven")
    for label in list(reasons):
        for link in chain_of(by_label[label], by_label) or [by_label[label]]:
            reasons.setdefault(link.label, f"{label} builds on it")
    gone = [entry for entry in entries if entry.label not in reasons]
    removed = sorted(gone, key=lambda entry: len(chain_of(entry, by_label) or ()), reverse=True)
    return Decision(reasons, [entry.label for entry in removed], _log_needed(sound, policy, now))


def _keep_by_policy(reasons: dict[str, str], entries: Sequence[Entry], policy: Policy, now: datetime) -> None:
    if not entries:
        return
    newest_first = sorted(entries, key=lambda entry: (entry.finished_at, position(entry)), reverse=True)
    reasons.setdefault(newest_first[0].label, "the newest")
    begin = now - policy.window
    for entry in newest_first:
        reasons.setdefault(entry.label, "within the recovery window")
        if entry.finished_at <= begin:
            reasons[entry.label] = "the recovery window begins with it"
            break
    for name, reason, bucket in _BUCKETS:
        seen: set[Hashable] = set()
        for entry in newest_first:
            key = bucket(entry.finished_at)
            if key in seen:
                continue
            if len(seen) >= getattr(policy, name):
                break
            seen.add(key)
            reasons.setdefault(entry.label, reason)


def _log_needed(sound: Sequence[Entry], policy: Policy, now: datetime) -> dict[str, str]:
    """Return where the log must begin: with the backup that the window begins with, for each cluster in the window."""
    begin = now - policy.window
    found: dict[str, str] = {}
    clusters = {entry.system_identifier for entry in sound if entry.is_physical}
    for cluster in clusters:
        physical = [entry for entry in sound if entry.is_physical and entry.system_identifier == cluster]
        before = [entry for entry in physical if entry.finished_at <= begin]
        within = [entry for entry in physical if entry.finished_at > begin]
        # The newest cluster's log goes on to the present, an older one's matters only while the window reaches it.
        is_newest = max(physical, key=lambda entry: entry.finished_at).finished_at == max(
            entry.finished_at for entry in sound if entry.is_physical
        )
        if not within and not is_newest:
            continue
        anchor = max(before, key=position) if before else min(within, key=position)
        if anchor.start_lsn is not None:
            found[cluster] = anchor.start_lsn
    return found
