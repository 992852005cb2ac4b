import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from tests.db.books import Book, book, shelve
from worker.db import DatabaseUtils
from worker.db.pagination import MAX_PER_PAGE, Page, PageError, get_paginated


@pytest.fixture
async def shelf(session):
    await shelve(session, [book(number) for number in range(1, 24)])
    return session


async def test_the_pages_together_are_the_query(shelf):
    query = select(Book).where(Book.rating > 0).order_by(Book.shelf)
    pages = [await get_paginated(session=shelf, query=query, page=number, per_page=4) for number in range(1, 5)]
    everything = list(await shelf.scalars(query.order_by(Book.id)))
    assert [one for page in pages for one in page.items] == everything
    assert {(page.total, page.per_page, page.pages) for page in pages} == {(16, 4, 4)}
    assert [(page.page, page.has_previous, page.has_next) for page in pages] == [
        (1, False, True),
        (2, True, True),
        (3, True, True),
        (4, True, False),
    ]


async def test_ties_in_the_order_are_broken_by_the_primary_key(shelf):
    query = select(Book).order_by(Book.lent)
    seen = [
        one.id
        for number in range(1, 13)
        for one in (await get_paginated(session=shelf, query=query, page=number, per_page=2)).items
    ]
    assert sorted(seen) == list(range(1, 24))


async def test_the_last_page_may_be_partly_filled(shelf):
    page = await get_paginated(session=shelf, query=select(Book), page=3, per_page=10)
    assert (len(page.items), page.pages, page.has_next) == (3, 3, False)


async def test_a_page_beyond_the_last_is_empty(shelf):
    page = await get_paginated(session=shelf, query=select(Book), page=99, per_page=10)
    assert page == Page([], total=23, page=99, per_page=10, pages=3, has_next=False, has_previous=True)


async def test_a_query_without_rows_has_no_pages(shelf):
    page = await get_paginated(session=shelf, query=select(Book).where(Book.id < 0))
    assert page == Page([], total=0, page=1, per_page=20, pages=0, has_next=False, has_previous=False)


async def test_one_column_gives_values_and_several_give_rows(shelf):
    values = await get_paginated(session=shelf, query=select(Book.id).order_by(Book.id), per_page=2)
    rows = await get_paginated(session=shelf, query=select(Book.id, Book.shelf).order_by(Book.id), per_page=2)
    assert values.items == [1, 2]
    assert [(row.id, row.shelf) for row in rows.items] == [(1, "B"), (2, "C")]


async def test_groups_and_distinct_rows_are_counted_as_they_come_out(shelf):
    groups = await get_paginated(
        session=shelf, query=select(Book.shelf, func.count().label("books")).group_by(Book.shelf).order_by(Book.shelf)
    )
    distinct = await get_paginated(session=shelf, query=select(Book.rating).distinct().order_by(Book.rating))
    assert (groups.total, len(groups.items)) == (5, 5)
    assert (distinct.total, distinct.items) == (3, [0, 1, 2])


async def test_an_alias_of_an_entity_works_as_the_entity(shelf):
    other = aliased(Book)
    query = select(other).join(Book, Book.id == other.id).order_by(other.rating)
    page = await get_paginated(session=shelf, query=query, per_page=3)
    assert (page.total, [one.id for one in page.items]) == (23, [3, 6, 9])


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("page", 0, "page must be from 1 to"),
        ("page", -1, "page must be from 1 to"),
        ("page", 2**63, "page must be from 1 to"),
        ("page", "2", "page must be a whole number, not '2'"),
        ("page", True, "page must be a whole number, not True"),
        ("page", None, "page must be a whole number, not None"),
        ("per_page", 0, f"per_page must be from 1 to {MAX_PER_PAGE}, not 0"),
        ("per_page", MAX_PER_PAGE + 1, "per_page must be from 1 to"),
        ("per_page", 2.0, "per_page must be a whole number, not 2.0"),
    ],
)
async def test_a_bad_page_is_refused_by_the_name_of_its_field(field, value, says):
    with pytest.raises(PageError, match=says) as caught:
        await get_paginated(session=None, query=select(Book), **{field: value})
    assert caught.value.field == field


async def test_the_largest_page_that_can_be_asked_for_is_answered(shelf):
    page = await get_paginated(
        session=shelf, query=select(Book), page=(2**63 - 1) // MAX_PER_PAGE, per_page=MAX_PER_PAGE
    )
    assert page.items == []


async def test_the_public_face_gives_the_same_page(shelf):
    page = await DatabaseUtils.get_paginated(session=shelf, query=select(Book.id), page=1, per_page=5)
    assert page == await get_paginated(session=shelf, query=select(Book.id), page=1, per_page=5)
