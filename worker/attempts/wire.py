"""Values as PostgreSQL's binary format has them: what makes thousands of rows a transaction cheap in Python.

Inside the pipeline an id is its 16 bytes and an instant is microseconds since 2000-01-01 UTC. Both are what travels on
the wire, hash and compare in C, and need no object a value.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from struct import Struct
from typing import Any, ClassVar, Final

from psycopg import Cursor
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format
from psycopg.types.numeric import Int8BinaryLoader
from psycopg.types.string import ByteaBinaryLoader

from worker.db.engines import Connection

RawCursor = Cursor[tuple[Any, ...]]
"""A cursor that returns ids and `json` as bytes and instants as microseconds, and takes the arrays of this module."""

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER: Final = b"\xff\xff"
NULL: Final = b"\xff\xff\xff\xff"
UUID_PREFIX: Final = b"\x00\x00\x00\x10"
TRUE: Final = b"\x00\x00\x00\x01\x01"
FALSE: Final = b"\x00\x00\x00\x01\x00"

_EPOCH_ORDINAL: Final = date(2000, 1, 1).toordinal()

_UINT32 = Struct("!I").pack
_INT32 = Struct("!Ii").pack
_INT64 = Struct("!Iq").pack
_INT16 = Struct("!Ih").pack
_FLOAT64 = Struct("!Id").pack
_JSONB = Struct("!IB").pack
_NUMERIC = Struct("!IhhHHhh").pack
_ARRAY = Struct("!iiIii").pack

# Each of the following returns a field: its length in 4 bytes, then its value.


def uuid_field(value: bytes | None) -> bytes:
    """Return an id, or NULL."""
    return NULL if value is None else UUID_PREFIX + value


def int4_field(value: int | None) -> bytes:
    """Return an `integer`, or NULL."""
    return NULL if value is None else _INT32(4, value)


def int8_field(value: int | None) -> bytes:
    """Return a `bigint`, or an instant from its microseconds, or NULL."""
    return NULL if value is None else _INT64(8, value)


def int2_field(value: int) -> bytes:
    """Return a `smallint`."""
    return _INT16(2, value)


def float8_field(value: float | None) -> bytes:
    """Return a `double precision`, or NULL."""
    return NULL if value is None else _FLOAT64(8, value)


def date_field(value: date) -> bytes:
    """Return a `date`."""
    return _INT32(4, value.toordinal() - _EPOCH_ORDINAL)


def any_text_field(value: str) -> bytes:
    """Return a `text`."""
    encoded = value.encode()
    return _UINT32(len(encoded)) + encoded


text_field = lru_cache(maxsize=1024)(any_text_field)
"""The same for the few texts that recur (states, sources)."""


def jsonb_field(text: bytes) -> bytes:
    """Return a `jsonb` from JSON text."""
    return _JSONB(len(text) + 1, 1) + text


@lru_cache(maxsize=20_000)
def numeric_field(value: int, decimals: int) -> bytes:
    """Return `value` · 10^−`decimals` as `numeric`; not negative, below 10,000, four decimals at most."""
    whole, fraction = divmod(value * 10 ** (4 - decimals), 10_000)
    return _NUMERIC(12, 2, 0, 0, decimals, whole, fraction)


class _Array:
    """Values of one type, sent as a PostgreSQL array in one piece."""

    field: ClassVar[Callable[[Any], bytes]]

    def __init__(self, values: Iterable[Any]) -> None:
        fields = [type(self).field(value) for value in values]
        self.count = len(fields)
        self.payload = b"".join(fields)


class UuidArray(_Array):
    """`uuid[]` of 16-byte ids."""

    field = uuid_field


class Int4Array(_Array):
    """`integer[]`."""

    field = int4_field


class Int8Array(_Array):
    """`bigint[]`."""

    field = int8_field


class Float8Array(_Array):
    """`double precision[]`."""

    field = float8_field


class InstantArray(_Array):
    """`timestamptz[]` of microseconds."""

    field = int8_field


class DateArray(_Array):
    """`date[]`."""

    field = date_field


class TextArray(_Array):
    """`text[]`."""

    field = any_text_field


class _ArrayDumper(Dumper):
    format = Format.BINARY
    element_oid: ClassVar[int]

    def dump(self, obj: _Array) -> Buffer:
        if not obj.count:
            return _ARRAY(0, 0, self.element_oid, 0, 1)[:12]
        return _ARRAY(1, 1, self.element_oid, obj.count, 1) + obj.payload


def _dumper(name: str, element: int, array: int) -> type[_ArrayDumper]:
    return type(name, (_ArrayDumper,), {"oid": array, "element_oid": element})


_DUMPERS: Final[dict[type[_Array], type[_ArrayDumper]]] = {
    UuidArray: _dumper("UuidArrayDumper", 2950, 2951),
    Int4Array: _dumper("Int4ArrayDumper", 23, 1007),
    Int8Array: _dumper("Int8ArrayDumper", 20, 1016),
    Float8Array: _dumper("Float8ArrayDumper", 701, 1022),
    InstantArray: _dumper("InstantArrayDumper", 1184, 1185),
    DateArray: _dumper("DateArrayDumper", 1082, 1182),
    TextArray: _dumper("TextArrayDumper", 25, 1009),
}


def raw_cursor(connection: Connection) -> RawCursor:
    """Return a cursor that speaks the forms of this module."""
    cursor = connection.cursor(binary=True)
    for name in ("uuid", "json"):
        cursor.adapters.register_loader(name, ByteaBinaryLoader)
    cursor.adapters.register_loader("timestamptz", Int8BinaryLoader)
    for array, dumper in _DUMPERS.items():
        cursor.adapters.register_dumper(array, dumper)
    return cursor


@contextmanager
def copying(cursor: RawCursor, statement: str) -> Iterator[Callable[[Iterable[bytes]], None]]:
    """Begin a binary COPY and yield what sends it rows, each a field count and its fields; it ends with the block.

    The server inserts what has arrived while the caller prepares more.
    """
    with cursor.copy(statement) as copy:
        copy.write(COPY_HEADER)
        yield lambda rows: copy.write(b"".join(rows))
        copy.write(COPY_TRAILER)
