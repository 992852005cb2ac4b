"""Passwords: bcrypt, with the same amount of work whether the account exists or not. Pure but for the salts."""

import hmac
import unicodedata
from typing import Final

import bcrypt

from worker.errors import ElpError

BYTES_MAX: Final = 72
"""bcrypt reads no further; a longer password is refused rather than cut."""
CHARACTERS_MIN: Final = 8
_SALT_LENGTH: Final = 29
"""`$2b$12$` and 22 characters: the part of a hash that is no secret of its own."""
_FAMILY: Final = b"$2b$"
_NOBODY: Final = b"." * 22
"""A salt for accounts that don't exist."""


class UnfitPasswordError(ElpError):
    """A password that can't be taken; `reason` says why, as the end of the sentence "password …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"password {reason}")
        self.reason = reason


def prepared(password: str) -> bytes:
    """Return the bytes that are hashed: NFC, so that every keyboard's é is the same.

    Raises:
        UnfitPasswordError: bcrypt could not tell it from another one.
    """
    try:
        text = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise UnfitPasswordError("holds half a character: send it as UTF-8") from None
    if len(text) > BYTES_MAX:
        raise UnfitPasswordError(f"is longer than {BYTES_MAX} bytes: choose a shorter one")
    if b"\0" in text:
        raise UnfitPasswordError(r"holds the character \u0000: leave it out")
    return text


def make_hash(password: str, cost: int) -> str:
    """Return the hash of a new password.

    Raises:
        UnfitPasswordError: it is too short or too long.
    """
    text = prepared(password)
    if len(password) < CHARACTERS_MIN:
        raise UnfitPasswordError(f"is shorter than {CHARACTERS_MIN} characters: choose a longer one")
    return bcrypt.hashpw(text, bcrypt.gensalt(cost)).decode()


def salt_of(stored: str) -> str:
    """Return the part of a hash with which another is computed to be compared."""
    return stored[:_SALT_LENGTH]


def compute(password: str, salt: str | None, cost: int) -> str | None:
    """Return the hash of a password under a stored one's salt; None, after the same work, if there is none.

    A hash of a lower cost c takes 2^c; with the hashes at c, c + 1 … cost - 1 that follow it is 2^cost altogether, so
    how long it took tells neither whether there is an account nor how old its hash is.

    Args:
        password: as it was sent.
        salt: what `salt_of` says of the account's hash; None: there is no such account, or it has no password.
        cost: the present one (log₂ of the rounds).

    Raises:
        UnfitPasswordError: no account can have such a password.
    """
    text = prepared(password)
    if salt is None:
        bcrypt.hashpw(text, _salt(cost))
        return None
    computed = bcrypt.hashpw(text, salt.encode()).decode()
    for below in range(cost_of(salt), cost):
        bcrypt.hashpw(text, _salt(below))
    return computed


def is_same(one: str, other: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def cost_of(hashed: str) -> int:
    """Return the cost of a hash or salt."""
    return int(hashed.split("$")[2])


def is_outdated(hashed: str, cost: int) -> bool:
    """Say whether a hash should be computed anew at the next login."""
    return cost_of(hashed) != cost or not hashed.startswith(_FAMILY.decode())


def _salt(cost: int) -> bytes:
    return _FAMILY + b"%02d$" % cost + _NOBODY
