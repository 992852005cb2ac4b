"""How objects are written: zstd (RFC 8878), then age (age-encryption.org/v1) when a key is set.

Both have tools of their own on every system, so that a backup can be read without this program.
"""

from collections.abc import Sequence
from typing import IO, Final, Protocol, cast

import pyrage
import zstandard

from worker.errors import ConfigurationError

CHUNK: Final = 1 << 20
"""Bytes that go through at a time: memory stays flat whatever an object's size."""


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Take the bytes."""


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
        compressor = zstandard.ZstdCompressor(level=self._level, write_checksum=True)
        compressed = compressor.stream_reader(cast("IO[bytes]", source), size=size, read_size=CHUNK, closefd=False)
        if self._identities:
            pyrage.encrypt_io(compressed, sink, [self._identities[0].to_public()])
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
        with zstandard.ZstdDecompressor().stream_writer(
            cast("IO[bytes]", sink), closefd=False, write_size=CHUNK
        ) as plain:
            try:
                if key.endswith(".age"):
                    self._decrypt(source, plain)
                else:
                    while chunk := source.read(CHUNK):
                        plain.write(chunk)
            except zstandard.ZstdError as error:
                raise DamagedError(str(error)) from error

    def _decrypt(self, source: Source, plain: Sink) -> None:
        if not self._identities:
            raise NotOursError
        try:
            pyrage.decrypt_io(source, plain, self._identities)
        except pyrage.DecryptError as error:
            if "No matching keys" in str(error):
                raise NotOursError from error
            raise DamagedError(str(error)) from error
        except OSError as error:
            if str(error) == "decryption error":  # a chunk's authentication failed: what age's library calls it
                raise DamagedError("age's authentication of its content failed") from error
            raise


def new_key() -> tuple[str, str]:
    """Return a new age identity and its public key."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())
