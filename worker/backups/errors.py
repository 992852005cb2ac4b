"""What can go wrong with backups, each with the object, the place or the tool that it went wrong with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from worker.errors import ConfigurationError, ElpError


class BackupError(ElpError):
    """A backup could not be made, found or restored."""


class NoRepositoryError(ConfigurationError):
    """No repository is set."""

    def __init__(self) -> None:
        super().__init__("ELP_BACKUP_REPOSITORY is not set: name a folder or s3://bucket/prefix for the backups")


class StoreError(BackupError):
    """The repository's store refused or could not be reached."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"the backup repository failed at {key}: {reason}")
        self.key = key


class ObjectMissingError(BackupError):
    """The repository lacks an object that it should have."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the backup repository has no {key}")
        self.key = key


class ObjectCorruptError(BackupError):
    """An object is not what was stored."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} in the backup repository is damaged: {reason}")
        self.key = key


class WrongKeyError(BackupError):
    """An object is encrypted to keys that ELP_BACKUP_KEY does not hold."""

    def __init__(self, key: str, needed: Sequence[str] = ()) -> None:
        whose = f" to {', '.join(needed)}" if needed else ""
        super().__init__(f"{key} is encrypted{whose}, and ELP_BACKUP_KEY does not hold that key")
        self.key = key


class ToolError(BackupError):
    """One of PostgreSQL's programs failed."""

    def __init__(self, tool: str, code: int, said: str) -> None:
        super().__init__(f"{tool} ended with {code}: {said.strip()[-1_500:] or 'it said nothing'}")
        self.tool = tool
        self.said = said


class NoRoomError(BackupError):
    """A file system has not enough room for a restore."""

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        super().__init__(
            f"{folder} has {free / 2**20:,.0f} MiB free and the restore needs {needed / 2**20:,.0f} MiB: "
            "free space, or name another folder (ELP_BACKUP_SCRATCH_DIR for verification)"
        )


class NoBackupError(BackupError):
    """No backup serves the purpose."""


class UnknownBackupError(BackupError):
    """There is no backup of that label."""

    def __init__(self, label: str) -> None:
        super().__init__(f"the repository has no backup {label!r}: `elp backups list` shows them")


class DamagedBackupsError(BackupError):
    """Every backup that serves is damaged."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        listed = "; ".join(f"{label}: {problem}" for label, problem in problems.items())
        super().__init__(f"no backup that serves can be restored: {listed}")
        self.problems = dict(problems)
        """By the backups' labels."""


class WalGapError(BackupError):
    """Write-ahead log between a backup and the wanted instant is missing."""

    def __init__(self, segment: str) -> None:
        super().__init__(
            f"the write-ahead log has a gap: segment {segment} is not in the repository; "
            "only instants before it, or after the end of a later backup, can be restored"
        )
        self.segment = segment


class TargetNotReachedError(BackupError):
    """The write-ahead log ends before the wanted instant or transaction."""

    def __init__(self, target: str, said: str) -> None:
        super().__init__(f"recovery ended before {target} was reached; `--latest` restores all there is. {said}")


class RecoveryError(BackupError):
    """The restored server did not come up."""


class CheckFailedError(BackupError):
    """A restored database is not what was backed up."""

    def __init__(self, failed: Sequence[str]) -> None:
        super().__init__("the restored database failed: " + "; ".join(failed))
        self.failed = tuple(failed)


class SlotLostError(BackupError):
    """The server threw away write-ahead log that was not received yet."""
