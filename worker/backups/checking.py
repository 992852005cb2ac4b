"""The minute's look: does the log arrive, which is the newest instant that could be restored, is the slot well?"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import dict_row

from worker.backups.catalogue import Catalogue
from worker.backups.chains import is_sound
from worker.backups.entry import Entry
from worker.backups.errors import BackupError
from worker.backups.lsn import parse_lsn
from worker.backups.repository import Repository
from worker.backups.server import PACKAGE, connect, mark_log, read_facts
from worker.backups.wal_archive import WalArchive
from worker.db import Connection
from worker.db.queries import load_query
from worker.settings import Settings

_ARRIVES_WITHIN_S: Final = 5.0
_TOO_OLD: Final = timedelta(days=2)
"""Backups are nightly."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found."""

    location: str
    checked_at: datetime
    restorable_at: datetime | None
    """This instant, or None when the log up to it did not arrive or no backup leads to it."""
    slot_state: str
    retained_bytes: int | None
    problems: Sequence[str]
    needs_full: bool
    """Without a new full backup no instant from now on can be restored."""


def check(settings: Settings, now: datetime) -> Check:
    """Look at the server's slot and at the repository.

    A repository that can't be reached is a problem, not an error: this is what is there to tell.
    """
    repository = Repository.from_settings(settings)
    problems: list[str] = []
    needs_full = False
    restorable_at = None
    with connect(settings.required_database_url()) as connection:
        slot_state, retained = _slot(connection, settings.backup_slot, problems)
        facts = read_facts(connection)
        mark = mark_log(connection)
    archive = WalArchive(repository, facts.system_identifier, facts.segment_bytes)
    try:
        newest = _newest(Catalogue(repository).entries(), facts.system_identifier)
        arrived = arrives(archive, parse_lsn(mark))
        if not arrived:
            problems.append(f"the log up to {mark} did not arrive within {_ARRIVES_WITHIN_S:g} s: is `wal` running?")
        if newest is None:
            needs_full = True
            problems.append("there is no sound backup of this cluster")
        else:
            gap = archive.first_gap(newest)
            if gap is not None:
                needs_full = True
                problems.append(f"the log has a gap after {newest.label}: {gap} is missing; a full backup closes it")
            elif now - newest.finished_at > _TOO_OLD:
                problems.append(f"the newest backup, {newest.label}, is older than {_TOO_OLD.days} days")
            if arrived and gap is None:
                restorable_at = now
    except BackupError as error:
        problems.append(str(error))
    return Check(repository.location, now, restorable_at, slot_state, retained, problems, needs_full)


def save(connection: Connection, found: Check) -> None:
    """Write down what was found, for metrics and the doctor."""
    values = {
        "location": found.location,
        "checked_at": found.checked_at,
        "restorable_at": found.restorable_at,
        "slot_state": found.slot_state,
        "retained_bytes": found.retained_bytes,
        "problems": list(found.problems),
    }
    connection.execute(load_query(PACKAGE, "save_check"), values)


def _slot(connection: Connection, slot: str, problems: list[str]) -> tuple[str, int | None]:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(load_query(PACKAGE, "slot"), {"slot": slot}).fetchone()
    if row is None:
        problems.append(f"there is no replication slot {slot}: start the process `wal`")
        return "missing", None
    if row["wal_status"] == "lost":
        problems.append(f"the slot {slot} is lost: the server threw away log that was not received")
    elif row["wal_status"] == "unreserved":
        problems.append(f"the slot {slot} is about to be lost: max_slot_wal_keep_size is exceeded")
    elif not row["active"]:
        problems.append(f"nobody receives from the slot {slot}: start the process `wal`")
        return "idle", row["retained_bytes"]
    return row["wal_status"], row["retained_bytes"]


def _newest(entries: Sequence[Entry], system_identifier: str) -> Entry | None:
    by_label = {entry.label: entry for entry in entries}
    sound = [
        entry
        for entry in entries
        if entry.is_physical and entry.system_identifier == system_identifier and is_sound(entry, by_label)
    ]
    return max(sound, key=lambda entry: (entry.timeline or 0, parse_lsn(entry.end_lsn or "0/0")), default=None)


def arrives(archive: WalArchive, position: int) -> bool:
    """Wait a little for the log up to a position, and tell whether it came."""
    deadline = time.monotonic() + _ARRIVES_WITHIN_S
    while True:
        end = archive.end_of()
        if end is not None and end[1] >= position:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.5)
