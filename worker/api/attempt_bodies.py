"""From the body of `POST /v1/attempts` to attempts that can be stored, and errors that name field and remedy.

One pass decodes a good body. Only when that fails, each item is looked at by itself and each of its fields by itself,
so that one bad item never costs the others, and its sender learns of all that is wrong with it at once.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec

from worker.api.answers import why_not_storable
from worker.attempts.inbox_rows import TIME_SPENT_MAX_MS, NewAttempt

ATTEMPTED_SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW_MAX: Final = timedelta(hours=24)
"""How far in the future an attempt may lie: devices' clocks are wrong, and by a day where a zone is set wrongly."""

_UUID_HELP: Final = "must be a UUID, such as 019aaf0c-1b2c-7d3e-8f4a-5b6c7d8e9f0a"
_HELP: Final = {
    "id": f"{_UUID_HELP} (version 7 recommended), chosen once per attempt and sent again unchanged",
    "user_id": _UUID_HELP,
    "question_id": _UUID_HELP,
    "answer": 'must be a JSON value, such as {"choice": "b"}',
    "attempted_at": "must be an instant with its offset (RFC 3339), such as 2026-11-23T08:15:30+07:00",
    "lesson_id": f"{_UUID_HELP}, or null",
    "tryout_session_id": f"{_UUID_HELP}, or null",
    "time_spent_ms": f"must be a whole number of milliseconds from 0 to {TIME_SPENT_MAX_MS:,}, or null",
}
_REQUIRED: Final = ("id", "user_id", "question_id", "answer", "attempted_at")

_ERRORS_PER_ITEM_MAX: Final = 10
_NAME_MAX: Final = 64
_DIGITS_MAX: Final = 64

_Item = Mapping[str, msgspec.Raw | bytes | None] | None
"""An item's fields as JSON texts (None: no JSON text can hold the value); None: it is no object."""

_body: Final = msgspec.json.Decoder(NewAttempt | list[NewAttempt])
_items: Final = msgspec.json.Decoder(list[msgspec.Raw])
_text: Final = msgspec.json.Decoder(msgspec.Raw)
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_field_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(kind)
    for name, kind in {
        "id": UUID,
        "user_id": UUID,
        "question_id": UUID,
        "answer": msgspec.Raw,
        "attempted_at": Annotated[datetime, msgspec.Meta(tz=True)],
        "lesson_id": UUID | None,
        "tryout_session_id": UUID | None,
        "time_spent_ms": Annotated[int, msgspec.Meta(ge=0, le=TIME_SPENT_MAX_MS)] | None,
    }.items()
}


class AttemptError(msgspec.Struct, frozen=True):
    """What is wrong with one item of a request; `index` counts from 0."""

    index: int
    id: UUID | None
    field: str | None
    message: str


class NotJsonError(ValueError):
    """The body is no JSON text at all."""


class TooManyAttemptsError(ValueError):
    """The list is longer than one request may be."""

    def __init__(self, attempts: int) -> None:
        super().__init__(f"{attempts:,} attempts")
        self.attempts = attempts


class Body(NamedTuple):
    """A request's attempts that can be stored, where they stood in it, and what is wrong with the others."""

    attempts: Sequence[NewAttempt]
    indexes: Sequence[int]
    errors: list[AttemptError]


def read_body(body: bytes, *, received_at: datetime, max_attempts: int, max_answer_bytes: int) -> Body:
    """Read a request's body; linear in its length.

    Raises:
        NotJsonError: it is no JSON text; the message says where it goes wrong.
        TooManyAttemptsError: the list is longer than `max_attempts`.
    """
    try:
        decoded = _body.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_apart(body, received_at, max_attempts, max_answer_bytes)
    attempts = decoded if isinstance(decoded, list) else [decoded]
    if len(attempts) > max_attempts:
        raise TooManyAttemptsError(len(attempts))
    indexes = range(len(attempts))
    errors = _faults(attempts, indexes, received_at, max_answer_bytes)
    if not errors:
        return Body(attempts, indexes, errors)
    bad = {error.index for error in errors}
    good = [index for index in indexes if index not in bad]
    return Body([attempts[index] for index in good], good, errors)


def _faults(
    attempts: Sequence[NewAttempt], indexes: Sequence[int], received_at: datetime, max_answer_bytes: int
) -> list[AttemptError]:
    """Return what the types don't say: instants out of range, answers that can't be stored."""
    errors = []
    oldest = ATTEMPTED_SINCE - received_at
    for position, attempt in enumerate(attempts):
        # One subtraction: each comparison of instants in different zones would cost as much.
        if not oldest <= attempt.attempted_at - received_at <= CLOCK_SKEW_MAX:
            message = "must lie between 2000-01-01 and 24 hours from now: check the device's clock and zone"
            errors.append(AttemptError(indexes[position], attempt.id, "attempted_at", message))
        reason = why_not_storable(bytes(attempt.answer), max_answer_bytes)
        if reason is not None:
            errors.append(AttemptError(indexes[position], attempt.id, "answer", reason))
    return errors


def _read_apart(body: bytes, received_at: datetime, max_attempts: int, max_answer_bytes: int) -> Body:
    """Read a body that is not good as a whole, item by item and field by field."""
    items = _split(body)
    if len(items) > max_attempts:
        raise TooManyAttemptsError(len(items))
    attempts: list[NewAttempt] = []
    indexes: list[int] = []
    errors: list[AttemptError] = []
    for index, item in enumerate(items):
        read = _read_item(index, item)
        if isinstance(read, NewAttempt):
            read_errors = _faults([read], [index], received_at, max_answer_bytes)
            if not read_errors:
                attempts.append(read)
                indexes.append(index)
            errors.extend(read_errors)
        else:
            errors.extend(read[:_ERRORS_PER_ITEM_MAX])
    return Body(attempts, indexes, errors)


def _read_item(index: int, item: _Item) -> NewAttempt | list[AttemptError]:
    if item is None:
        message = f"must be an object with the fields {', '.join(_REQUIRED)} and, where they apply, the optional ones"
        return [AttemptError(index, None, None, message)]
    values: dict[str, Any] = {}
    faults: list[tuple[str, str]] = []
    for name, text in item.items():
        if name not in _HELP:
            faults.append((_printable(name), f"is not a field of an attempt: remove it (known are {', '.join(_HELP)})"))
        elif text is None:
            faults.append(
                (name, "holds NaN, Infinity, half of a surrogate pair or a number too long for JSON: replace it")
            )
        else:
            try:
                values[name] = _field_decoders[name].decode(text)
            except msgspec.DecodeError:
                faults.append((name, _HELP[name]))
    faults += [(name, f"is missing: it {_HELP[name]}") for name in _REQUIRED if name not in item]
    if not faults:
        return NewAttempt(**values)
    return [AttemptError(index, values.get("id"), name, message) for name, message in faults]


def _split(body: bytes) -> list[_Item]:
    """Return the items of a body with their fields as JSON texts; None for an item that is no object."""
    try:
        texts = _items.decode(body) if body.lstrip()[:1] == b"[" else [_text.decode(body)]
        return [_fields.decode(text) if bytes(text)[:1] == b"{" else None for text in texts]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _split_leniently(body)


def _split_leniently(body: bytes) -> list[_Item]:
    """Split what is no strict JSON but what JSON encoders do send: NaN, Infinity, halves of surrogate pairs."""
    try:
        decoded = json.loads(body.decode(errors="surrogateescape"), parse_int=_integer)
    except RecursionError:
        raise NotJsonError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    items = decoded if isinstance(decoded, list) else [decoded]
    return [
        {name: _strict(value) for name, value in item.items()} if isinstance(item, dict) else None for item in items
    ]


def _strict(value: object) -> bytes | None:
    """Return a value as strict JSON, None if there is no such text."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):  # NaN, Infinity; a UnicodeEncodeError is a ValueError, too
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_MAX else math.inf


def _printable(name: str) -> str:
    return name[:_NAME_MAX].encode(errors="replace").decode()
