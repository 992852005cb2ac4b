"""A picture of the chains for a terminal: what builds on what, what is proven, and how far the log reaches. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from worker.backups.chains import children_of
from worker.backups.entry import Entry

_MARKS = {"full": "●", "incremental": "○", "logical": "◇"}


def draw(entries: Sequence[Entry], restorable_at: datetime | None, now: datetime) -> list[str]:
    """Return the lines of the picture, oldest chain first."""
    lines = []
    for entry in (entry for entry in entries if entry.parent is None):
        lines += list(_branch(entry, entries, "", "", now))
    lost = [entry for entry in entries if entry.parent and all(entry.parent != other.label for other in entries)]
    lines += [f"✗ {_line(entry, now)}  (its parent is gone)" for entry in lost]
    if not entries:
        return ["no backup yet"]
    if restorable_at is None:
        lines.append("→ the log leads to no instant beyond the newest backup")
    else:
        lines.append(f"→ log up to {restorable_at:%Y-%m-%d %H:%M:%S} UTC, {words(now - restorable_at)} ago")
    return lines


def _branch(entry: Entry, entries: Sequence[Entry], lead: str, below: str, now: datetime) -> Iterator[str]:
    yield f"{lead}{_MARKS[entry.kind]} {_line(entry, now)}"
    children = children_of(entry.label, entries)
    for number, child in enumerate(children):
        last = number == len(children) - 1
        yield from _branch(child, entries, below + ("└─" if last else "├─"), below + ("  " if last else "│ "), now)


def _line(entry: Entry, now: datetime) -> str:
    parts = [entry.label, f"{words(now - entry.finished_at)} ago", size(entry.stored_bytes)]
    if entry.checksum_state == "corrupt":
        parts.append("DAMAGED")
    elif entry.proven is not None:
        parts.append(f"proven {words(now - entry.proven.at)} ago, restored in {entry.proven.restore_ms / 1_000:.1f} s")
    else:
        parts.append("unproven")
    if entry.is_held:
        parts.append("held")
    return "  ".join(parts)


def size(count: int) -> str:
    """Return a number of bytes in words."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1_024:  # noqa: PLR2004 - the units' factor
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1_024
    return f"{amount:.1f} TiB"


def words(age: timedelta) -> str:
    """Return an age in its largest fitting unit."""
    seconds = int(age.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
