"""Keyset pages: each begins after the last row of the one before, so page 10,000 costs what page 1 costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, overload

from sqlalchemy import ColumnElement, Row, Select, UnaryExpression, and_, literal, or_, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import operators

from worker.db.cursors import decode_cursor, encode_cursor
from worker.db.pagination import MAX_PER_PAGE, AnySelect, PageError, T, check_count, is_single, primary_key_of


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[T]):
    """Rows in order, and where the next ones begin."""

    items: list[T]
    next_cursor: str | None
    """Hand this back as `after` to get the next page; None on the last one."""

    @property
    def has_next(self) -> bool:
        """Tell whether a page follows."""
        return self.next_cursor is not None


@dataclass(frozen=True, slots=True)
class _Key:
    """One column of the order, and which way it goes."""

    column: ColumnElement[Any]
    descending: bool

    def ordered(self) -> UnaryExpression[Any]:
        return self.column.desc() if self.descending else self.column.asc()

    def bound(self, value: Any) -> ColumnElement[Any]:
        return literal(value, self.column.type)

    def beyond(self, value: Any) -> ColumnElement[bool]:
        return self.column < self.bound(value) if self.descending else self.column > self.bound(value)

    def at_or_beyond(self, value: Any) -> ColumnElement[bool]:
        return self.column <= self.bound(value) if self.descending else self.column >= self.bound(value)


@overload
async def get_keyset_page(
    *,
    session: AsyncSession,
    query: Select[T],
    order_by: Sequence[ColumnElement[Any]],
    after: str | None = None,
    limit: int = 20,
) -> KeysetPage[T]: ...
@overload
async def get_keyset_page(
    *,
    session: AsyncSession,
    query: AnySelect,
    order_by: Sequence[ColumnElement[Any]],
    after: str | None = None,
    limit: int = 20,
) -> KeysetPage[Row[*tuple[Any, ...]]]: ...
async def get_keyset_page(
    *,
    session: AsyncSession,
    query: AnySelect,
    order_by: Sequence[ColumnElement[Any]],
    after: str | None = None,
    limit: int = 20,
) -> KeysetPage[Any]:
    """Return the `limit` rows of `query` that follow the cursor `after` in the order of `order_by`.

    Going from cursor to cursor gives each row that is there all the while exactly once, whatever is inserted or deleted
    meanwhile. Where an index has the columns of `order_by`, a page costs one descent of it and `limit` rows, wherever
    it stands. One statement a page.

    Args:
        session: where to ask.
        query: a select without ORDER BY, LIMIT and OFFSET. Of one entity or column: items are its values, else rows.
        order_by: columns, each as it is or with `.desc()`, mixed as you like. They must never be NULL (a comparison
            with NULL is neither true nor false, so such rows would vanish) and must not be aggregates. The primary key
            of a single entity is added as the last; for other queries the columns must be unique together.
        after: `next_cursor` of the page before; None for the first page.
        limit: rows a page, 1–1000.

    Raises:
        PageError: `limit` is out of range, or `order_by` is empty, unordered, NULL-able or of an unknown type.
        CursorError: `after` was altered, or made for another order.
    """
    check_count("limit", limit, MAX_PER_PAGE)
    keys = _keys(query, order_by)
    ordering = ", ".join(str(key.ordered()) for key in keys)
    types = [key.column.type.python_type for key in keys]
    if after is not None:
        query = query.where(_follows(keys, decode_cursor(ordering, types, after)))
    width = len(query.column_descriptions)
    single = is_single(query)
    # The key's values come with the rows: they may be expressions that the items do not hold. One row more tells
    # whether a page follows.
    statement = query.add_columns(*(key.column.label(f"keyset_{number}") for number, key in enumerate(keys)))
    statement = statement.order_by(None).order_by(*(key.ordered() for key in keys)).limit(limit + 1)
    frozen = (await session.execute(statement)).freeze()
    rows = frozen().all()
    result = frozen()
    items: list[Any] = list(result.scalars() if single else result.columns(*range(width)))
    if len(rows) <= limit:
        return KeysetPage(items=items, next_cursor=None)
    last = rows[limit - 1][width:]
    if None in last:
        raise PageError("order_by", f"was NULL in a row: {keys[list(last).index(None)].column} cannot be a key")
    return KeysetPage(items=items[:limit], next_cursor=encode_cursor(ordering, last))


def _keys(query: AnySelect, order_by: Sequence[ColumnElement[Any]]) -> list[_Key]:
    keys: list[_Key] = []
    for given in order_by:
        column, descending = given, False
        if isinstance(given, UnaryExpression) and given.modifier in {operators.asc_op, operators.desc_op}:
            column, descending = given.element, given.modifier is operators.desc_op
        _check_key(column)
        keys.append(_Key(column, descending))
    named = {str(key.column) for key in keys}
    # In the direction of the last column, so that one index on all of them can be read in one direction.
    descending = bool(keys) and keys[-1].descending
    keys += [_Key(column, descending) for column in primary_key_of(query) if str(column) not in named]
    if not keys:
        raise PageError("order_by", "must name at least one column")
    return keys


def _check_key(column: ColumnElement[Any]) -> None:
    if isinstance(column, UnaryExpression) and column.modifier is not None:
        raise PageError("order_by", f"takes columns with asc() or desc() only, not {column}")
    if getattr(column, "nullable", False):
        raise PageError("order_by", f"needs columns that are never NULL; {column} may be")
    try:
        known = column.type.python_type is not object
    except NotImplementedError:
        known = False
    if not known:
        raise PageError("order_by", f"needs columns of a known type; give {column} one with type_coerce")


def _follows(keys: Sequence[_Key], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a row stands after `values`, in the form that an index on the keys answers best."""
    pairs = list(zip(keys, values, strict=True))
    first, first_value = pairs[0]
    if len({key.descending for key in keys}) == 1:
        present = tuple_(*(key.column for key in keys))
        bound = tuple_(*(key.bound(value) for key, value in pairs))
        return present < bound if first.descending else present > bound
    alternatives = [
        and_(*(equal.column == equal.bound(value) for equal, value in pairs[:number]), key.beyond(key_value))
        for number, (key, key_value) in enumerate(pairs)
    ]
    # The alternatives alone say it; the comparison of the first key gives the index scan its starting point.
    return and_(first.at_or_beyond(first_value), or_(*alternatives))
