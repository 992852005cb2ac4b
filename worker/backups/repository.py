"""The repository: a folder or a bucket, through one library; every object is streamed and has a checksum."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, from_url

from worker.backups.codec import Codec, DamagedError, NotOursError
from worker.backups.errors import (
    NoRepositoryError,
    ObjectCorruptError,
    ObjectMissingError,
    StoreError,
    WrongKeyError,
)
from worker.backups.local_file import LocalFile, sync
from worker.backups.streams import CHUNK, Chunks, Counted, Hashed, Sink, Source
from worker.errors import ConfigurationError
from worker.logging import masked
from worker.settings import Settings

_PARTS: Final = 9_000
"""S3 takes 10,000 parts of an object."""
_PART_BYTES: Final = 8 << 20
_PARTS_AT_ONCE: Final = 4
_TIMEOUT_S: Final = 30
_RETRIES: Final = 5
_PATIENCE: Final = timedelta(seconds=20)
"""How long a request to an object store is repeated; whoever asked for it has a patience of its own."""


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object as a catalogue entry names it."""

    key: str
    sha256: str
    """Of the stored bytes, so that `sha256sum` alone can check it."""
    stored_bytes: int
    size_bytes: int
    """Before compression."""


class Repository:
    """Objects by their keys.

    Args:
        location: a path, or a URL as `file:///…` or `s3://bucket/prefix`; credentials come from the environment, as the
            store's own tools have them (AWS_…).
        codec: compresses and encrypts.

    Raises:
        ConfigurationError: the location is none.
    """

    def __init__(self, location: str, codec: Codec) -> None:
        self.codec = codec
        self.folder: Path | None = None
        """The folder of a local repository."""
        url = location if "://" in location else Path(location).absolute().as_uri()
        try:
            if url.startswith("file://"):
                self.folder = Path(urlsplit(url).path)
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._store: Any = LocalStore(self.folder)
            else:
                self._store = from_url(
                    url,
                    client_options={
                        "timeout": timedelta(seconds=_TIMEOUT_S),
                        "connect_timeout": timedelta(seconds=5),
                        "allow_http": os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"),
                    },
                    retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
                )
        except (BaseError, OSError, ValueError) as error:
            reason = masked(_short(error))
            raise ConfigurationError(f"ELP_BACKUP_REPOSITORY {_bare(url)!r} cannot be used: {reason}") from None
        self.location = _bare(url)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Repository":
        """Return the repository that the settings name.

        Raises:
            NoRepositoryError: they name none.
            ConfigurationError: its location or the key is wrong.
        """
        if settings.backup_repository is None:
            raise NoRepositoryError
        keys = settings.backup_key.get_secret_value().split(",") if settings.backup_key else []
        return cls(settings.backup_repository, Codec(keys, settings.backup_compression_level))

    def put_stream(self, key: str, source: Source, *, expected_bytes: int = 0) -> StoredObject:
        """Store what `source` yields under `key` and the codec's ending; memory stays flat.

        It appears whole or not at all.

        Args:
            key: its name without the ending.
            source: its bytes.
            expected_bytes: about how many, so that the store gets parts large enough.

        Raises:
            StoreError: the store refused.
        """
        key += self.codec.suffix
        counted = Counted(source)
        with self._writer(key, expected_bytes) as writer:
            stored = _Stored(writer, key)
            hashed = Hashed(stored)
            self.codec.seal(counted, hashed)
            stored.close()
        return StoredObject(
            key=key, sha256=hashed.digest.hexdigest(), stored_bytes=hashed.bytes, size_bytes=counted.bytes
        )

    @contextmanager
    def _writer(self, key: str, expected_bytes: int) -> Iterator[Any]:
        """Yield what takes an object's bytes; unless it is closed, there will be no object."""
        if self.folder is None:
            part = max(_PART_BYTES, expected_bytes // _PARTS)
            with _store_errors(key):
                # Not as a context manager: that would store what had come when an error cut it short.
                writer = obstore.open_writer(self._store, key, buffer_size=part, max_concurrency=_PARTS_AT_ONCE)
            yield writer
            return
        try:
            file = LocalFile(self.folder / key)
        except OSError as error:
            raise StoreError(key, _short(error)) from error
        try:
            yield file
        finally:
            file.abandon()

    def put_sealed(self, key: str, data: bytes) -> None:
        """Store bytes as they are, all or nothing.

        Raises:
            StoreError: the store refused.
        """
        with _store_errors(key):
            obstore.put(self._store, key, data, use_multipart=False)
        self._sync(key)

    def put_new(self, key: str, data: bytes) -> bool:
        """Store bytes under a name that is free, and tell whether it was.

        Raises:
            StoreError: the store refused.
        """
        with _store_errors(key):
            try:
                obstore.put(self._store, key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        self._sync(key)
        return True

    def get(self, key: str) -> bytes:
        """Return an object's stored bytes.

        Raises:
            ObjectMissingError: there is none.
            StoreError: the store refused.
        """
        with _store_errors(key):
            return obstore.get(self._store, key).bytes().to_bytes()

    def get_stream(self, stored: StoredObject, sink: Sink) -> None:
        """Write an object's content to `sink`, and check it on the way: what was written counts only after the return.

        Raises:
            ObjectMissingError: it is not there.
            ObjectCorruptError: it is not what was stored.
            WrongKeyError: it is encrypted to other keys.
            StoreError: the store refused.
        """
        key = stored.key
        with _store_errors(key):
            source = Hashed(Chunks(obstore.get(self._store, key).stream(min_chunk_size=CHUNK)))
            try:
                self.codec.unseal(key, source, sink)
            except NotOursError:
                raise WrongKeyError(key) from None
            except DamagedError as error:
                raise ObjectCorruptError(key, str(error)) from error
        if source.digest.hexdigest() != stored.sha256:
            raise ObjectCorruptError(key, f"its SHA-256 is {source.digest.hexdigest()}, stored was {stored.sha256}")

    def keys(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the names and stored sizes of the objects below a prefix, which ends where a name's part ends."""
        with _store_errors(prefix):
            for batch in obstore.list(self._store, prefix or None, chunk_size=1_000):
                for meta in batch:
                    yield meta["path"], meta["size"]

    def folders(self, prefix: str) -> list[str]:
        """Return the next parts of the names that go on below a prefix, in order."""
        with _store_errors(prefix):
            found = obstore.list_with_delimiter(self._store, prefix or None)
        return sorted(path.rpartition("/")[2] for path in found["common_prefixes"])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone already don't matter."""
        for key in keys:
            with _store_errors(key):
                try:
                    obstore.delete(self._store, key)
                except FileNotFoundError:
                    continue
            if self.folder is not None:
                self._remove_empty((self.folder / key).parent)

    def delete_below(self, prefix: str) -> None:
        """Delete all objects below a prefix, and what a process that was killed left there of one."""
        self.delete([key for key, _ in self.keys(prefix)])
        if self.folder is not None:
            shutil.rmtree(self.folder / prefix, ignore_errors=True)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.folder:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty, or gone
            folder = folder.parent

    def _sync(self, key: str) -> None:
        """Have a local object, and its name, on the disk: the library writes and renames and leaves it at that."""
        if self.folder is not None:
            sync(self.folder / key)
            sync((self.folder / key).parent)


class _Stored:
    """Names the object in the store's own errors, a full disk among them."""

    def __init__(self, writer: Any, key: str) -> None:
        self._writer = writer
        self._key = key

    def write(self, data: bytes) -> None:
        with self._named():
            self._writer.write(data)

    def close(self) -> None:
        with self._named():
            self._writer.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            raise StoreError(self._key, _short(error)) from error


@contextmanager
def _store_errors(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissingError(key) from error
    except BaseError as error:
        raise StoreError(key, _short(error)) from error


def _short(error: Exception) -> str:
    return str(error).split("\n\nDebug source", 1)[0].strip()


def _bare(url: str) -> str:
    """Return a URL without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
