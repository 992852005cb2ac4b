"""Filters given as names and values, checked against a model before they become SQL."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, SmallInteger, String, inspect
from sqlalchemy.orm import DeclarativeBase

from worker.errors import ElpError

_COMPARABLE: Final = (str, bool, int, float, Decimal, UUID, datetime, date)


class FilterError(ElpError):
    """A filter names no column of the model, or its value cannot be one of that column's.

    Attributes:
        field: the name that the filter was given under.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"filters: {field!r:.80} {message}")
        self.field = field


def columns_of(model: type[DeclarativeBase]) -> dict[str, ColumnElement[Any]]:
    """Return a model's columns by the names of its attributes."""
    return {attribute.key: getattr(model, attribute.key) for attribute in inspect(model).column_attrs}


def conditions(model: type[DeclarativeBase], filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Return one condition a filter; a row must meet all of them.

    Args:
        model: whose columns are filtered by.
        filters: values by column name. A list, tuple or set means one of them (an empty one: no row), None means NULL.

    Raises:
        FilterError: no such column, one that cannot be compared (JSON, arrays), or a value of another type or range.
    """
    columns = columns_of(model)
    usable = {name: column for name, column in columns.items() if _value_type(column) in _COMPARABLE}
    wanted: list[ColumnElement[bool]] = []
    for name, value in filters.items():
        if name not in usable:
            raise FilterError(name, f"cannot be filtered by; there are {', '.join(sorted(usable))}")
        if value is None:
            wanted.append(usable[name].is_(None))
            continue
        values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        for one in values:
            _check_value(name, usable[name], one)
        wanted.append(usable[name].in_(values))
    return wanted


def _value_type(column: ColumnElement[Any]) -> type | None:
    try:
        return column.type.python_type
    except NotImplementedError:
        return None


def _check_value(name: str, column: ColumnElement[Any], value: object) -> None:
    value_type = column.type.python_type
    if not isinstance(value, value_type) or (isinstance(value, bool) and value_type is not bool):
        raise FilterError(name, f"takes {value_type.__name__}, not {value!r:.80}")
    if isinstance(column.type, String) and isinstance(value, str) and not _is_storable(value):
        raise FilterError(name, "takes text without NUL and lone surrogates, which PostgreSQL cannot hold")
    if isinstance(column.type, Integer) and isinstance(value, int) and value not in _range_of(column.type):
        raise FilterError(name, f"cannot be as large as {value!r:.80}")


def _is_storable(value: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def _range_of(column_type: Integer) -> range:
    bits = 16 if isinstance(column_type, SmallInteger) else 64 if isinstance(column_type, BigInteger) else 32
    return range(-(2 ** (bits - 1)), 2 ** (bits - 1))
