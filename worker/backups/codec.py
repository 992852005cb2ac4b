"""How objects are written: zstd (RFC 8878), then age (age-encryption.org/v1) when a key is set.

Both have tools of their own on every system, so that a backup can be read without this program.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final, cast

import pyrage
import zstandard

from worker.backups.streams import CHUNK, Sink, Source, Watched, written_by
from worker.errors import ConfigurationError

_THREADS: Final = min(len(os.sched_getaffinity(0)), 4)
"""Compress beside whoever encrypts, hashes and stores."""


class NotOursError(Exception):
    """What was read is encrypted to other keys."""


class DamagedError(Exception):
    """What was read was not written like this."""


class Codec:
    """Compresses and encrypts streams, and back.

    Args:
        keys: age identities (`AGE-SECRET-KEY-1…`); the first one encrypts, each decrypts. None: nothing is encrypted.
        level: zstd's.

    Raises:
        ConfigurationError: a key is none.
    """

    def __init__(self, keys: Sequence[str] = (), level: int = 1) -> None:
        self._level = level
        try:
            self._identities = [pyrage.x25519.Identity.from_str(key.strip()) for key in keys]
        except pyrage.IdentityError:
            raise ConfigurationError(
                "ELP_BACKUP_KEY must be age identities (AGE-SECRET-KEY-1…), with commas between them; "
                "`elp backups key` makes one"
            ) from None

    @property
    def suffix(self) -> str:
        """The ending of the names of new objects."""
        return ".zst.age" if self._identities else ".zst"

    @property
    def recipients(self) -> list[str]:
        """The public keys that new objects are encrypted to."""
        return [str(self._identities[0].to_public())] if self._identities else []

    @property
    def public_keys(self) -> list[str]:
        """The public halves of all keys: what was encrypted to one of them can be read."""
        return [str(identity.to_public()) for identity in self._identities]

    def seal(self, source: Source, sink: Sink, size: int = -1) -> None:
        """Write what `source` yields, compressed and, with a key, encrypted.

        Args:
            source: the bytes.
            sink: what gets them.
            size: how many there will be, if that is known.
        """
        compressor = zstandard.ZstdCompressor(level=self._level, write_checksum=True, threads=_THREADS)
        compressed = compressor.stream_reader(cast("IO[bytes]", source), size=size, read_size=CHUNK, closefd=False)
        if self._identities:
            watched, target = Watched(compressed), Watched(sink)
            with _original_error(watched, target):
                pyrage.encrypt_io(watched, target, [self._identities[0].to_public()])
            return
        while chunk := compressed.read(CHUNK):
            sink.write(chunk)

    def unseal(self, key: str, source: Source, sink: Sink) -> None:
        """Write what `seal` was given.

        Args:
            key: the object's name, whose ending tells how it was written.
            source: the stored bytes.
            sink: what gets the bytes.

        Raises:
            NotOursError: it is encrypted, and no key of ours fits.
            DamagedError: the bytes are not what `seal` wrote.
        """
        is_encrypted = key.endswith(".age")
        if is_encrypted and not self._identities:
            raise NotOursError
        with zstandard.ZstdDecompressor().stream_writer(
            cast("IO[bytes]", sink), closefd=False, write_size=CHUNK
        ) as plain:
            try:
                with written_by(lambda sealed: self._open(source, sealed, is_encrypted=is_encrypted)) as pieces:
                    for piece in pieces:
                        plain.write(piece)
            except zstandard.ZstdError as error:
                raise DamagedError(str(error)) from error

    def _open(self, source: Source, sink: Sink, *, is_encrypted: bool) -> None:
        """Write what stands in `source`, still compressed; read it to its end, for whoever hashes it."""
        if is_encrypted:
            watched, target = Watched(source), Watched(sink)
            try:
                with _original_error(watched, target):
                    pyrage.decrypt_io(watched, target, self._identities)
            except pyrage.DecryptError as error:
                if "No matching keys" in str(error):
                    raise NotOursError from error
                raise DamagedError(str(error)) from error
            except OSError as error:
                if str(error) == "decryption error":  # a chunk's authentication failed: what age's library calls it
                    raise DamagedError("age's authentication of its content failed") from error
                raise
        while chunk := source.read(CHUNK):
            if not is_encrypted:
                sink.write(chunk)


@contextmanager
def _original_error(*watched: Watched) -> Iterator[None]:
    """Raise what a stream raised: age's library makes another error of it, or at the very end none at all."""
    failure: Exception | None = None
    try:
        yield
    except (pyrage.EncryptError, pyrage.DecryptError, OSError) as error:
        failure = error
    for each in watched:
        if each.error is not None:
            raise each.error
    if failure is not None:
        raise failure


def new_key() -> tuple[str, str]:
    """Return a new age identity and its public key."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())
