"""Pages by number: what a listing with page links needs. For large tables, see `worker.db.keyset`."""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, overload

from sqlalchemy import ColumnElement, Row, Select, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from worker.errors import ElpError

T = TypeVar("T")
AnySelect = Select[*tuple[Any, ...]]

MAX_PER_PAGE: Final = 1_000
"""Rows in one page; more belongs in an export."""
_LARGEST_OFFSET: Final = 2**63 - 1


class PageError(ElpError):
    """A page was asked for that cannot be given.

    Attributes:
        field: the argument at fault, such as `per_page`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a query's rows, and where it stands among the others."""

    items: list[T]
    total: int
    """Rows of the whole query."""
    page: int
    """This page's number, from 1."""
    per_page: int
    pages: int
    """How many pages there are: 0 when there are no rows."""
    has_next: bool
    has_previous: bool


@overload
async def get_paginated(*, session: AsyncSession, query: Select[T], page: int = 1, per_page: int = 20) -> Page[T]: ...
@overload
async def get_paginated(
    *, session: AsyncSession, query: AnySelect, page: int = 1, per_page: int = 20
) -> Page[Row[*tuple[Any, ...]]]: ...
async def get_paginated(*, session: AsyncSession, query: AnySelect, page: int = 1, per_page: int = 20) -> Page[Any]:
    """Return page number `page` (from 1) of `query`, and how many rows and pages there are.

    Two statements; a page beyond the last is empty. The first counts, which costs as much as running the whole query
    without its order; the second skips `(page - 1) * per_page` rows, so late pages cost more than early ones. Both are
    fine for thousands of rows; for more, `get_keyset_page` costs the same on each page.

    Args:
        session: where to ask; the two statements see one state only in a REPEATABLE READ transaction.
        query: a select without LIMIT and OFFSET. Of one entity or column: items are its values, else rows. The primary
            key of a single entity is added to the order, so that no row stands on two pages or on none. Collections are
            loaded with `selectinload`, not `joinedload`.
        page: which one, from 1.
        per_page: rows a page, 1–1000.

    Raises:
        PageError: `page` or `per_page` isn't a whole number in its range; it says which.
    """
    check_count("per_page", per_page, MAX_PER_PAGE)
    check_count("page", page, _LARGEST_OFFSET // per_page)
    offset = (page - 1) * per_page
    total = await session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    items: list[Any] = []
    if offset < total:
        ordered = query.order_by(*primary_key_of(query))
        result = await session.execute(ordered.limit(per_page).offset(offset))
        items = list(result.scalars() if is_single(query) else result)
    pages = -(-total // per_page)
    return Page(
        items=items,
        total=total,
        page=page,
        per_page=per_page,
        pages=pages,
        has_next=page < pages,
        has_previous=page > 1 and pages > 0,
    )


def check_count(field: str, value: object, largest: int) -> None:
    """Refuse a number of rows or pages that isn't a whole one from 1 to `largest`.

    Raises:
        PageError: it names the field.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise PageError(field, f"must be a whole number, not {value!r:.40}")
    if not 1 <= value <= largest:
        raise PageError(field, f"must be from 1 to {largest}, not {value}")


def is_single(query: AnySelect) -> bool:
    """Tell whether `query` selects one entity or column, so that its rows are best given as plain values."""
    return len(query.column_descriptions) == 1


def primary_key_of(query: AnySelect) -> list[ColumnElement[Any]]:
    """Return the primary key of the one entity (or alias of one) that `query` selects; nothing for other queries."""
    if not is_single(query):
        return []
    description = query.column_descriptions[0]
    entity = description["entity"]
    if entity is None or description["expr"] is not entity:
        return []
    mapper = inspect(entity).mapper
    return [getattr(entity, mapper.get_property_by_column(column).key) for column in mapper.primary_key]
