"""A drill: write a marker, restore to just before and just after its commit, see that it is missing and there."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg

from worker import clock
from worker.backups.chains import Target
from worker.backups.checking import arrives
from worker.backups.checks import CheckResult
from worker.backups.errors import BackupError
from worker.backups.lsn import parse_lsn
from worker.backups.programs import Programs
from worker.backups.recovery import RestoredServer
from worker.backups.repository import Repository
from worker.backups.restoring import Progress, no_progress
from worker.backups.server import connect, mark_log, read_facts
from worker.backups.verifying import Restored, restore, scratch_folder
from worker.backups.wal_archive import WalArchive
from worker.errors import ElpError
from worker.settings import Settings

_APART_S: Final = 0.05
"""Between the instant that is recovered to and the marker's commit."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill came to."""

    id: UUID
    before: Restored
    """Restored to an instant just before the marker."""
    after: Restored
    """Restored to the marker's own transaction."""


def drill(settings: Settings, *, progress: Progress = no_progress, now: Callable[[], datetime] = clock.now) -> Drill:
    """Hold a drill and write down what came of it.

    Raises:
        BackupError: the log did not arrive, a restore failed, or the marker was where it should not be or not where it
            should.
    """
    url = settings.required_database_url()
    with connect(url) as connection:
        facts = read_facts(connection)
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None, "a function's value"
        before_at: datetime = row[0]
        time.sleep(_APART_S)
        marked = connection.execute(
            "INSERT INTO backup_drills (marked_at) VALUES (%s) RETURNING id, pg_current_xact_id()::text::bigint",
            [now()],
        ).fetchone()
        assert marked is not None, "inserted"
        identity, xid = marked
        position = parse_lsn(mark_log(connection))
    try:
        archive = WalArchive(Repository.from_settings(settings), facts.system_identifier, facts.segment_bytes)
        if not arrives(archive, position):
            raise BackupError("the marker's log did not arrive in the repository: is the process `wal` running?")
        done = Drill(
            identity,
            _restored(settings, Target(at=before_at), identity, expected=False, progress=progress),
            _restored(settings, Target(xid=xid), identity, expected=True, progress=progress),
        )
    except (ElpError, OSError, psycopg.Error) as error:
        _finish(url, identity, None, None, str(error), now())
        raise
    _finish(url, identity, done.after.entry.label, done.after.restore_ms, None, now())
    return done


def _restored(settings: Settings, target: Target, identity: UUID, *, expected: bool, progress: Progress) -> Restored:
    def look(server: RestoredServer, _: Programs) -> Sequence[CheckResult]:
        with server.connect() as connection:
            found = connection.execute("SELECT FROM backup_drills WHERE id = %s", [identity]).fetchone() is not None
        wanted = "there" if expected else "missing"
        return [CheckResult(f"marker is {wanted}", None if found is expected else f"it is not {wanted}")]

    with scratch_folder(settings) as folder:
        return restore(settings, folder / "data", target, durable=False, use=look, progress=progress)


def _finish(
    url: str, identity: UUID, label: str | None, restore_ms: int | None, error: str | None, now: datetime
) -> None:
    with connect(url) as connection:
        connection.execute(
            "UPDATE backup_drills SET finished_at = %s, label = %s, restore_ms = %s, error = %s WHERE id = %s",
            (now, label, restore_ms, error, identity),
        )
