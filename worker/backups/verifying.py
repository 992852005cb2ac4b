"""Verification is a restore: a chain is brought back beside the database, recovered, checked and thrown away."""

import os
import pwd
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from worker import clock
from worker.backups import store
from worker.backups.catalogue import Catalogue
from worker.backups.chains import LATEST, Target
from worker.backups.checks import CheckResult, check_database
from worker.backups.entry import Entry, Proof
from worker.backups.errors import (
    CheckFailedError,
    DamagedBackupsError,
    ObjectCorruptError,
    ObjectMissingError,
    ToolError,
    UnknownBackupError,
)
from worker.backups.programs import Programs, programs_for
from worker.backups.recovery import RestoredServer, recovered
from worker.backups.repository import Repository
from worker.backups.restoring import Progress, Restorer, chains_for, first_after, no_progress
from worker.backups.server import connect
from worker.backups.wal_archive import WalArchive
from worker.embedded.account import Account, server_account
from worker.errors import ConfigurationError
from worker.logging import get_logger
from worker.settings import Settings

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore."""

    entry: Entry
    """The backup it began with."""
    target: Target
    restore_ms: int
    segments: int
    """Of write-ahead log that were fetched."""
    checks: Sequence[CheckResult]
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Newer backups that could not be used, with the reason."""


Use = Callable[[RestoredServer, Programs], Sequence[CheckResult]]


def restore(
    settings: Settings,
    directory: Path,
    target: Target = LATEST,
    *,
    label: str | None = None,
    account: Account | None = None,
    durable: bool = True,
    thorough: bool = False,
    use: Use | None = None,
    progress: Progress = no_progress,
) -> Restored:
    """Restore into a new folder, recover to the target, check, and leave a cluster that was shut down in order.

    If the best backup turns out damaged, it is written down as such and an older chain is used.

    Args:
        settings: name the repository, the keys and the programs.
        directory: must not exist or be empty.
        target: where recovery ends.
        label: the backup to begin with; None: the one that leaves the least log to play.
        account: whom the files belong to; None: for root the servers' account, else the caller.
        durable: whether the files are forced to the disk.
        thorough: look into each page and index; it changes the database (extension amcheck), so for a scratch one.
        use: more checks on the server while it runs.
        progress: hears how far it is.

    Raises:
        NoBackupError: nothing serves the target.
        TargetNotReachedError: the log ends before it.
        WalGapError: log is missing on the way.
        CheckFailedError: what came back is not what was backed up.
        BackupError: anything else, by what it is about.
    """
    repository = Repository.from_settings(settings)
    catalogue = Catalogue(repository)
    entries = catalogue.entries()
    if label is not None and all(entry.label != label for entry in entries):
        raise UnknownBackupError(label)
    account = account or server_account()
    damaged: dict[str, str] = {}
    existed = directory.exists()
    for chain in chains_for(entries, target, label):
        if damaged.keys() & {link.label for link in chain}:
            continue
        try:
            done = _restore_chain(
                settings,
                repository,
                entries,
                chain,
                target,
                directory,
                account,
                durable=durable,
                thorough=thorough,
                use=use,
                progress=progress,
            )
        except (ObjectCorruptError, ObjectMissingError) as error:
            link = next((link for link in chain if f"/{link.label}/" in error.key), None)
            if link is None:
                raise  # write-ahead log: no other chain can do without it
            _empty(directory, keep=existed)
            _log.error("backup_damaged", label=link.label, key=error.key, reason=str(error))
            catalogue.change(link.label, checksum_state="corrupt", problem=str(error))
            damaged[link.label] = str(error)
            continue
        failed = [f"{check.name}: {check.problem}" for check in done.checks if check.problem]
        if failed:
            raise CheckFailedError(failed)
        return replace(done, damaged=damaged)
    raise DamagedBackupsError(damaged)


def restore_as(
    settings: Settings,
    directory: Path,
    target: Target,
    *,
    label: str | None,
    owner: str | None,
    progress: Progress,
) -> Restored:
    """Restore for good, with the files given to an account by its name.

    Raises:
        ConfigurationError: there is no such account, or only root could give files to it.
        BackupError: as `restore` says.
    """
    account = None
    if owner is not None:
        try:
            found = pwd.getpwnam(owner)
        except KeyError:
            raise ConfigurationError(f"there is no account {owner}") from None
        if os.geteuid() != 0:
            raise ConfigurationError("only root can give the files to another account")
        account = Account(found.pw_name, found.pw_uid, found.pw_gid)
    return restore(settings, directory, target, label=label, account=account, progress=progress)


def verify(
    settings: Settings,
    *,
    label: str | None = None,
    progress: Progress = no_progress,
    now: Callable[[], datetime] = clock.now,
) -> Restored:
    """Restore a backup, by default the newest, to a scratch server, check it, and write down that it is proven.

    It is recovered to the restore point that was set after it, where the tables must be exactly what they were; when
    the log does not reach there, to the backup's end.

    Raises:
        BackupError: it could not be restored, or failed a check.
    """
    repository = Repository.from_settings(settings)
    catalogue = Catalogue(repository)
    entries = catalogue.entries()
    damaged: dict[str, str] = {}
    for chain in chains_for(entries, LATEST, label):
        entry = chain[-1]
        if damaged.keys() & {link.label for link in chain}:
            continue
        target = _proving_target(repository, entry)
        try:
            with scratch_folder(settings) as folder:
                done = restore(
                    settings,
                    folder / "data",
                    target,
                    label=entry.label,
                    durable=False,
                    thorough=True,
                    progress=progress,
                )
        except DamagedBackupsError as error:
            damaged |= error.problems
            continue
        proof = Proof(
            at=now(), restore_ms=done.restore_ms, target=str(target), checks=[check.name for check in done.checks]
        )
        for link in chain[:-1]:
            catalogue.change(link.label, checksum_state="valid")
        proven = catalogue.change(entry.label, proven=proof, checksum_state="valid")
        mirror_catalogue(settings, catalogue, repository)
        _log.info("backup_proven", label=entry.label, restore_ms=done.restore_ms, target=str(target))
        return replace(done, entry=proven, damaged=damaged)
    mirror_catalogue(settings, catalogue, repository)
    raise DamagedBackupsError(damaged)


def mirror_catalogue(settings: Settings, catalogue: Catalogue, repository: Repository) -> None:
    """Have the table `backups` say what the catalogue says, if the database is there: it need not be."""
    if settings.database_url is None:
        return
    try:
        with connect(settings.database_url) as connection:
            store.mirror_all(connection, catalogue.entries(), repository.location)
    except psycopg.Error as error:
        _log.warning("backups_not_mirrored", reason=str(error).strip())


@contextmanager
def scratch_folder(settings: Settings) -> Iterator[Path]:
    """Yield a folder for a restore that is thrown away."""
    parent = settings.backup_scratch_dir
    if parent is not None:
        parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix="elp-restore-", dir=parent))
    if server_account() is not None:
        folder.chmod(0o711)  # the server's account passes through
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _restore_chain(
    settings: Settings,
    repository: Repository,
    entries: list[Entry],
    chain: list[Entry],
    target: Target,
    directory: Path,
    account: Account | None,
    *,
    durable: bool,
    thorough: bool,
    use: Use | None,
    progress: Progress,
) -> Restored:
    entry = chain[-1]
    programs = programs_for(entry.major, settings)
    began = time.monotonic()
    later = first_after(entries, entry, _instant(entry, target))
    restorer = Restorer(repository, programs, account, progress)
    segments = restorer.restore(chain, target, directory, later)
    progress("recover", 0, 0)
    at_point = target.name is not None and entry.content is not None and entry.content.restore_point == target.name
    with recovered(
        directory,
        programs,
        account,
        target,
        superuser=entry.superuser,
        database=entry.database,
        durable=durable,
    ) as server:
        restore_ms = int((time.monotonic() - began) * 1_000)
        progress("check", 0, 0)
        checks: Sequence[CheckResult] = check_database(
            server, programs, entry.content, at_restore_point=at_point, structure=thorough
        )
        if use is not None:
            checks = [*checks, *use(server, programs)]
    if thorough:
        checks = [*checks, _page_checksums(programs, directory, account)]
    return Restored(entry, target, restore_ms, segments, checks)


def _instant(entry: Entry, target: Target) -> datetime | None:
    if target.at is not None:
        return target.at
    return entry.finished_at if target.name is not None else None


def _page_checksums(programs: Programs, directory: Path, account: Account | None) -> CheckResult:
    try:
        programs.run("pg_checksums", "--check", "-D", str(directory), account=account)
    except ToolError as error:
        if "not enabled" in error.said:
            return CheckResult("page checksums: not enabled")
        return CheckResult("page checksums", error.said.strip()[-500:])
    return CheckResult("page checksums")


def _proving_target(repository: Repository, entry: Entry) -> Target:
    """Return the restore point if the log reaches beyond it, else the backup's end."""
    content = entry.content
    if content is not None and content.point_lsn is not None:
        archive = WalArchive(repository, entry.system_identifier, entry.segment_bytes)
        if archive.reaches(entry, content.point_lsn):
            return Target(name=content.restore_point)
    return Target(is_backup_end=True)


def _empty(directory: Path, *, keep: bool) -> None:
    if not directory.exists():
        return
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    if not keep:
        directory.rmdir()
