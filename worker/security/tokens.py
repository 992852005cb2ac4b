"""Tokens: random, told apart by their beginning, stored as SHA-256 alone. Pure but for the drawing."""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["elp", "els"]
"""API tokens and sessions; both are easily found by scanners of leaked secrets."""

_RANDOM_BYTES: Final = 32
_PREFIX_LENGTH: Final = 12
_SHAPE: Final = re.compile(r"(el[ps])_[A-Za-z0-9_-]{43}[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: `text` is shown once and kept nowhere."""

    text: str
    prefix: str
    digest: bytes

    def __repr__(self) -> str:
        """Never show the token itself."""
        return f"NewToken({self.prefix}…)"


def draw(kind: Kind) -> NewToken:
    """Return a new random token."""
    body = f"{kind}_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    text = f"{body}{_checksum(body)}"
    return NewToken(text, text[:_PREFIX_LENGTH], digest(text))


def kind_of(text: str) -> Kind | None:
    """Return what kind of token a text may be; None: none at all, which costs no look-up."""
    shape = _SHAPE.fullmatch(text)
    if shape is None or _checksum(text[:-8]) != text[-8:]:
        return None
    return "elp" if shape[1] == "elp" else "els"


def digest(text: str) -> bytes:
    """Return what is stored of a token; 256 random bits need no slow hash."""
    return hashlib.sha256(text.encode()).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
