"""A request's id: the client's own if it sent a usable one, else a new one; in the answer, in problems, in the log."""

import re
import secrets
from collections.abc import Iterable
from itertools import count
from typing import Final

HEADER: Final = b"x-request-id"

_USABLE: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_PROCESS: Final = secrets.token_hex(4).encode()
_numbers: Final = count(1)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the id of the request with these headers; a new one is the process's random part and a number."""
    for name, value in headers:
        if name == HEADER and _USABLE.fullmatch(value):
            return value
    return b"%b-%x" % (_PROCESS, next(_numbers))
