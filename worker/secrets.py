"""Encryption of single columns at rest: payment tokens and the like.

The keys are the settings', never the database's: who has a copy of the database alone has nothing. The first key
encrypts, all of them decrypt: a new one is put in front, `elp keys rotate` encrypts everything anew, the old one goes.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from worker.errors import ConfigurationError, ElpError
from worker.settings import Settings

_KEY_BYTES: Final = 32


class UnreadableSecretError(ElpError):
    """None of the keys decrypts a value, or it was altered."""

    def __init__(self) -> None:
        super().__init__("a value can't be decrypted: the key it was written with must be among ELP_ENCRYPTION_KEYS")


class Cipher:
    """Encrypts and decrypts short texts with Fernet (AES-128-CBC, HMAC-SHA256); each result differs."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the keys, the one that encrypts first.

        Raises:
            ConfigurationError: there are none, or one is no key; which one is told by its place, never shown.
        """
        if not keys:
            raise ConfigurationError("ELP_ENCRYPTION_KEYS is not set: make a key with `elp keys new`")
        for place, key in enumerate(keys, 1):
            if not is_key(key):
                raise ConfigurationError(f"ELP_ENCRYPTION_KEYS: key {place} is none: make one with `elp keys new`")
        self._first = Fernet(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the cipher of the settings' keys.

        Raises:
            ConfigurationError: as the constructor.
        """
        text = settings.encryption_keys.get_secret_value() if settings.encryption_keys else ""
        return cls([key.strip() for key in text.split(",") if key.strip()])

    def encrypt(self, text: str) -> bytes:
        """Return `text` encrypted with the first key."""
        return self._first.encrypt(text.encode())

    def decrypt(self, value: bytes) -> str:
        """Return what was encrypted with any of the keys.

        Raises:
            UnreadableSecretError: none of them fits.
        """
        try:
            return self._all.decrypt(bytes(value)).decode()
        except InvalidToken:
            raise UnreadableSecretError from None

    def rotate(self, value: bytes) -> bytes:
        """Return the same text encrypted with the first key; the value itself if it is so already.

        Raises:
            UnreadableSecretError: none of the keys fits.
        """
        value = bytes(value)
        if self.is_current(value):
            return value
        try:
            return self._all.rotate(value)
        except InvalidToken:
            raise UnreadableSecretError from None

    def is_current(self, value: bytes) -> bool:
        """Say whether the first key encrypted a value."""
        try:
            self._first.decrypt(bytes(value))
        except InvalidToken:
            return False
        return True


def is_key(text: str) -> bool:
    """Say whether a text is a Fernet key: 32 bytes in URL-safe base64."""
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def new_key() -> str:
    """Return a new random key."""
    return Fernet.generate_key().decode()
