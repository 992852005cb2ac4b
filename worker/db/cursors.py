"""Cursors of keyset pages: the last row's key values as text that clients hand back and never read.

A cursor is base64url of: a checksum (8 bytes) and the values in MessagePack. The checksum covers the ordering too, so a
cursor that was cut, altered or taken from another listing is refused. It is no secret: who forges one merely moves to
another place in a listing that the query lets them see anyway.
"""

import base64
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from worker.errors import ElpError

_CHECKSUM_BYTES: Final = 8
_MAX_LENGTH: Final = 8_192
"""Beyond what a B-tree index can hold as one key (about 2,700 bytes), so no listing with an index needs more."""


class CursorError(ElpError):
    """A cursor does not belong to the listing it was handed to, or was altered on the way."""

    def __init__(self) -> None:
        super().__init__("after is not a cursor of this listing: start from the first page")


def encode_cursor(ordering: str, values: Sequence[Any]) -> str:
    """Return the cursor that stands for `values`.

    Args:
        ordering: names columns and directions; the cursor is valid for exactly this text.
        values: the key of the last row: text, numbers, booleans, UUIDs, dates, instants or durations.
    """
    payload = msgspec.msgpack.encode(list(values))
    return base64.urlsafe_b64encode(_checksum(ordering, payload) + payload).rstrip(b"=").decode("ascii")


def decode_cursor(ordering: str, types: Sequence[type], cursor: str) -> tuple[Any, ...]:
    """Return the values that `encode_cursor` was given, each of its type in `types`.

    Raises:
        CursorError: it was made for another ordering, or altered, or never was a cursor.
    """
    if len(cursor) > _MAX_LENGTH:
        raise CursorError
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:  # binascii.Error is one, and so is what text beyond ASCII raises
        raise CursorError from None
    checksum, payload = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
    if checksum != _checksum(ordering, payload):
        raise CursorError
    try:
        values: tuple[Any, ...] = msgspec.msgpack.decode(payload, type=tuple.__class_getitem__(tuple(types)))
    except msgspec.MsgspecError:
        raise CursorError from None
    return values


def _checksum(ordering: str, payload: bytes) -> bytes:
    return blake2b(
        payload, key=blake2b(ordering.encode(), digest_size=32).digest(), digest_size=_CHECKSUM_BYTES
    ).digest()
