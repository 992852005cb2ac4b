"""Takes a backup: pg_basebackup or pg_dump → zstd → age → store, in one stream."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
import psycopg

from worker import clock
from worker.backups import store
from worker.backups.catalogue import Catalogue
from worker.backups.chains import parent_for_next
from worker.backups.content import record_content
from worker.backups.entry import Content, Entry
from worker.backups.errors import BackupError, ObjectCorruptError, ObjectMissingError, ToolError
from worker.backups.lsn import parse_lsn
from worker.backups.programs import Programs, client_environment, connection_of, programs_for, widen
from worker.backups.repository import Repository, StoredObject
from worker.backups.server import ServerFacts, backup_lock, connect, keep_wal, read_facts
from worker.backups.streams import CHUNK
from worker.backups.tar_stream import TarTruncatedError, TarWatch
from worker.db import Connection
from worker.errors import ElpError
from worker.logging import get_logger
from worker.models.backups import BackupKind
from worker.settings import Settings

_log = get_logger(__name__)

INCREMENTAL_SINCE: Final = 17
"""PostgreSQL's version that has incremental backups."""
_MANIFEST: Final = "backup_manifest"


@dataclass(frozen=True)
class _Plan:
    """What is to be made."""

    id: UUID
    label: str
    kind: BackupKind
    parent: Entry | None
    started_at: datetime
    facts: ServerFacts
    programs: Programs
    max_rate_mb: int | None


def take(
    settings: Settings,
    kind: BackupKind,
    *,
    on_wait: Callable[[], object] = lambda: None,
    now: Callable[[], datetime] = clock.now,
    max_rate_mb: int | None = None,
) -> Entry:
    """Make a backup and return its catalogue entry; while another one is being made it waits for that.

    An incremental one becomes a full one where it can't be: before PostgreSQL 17, without `summarize_wal`, on a new
    cluster or timeline, or when the server's WAL summaries don't reach back to the newest backup.

    Args:
        settings: name database, repository and key.
        kind: what to make.
        on_wait: is called once if it has to wait.
        now: the clock.
        max_rate_mb: MB a second that a physical backup asks of the server, at most 1,024; None: all it can give.

    Raises:
        BackupError: it could not be made; nothing of it counts, what was stored is removed by the next pruning.
        NoRepositoryError: no repository is set.
    """
    repository = Repository.from_settings(settings)
    catalogue = Catalogue(repository)
    url = settings.required_database_url()
    with backup_lock(url, on_wait) as connection:
        facts = read_facts(connection)
        programs = programs_for(facts.major, settings)
        store.fail_unfinished(connection, now())  # whoever began them held the lock, and is gone
        store.mirror_all(connection, catalogue.entries(), repository.location)
        parent = _parent(catalogue, facts) if kind == "incremental" else None
        actual: BackupKind = "full" if kind == "incremental" and parent is None else kind
        try:
            return _take(repository, url, connection, _plan(actual, parent, facts, programs, max_rate_mb), now)
        except (ToolError, ObjectCorruptError, ObjectMissingError) as error:
            if parent is None or not _needs_full(error, parent):
                raise
            _log.warning("backup_incremental_impossible", parent=parent.label, reason=str(error)[-300:])
            again = _plan("full", None, read_facts(connection), programs, max_rate_mb)
            return _take(repository, url, connection, again, now)


def _plan(
    kind: BackupKind, parent: Entry | None, facts: ServerFacts, programs: Programs, max_rate_mb: int | None
) -> _Plan:
    identity = uuid4()
    label = f"{facts.clock_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{kind}-{identity.hex[:6]}"
    return _Plan(identity, label, kind, parent, facts.clock_at, facts, programs, max_rate_mb)


def _take(repository: Repository, url: str, connection: Connection, plan: _Plan, now: Callable[[], datetime]) -> Entry:
    label = plan.label
    store.begin(
        connection,
        plan.id,
        label,
        plan.kind,
        None if plan.parent is None else plan.parent.label,
        location=repository.location,
        server_version=plan.facts.server_version,
        started_at=plan.started_at,
    )
    _log.info("backup_began", label=label, kind=plan.kind, parent=plan.parent.label if plan.parent else None)
    try:
        entry = (
            _dump(repository, url, connection, plan)
            if plan.kind == "logical"
            else _copy(repository, url, connection, plan)
        )
        connection.execute("SELECT 1")  # the lock is held to this moment, or this backup does not count
        Catalogue(repository).add(entry)
    except (ElpError, OSError, psycopg.Error) as error:
        _log.error("backup_failed", label=label, reason=str(error))
        with suppress(psycopg.OperationalError), connect(url) as another:  # the backup's may be what failed
            store.fail(another, plan.id, str(error), now())
        if isinstance(error, ElpError):
            raise
        raise BackupError(f"the backup {label} failed: {error}") from error
    store.mirror(connection, [entry], repository.location)
    _log.info(
        "backup_made",
        label=label,
        size_bytes=entry.size_bytes,
        stored_bytes=entry.stored_bytes,
        seconds=(entry.finished_at - entry.started_at).total_seconds(),
    )
    return entry


def _copy(repository: Repository, url: str, connection: Connection, plan: _Plan) -> Entry:
    """Make a physical backup that holds the write-ahead log it needs to be consistent."""
    keep_wal(connection, plan.label)
    target, secret = connection_of(url, "elp-backup")
    arguments = ["-d", target, "-D", "-", "-F", "tar", "-X", "fetch", "--checkpoint", "fast", "--label", plan.label]
    arguments += ["--no-password"]
    if plan.max_rate_mb is not None:
        arguments += ["--max-rate", f"{plan.max_rate_mb}M"]
    with TemporaryDirectory(prefix="elp-backup-") as folder:
        if plan.parent is not None:
            manifest = Path(folder) / _MANIFEST
            with manifest.open("wb") as file:
                repository.get_stream(plan.parent.objects["manifest"], file)
            arguments += ["--incremental", str(manifest)]
        watch = TarWatch(frozenset({_MANIFEST}))
        base = _piped(
            repository,
            f"backups/{plan.label}/base.tar",
            plan.programs.tethered("pg_basebackup", *arguments),
            secret,
            watch=watch,
            expected_bytes=plan.facts.size_bytes,
        )
    manifest_bytes = bytes(watch.found.get(_MANIFEST, b""))
    ranges = _wal_ranges(manifest_bytes)
    row = connection.execute(
        "SELECT clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    ).fetchone()
    assert row is not None, "functions' values"
    finished_at, next_xid = row
    content = record_content(url, f"elp-{plan.label}", finished_at)
    held = repository.put_stream(f"backups/{plan.label}/manifest", _Bytes(manifest_bytes))
    return _entry(
        repository,
        plan,
        finished_at,
        {"base": base, "manifest": held},
        timeline=ranges[-1]["Timeline"],
        start_lsn=ranges[0]["Start-LSN"],
        end_lsn=ranges[-1]["End-LSN"],
        next_xid=next_xid,
        content=content,
    )


def _dump(repository: Repository, url: str, connection: Connection, plan: _Plan) -> Entry:
    """Make a portable copy with pg_dump, in its custom format, uncompressed: zstd does that better."""
    target, secret = connection_of(url, "elp-backup")
    command = plan.programs.tethered("pg_dump", "-d", target, "-F", "custom", "-Z", "0", "--no-password")
    dump = _piped(repository, f"backups/{plan.label}/dump", command, secret, expected_bytes=plan.facts.size_bytes)
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None, "a function's value"
    return _entry(repository, plan, row[0], {"dump": dump})


def _entry(
    repository: Repository,
    plan: _Plan,
    finished_at: datetime,
    objects: dict[Literal["base", "manifest", "dump"], StoredObject],
    *,
    timeline: int | None = None,
    start_lsn: str | None = None,
    end_lsn: str | None = None,
    next_xid: int | None = None,
    content: Content | None = None,
) -> Entry:
    return Entry(
        id=plan.id,
        label=plan.label,
        kind=plan.kind,
        parent=plan.parent.label if plan.parent else None,
        system_identifier=plan.facts.system_identifier,
        server_version=plan.facts.server_version,
        database=plan.facts.database,
        superuser=plan.facts.superuser,
        segment_bytes=plan.facts.segment_bytes,
        timeline=timeline,
        start_lsn=start_lsn,
        end_lsn=end_lsn,
        next_xid=next_xid,
        started_at=plan.started_at,
        finished_at=finished_at,
        size_bytes=sum(stored.size_bytes for stored in objects.values()),
        stored_bytes=sum(stored.stored_bytes for stored in objects.values()),
        objects=objects,
        encrypted_to=repository.codec.recipients,
        content=content,
    )


def _parent(catalogue: Catalogue, facts: ServerFacts) -> Entry | None:
    if facts.major < INCREMENTAL_SINCE or not facts.summarizes_wal:
        return None
    return parent_for_next(
        catalogue.entries(),
        system_identifier=facts.system_identifier,
        major=facts.major,
        timeline=facts.timeline,
    )


def _needs_full(error: ToolError | ObjectCorruptError | ObjectMissingError, parent: Entry) -> bool:
    """Tell whether nothing can build on the parent: its manifest is damaged, or the server lacks what came since."""
    if isinstance(error, ToolError):
        return "WAL summar" in error.said or "manifest" in error.said
    return error.key == parent.objects["manifest"].key


def _wal_ranges(manifest: bytes) -> list[dict[str, Any]]:
    try:
        ranges: list[dict[str, Any]] = msgspec.json.decode(manifest)["WAL-Ranges"]
        return sorted(ranges, key=lambda each: (each["Timeline"], parse_lsn(each["Start-LSN"])))
    except (msgspec.DecodeError, KeyError) as error:
        raise BackupError("pg_basebackup wrote no manifest") from error


class _Bytes:
    """Reads from bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    def read(self, size: int = -1) -> bytes:
        size = len(self._left) if size < 0 else size
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)


class _Output:
    """Reads a program's output, shows it to the watch, and fails at its end if the program did."""

    def __init__(self, program: "subprocess.Popen[bytes]", name: str, errors: Any, watch: TarWatch | None) -> None:
        assert program.stdout is not None, "piped"
        self._pipe = program.stdout
        self._program = program
        self._name = name
        self._errors = errors
        self._watch = watch
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        data = self._pipe.read(CHUNK if size < 0 else size)
        if data:
            if self._watch is not None:
                self._watch.feed(data)
            return data
        if not self._ended:
            self._ended = True
            self._check()
        return b""

    def _check(self) -> None:
        code = self._program.wait()
        if code != 0:
            self._errors.seek(0)
            raise ToolError(self._name, code, self._errors.read().decode(errors="replace"))
        if self._watch is not None:
            try:
                self._watch.finish()
            except TarTruncatedError:
                raise BackupError(f"what {self._name} wrote is cut off") from None


def _piped(
    repository: Repository,
    key: str,
    command: list[str],
    secret: dict[str, str],
    *,
    watch: TarWatch | None = None,
    expected_bytes: int,
) -> StoredObject:
    """Store a program's output; if the program fails, nothing is stored."""
    name = Path(next(word for word in command if "/pg_" in word)).name
    with TemporaryFile() as errors, _running(command, secret, errors) as program:
        return repository.put_stream(key, _Output(program, name, errors, watch), expected_bytes=expected_bytes)


@contextmanager
def _running(command: list[str], secret: dict[str, str], errors: Any) -> Iterator["subprocess.Popen[bytes]"]:
    program = subprocess.Popen(  # noqa: S603 - PostgreSQL's own
        command,
        env={**client_environment(), **secret},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd="/",
    )
    assert program.stdout is not None, "piped"
    widen(program.stdout)
    try:
        yield program
    finally:
        if program.poll() is None:
            program.kill()
        program.wait()
        program.stdout.close()  # only now: a thread that still reads would hold it
