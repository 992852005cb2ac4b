"""Whether an answer can be kept: PostgreSQL must be able to store it as `jsonb`, and any client to read it back."""

import re
from typing import Final

DEPTH_MAX: Final = 32
NUMBER_CHARACTERS_MAX: Final = 32
EXPONENT_MAX: Final = 300

# Whatever needs a closer look: escapes, non-ASCII, long runs of digits, exponents. Hashes match it too, harmlessly.
_UNUSUAL: Final = re.compile(rb"[\\\x80-\xff]|[0-9.]{16}|[0-9][eE]")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUMBER: Final = re.compile(rb"[0-9][0-9.]*(?:[eE][+-]?([0-9]+))?")
_ESCAPED_BACKSLASH: Final = rb"\\"


def why_not_storable(answer: bytes, max_bytes: int) -> str | None:
    """Return what keeps an answer from being stored, as the end of the sentence "answer …"; None: nothing does.

    Costs a fraction of a microsecond for usual answers, and is linear in the answer's length for unusual ones.

    Args:
        answer: JSON text whose syntax was checked, its strings' UTF-8 not.
        max_bytes: how long it may be.
    """
    if len(answer) > max_bytes:
        return f"is {len(answer):,} bytes long: shorten it to {max_bytes:,}"
    if len(answer) > DEPTH_MAX and answer.count(b"[") + answer.count(b"{") > DEPTH_MAX and _depth(answer) > DEPTH_MAX:
        return f"is nested more than {DEPTH_MAX} levels deep: flatten it"
    return _unusual_fault(answer) if _UNUSUAL.search(answer) else None


def _unusual_fault(answer: bytes) -> str | None:
    try:
        answer.decode()
    except UnicodeDecodeError as error:
        return f"is not valid UTF-8 at byte {error.start}: encode the request as UTF-8"
    if b"\\u0000" in answer.replace(_ESCAPED_BACKSLASH, b""):
        return r"contains the character \u0000, which can't be stored: remove it"
    for number in _NUMBER.finditer(_STRING.sub(b'""', answer)):
        if len(number[0]) > NUMBER_CHARACTERS_MAX or int(number[1] or 0) > EXPONENT_MAX:
            return (
                f"contains a number too large or too precise to keep (at most {NUMBER_CHARACTERS_MAX} characters, "
                f"exponent between -{EXPONENT_MAX} and {EXPONENT_MAX}): send it as a string"
            )
    return None


def _depth(answer: bytes) -> int:
    depth = deepest = 0
    for byte in _STRING.sub(b"", answer):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
