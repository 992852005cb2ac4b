"""Reading a learner's answer from the JSON text it was sent as."""

import json
import re
from typing import Any, Final

import msgspec

from worker.attempts.errors import MalformedAnswer

_decode = msgspec.json.Decoder().decode
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER: Final = re.compile(rb"[0-9][eE][-+]?[0-9]{4}|[0-9]{1000}")
_MAX_DIGITS: Final = 16_000
"""jsonb keeps numbers as numeric: at most 131,072 digits before the decimal point and 16,383 after it."""


def read_answer(text: bytes) -> Any:
    """Return the JSON value in `text`.

    Raises:
        MalformedAnswer: it is no JSON, is nested too deeply, or holds what `question_attempts.answer` (jsonb) cannot:
            the character U+0000, half of a surrogate pair, a number out of range.
    """
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedAnswer("answer", f"is not JSON that can be kept: {error}") from None
    except RecursionError:
        raise MalformedAnswer("answer", "is nested too deeply") from None
    if b"\\u0000" in text and _NUL.search(text):
        raise MalformedAnswer("answer", "holds the character U+0000")
    # Every type's answer is an object of one field, and none of them takes a number; only further fields can hold one.
    if type(value) is dict and len(value) > 1 and _LONG_NUMBER.search(text):
        json.loads(text, parse_float=_refuse_out_of_range, parse_int=_refuse_out_of_range)
    return value


def _refuse_out_of_range(number: str) -> None:
    """Refuse a number that jsonb might not hold; stricter than jsonb, which takes some exponents of five digits."""
    mantissa, _, exponent = number.lower().partition("e")
    if len(mantissa) > _MAX_DIGITS or len(exponent.lstrip("+-0")) > 3:  # noqa: PLR2004  1e±999 is far inside
        raise MalformedAnswer("answer", "holds a number out of range")
