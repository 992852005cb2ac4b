"""The catalogue in the repository: `catalogue/<label>.json`, an object a backup, written when it is complete."""

from collections.abc import Sequence
from typing import Final

import msgspec

from worker.backups.entry import Entry
from worker.backups.errors import BackupError, ObjectCorruptError, UnknownBackupError
from worker.backups.repository import Repository

FOLDER: Final = "catalogue"


class Catalogue:
    """The backups of a repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def entries(self) -> list[Entry]:
        """Return all backups, oldest first by when they began.

        Raises:
            ObjectCorruptError: an entry cannot be read.
            StoreError: the store failed.
        """
        found = [self._read(key) for key, _ in self._repository.keys(FOLDER) if key.endswith(".json")]
        return sorted(found, key=lambda entry: (entry.started_at, entry.label))

    def get(self, label: str) -> Entry:
        """Return one backup.

        Raises:
            UnknownBackupError: there is none of that label.
        """
        for entry in self.entries():
            if entry.label == label:
                return entry
        raise UnknownBackupError(label)

    def add(self, entry: Entry) -> None:
        """Write a new backup down: from now on it exists.

        Raises:
            BackupError: there is one of that label.
        """
        if not self._repository.put_new(_key(entry.label), _encoded(entry)):
            raise BackupError(f"there is a backup {entry.label} already")

    def replace(self, entry: Entry) -> None:
        """Write down what has become known of a backup."""
        self._repository.put_sealed(_key(entry.label), _encoded(entry))

    def change(self, label: str, **values: object) -> Entry:
        """Change some of what is known of a backup, and return it."""
        entry = msgspec.structs.replace(self.get(label), **values)
        self.replace(entry)
        return entry

    def remove(self, labels: Sequence[str]) -> None:
        """Forget backups. Their objects are the caller's to delete, afterwards."""
        self._repository.delete(_key(label) for label in labels)

    def _read(self, key: str) -> Entry:
        try:
            return msgspec.json.decode(self._repository.get(key), type=Entry)
        except msgspec.DecodeError as error:
            raise ObjectCorruptError(key, str(error)) from error


def _key(label: str) -> str:
    return f"{FOLDER}/{label}.json"


def _encoded(entry: Entry) -> bytes:
    return msgspec.json.format(msgspec.json.encode(entry), indent=1)
