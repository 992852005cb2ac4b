import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, delete, func, select, text, type_coerce
from sqlalchemy.orm import aliased

from tests.db.books import Book, book, shelve
from worker.db import DatabaseUtils
from worker.db.cursors import CursorError
from worker.db.keyset import get_keyset_page
from worker.db.pagination import MAX_PER_PAGE, PageError

KEYS = [Book.shelf, Book.rating, Book.price, Book.bought_on, Book.read_at, Book.owner_id, Book.lent]


@pytest.fixture
async def shelf(session):
    await shelve(session, [book(number) for number in range(1, 61)])
    return session


async def pages_of(session, query, order_by, limit, between=None):
    """Return the items of all pages in order, doing `between` after each."""
    items, cursor = [], None
    for _ in range(200):
        page = await get_keyset_page(session=session, query=query, order_by=order_by, after=cursor, limit=limit)
        assert len(page.items) == limit or not page.has_next
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            return items
        if between is not None:
            await between(page)
    raise AssertionError("the pages do not come to an end")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.key)
@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
async def test_a_key_of_each_type_walks_the_whole_table(shelf, key, descending):
    order = [key.desc() if descending else key, Book.id]
    expected = list(await shelf.scalars(select(Book).order_by(*order)))
    assert await pages_of(shelf, select(Book), order, limit=7) == expected


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), max_size=3, unique_by=lambda key: key[0].key),
    id_descending=st.booleans(),
    limit=st.integers(5, 70),
    ratings=st.sets(st.integers(0, 2)),
)
async def test_any_order_of_any_columns_equals_the_full_scan(shelf, order, id_descending, limit, ratings):
    columns = [column.desc() if descending else column.asc() for column, descending in order]
    columns.append(Book.id.desc() if id_descending else Book.id)
    query = select(Book).where(Book.rating.in_(ratings))
    expected = list(await shelf.scalars(query.order_by(*columns)))
    assert await pages_of(shelf, query, columns, limit) == expected


async def test_rows_inserted_and_deleted_meanwhile_neither_repeat_nor_hide_others(shelf):
    numbers = iter(range(100, 1_000))

    async def edit(page):
        # one row that sorts before the cursor, one that sorts after it, and the last row seen is gone
        shelf.add_all([book(next(numbers), rating=-1), book(next(numbers), rating=9)])
        await shelf.execute(delete(Book).where(Book.id == page.items[-1]))
        await shelf.commit()

    seen = await pages_of(shelf, select(Book.id), [Book.rating, Book.id.desc()], limit=7, between=edit)
    assert len(seen) == len(set(seen))
    assert set(range(1, 61)) <= set(seen)


async def test_the_primary_key_of_an_entity_need_not_be_named(shelf):
    expected = list(await shelf.scalars(select(Book).order_by(Book.lent.desc(), Book.id.desc())))
    assert await pages_of(shelf, select(Book), [Book.lent.desc()], limit=9) == expected
    assert [one.id for one in await pages_of(shelf, select(Book), [], limit=60)] == list(range(1, 61))


async def test_rows_of_columns_and_an_alias_work_too(shelf):
    other = aliased(Book)
    rows = await pages_of(shelf, select(Book.shelf, Book.id), [Book.price, Book.id], limit=8)
    assert {row.id: row.shelf for row in rows} == {number: "ABCab"[number % 5] for number in range(1, 61)}
    assert len(await pages_of(shelf, select(other), [other.shelf.desc()], limit=8)) == 60


async def test_an_expression_of_a_known_type_can_be_a_key(shelf):
    lowered = type_coerce(func.lower(Book.shelf), Text)
    seen = await pages_of(shelf, select(Book), [lowered, Book.id], limit=11)
    assert [(one.shelf.lower(), one.id) for one in seen] == sorted((one.shelf.lower(), one.id) for one in seen)


async def test_a_full_last_page_has_no_next(shelf):
    page = await get_keyset_page(session=shelf, query=select(Book), order_by=[Book.id], limit=60)
    assert (len(page.items), page.has_next, page.next_cursor) == (60, False, None)


async def test_no_rows_are_one_empty_page(shelf):
    page = await get_keyset_page(session=shelf, query=select(Book).where(Book.id < 0), order_by=[Book.id])
    assert (page.items, page.has_next) == ([], False)


async def test_a_late_page_is_read_from_the_index_at_its_place(shelf):
    await shelf.execute(text("CREATE INDEX books_by_rating ON books (rating DESC, id DESC)"))
    await shelf.execute(text("SET LOCAL enable_seqscan = off"))
    first = await get_keyset_page(session=shelf, query=select(Book), order_by=[Book.rating.desc()], limit=5)
    statements = []

    class Spy:
        @staticmethod
        async def execute(statement):
            statements.append(statement)
            return await shelf.execute(statement)

    await get_keyset_page(
        session=Spy, query=select(Book), order_by=[Book.rating.desc()], after=first.next_cursor, limit=5
    )
    compiled = statements[0].compile(shelf.bind.sync_connection.engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join((await shelf.execute(text(f"EXPLAIN {compiled}".replace(":", "\\:")))).scalars())
    assert "Index Cond: (ROW(rating, id) < ROW(" in plan
    assert "Sort" not in plan


async def cursor_of(session):
    page = await get_keyset_page(session=session, query=select(Book), order_by=[Book.shelf], limit=5)
    return page.next_cursor


async def test_a_cursor_is_safe_in_an_address(shelf):
    cursor = await cursor_of(shelf)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_cursor_with_any_character_changed_is_refused(shelf, data):
    cursor = await cursor_of(shelf)
    position = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != cursor[position]))
    altered = cursor[:position] + other + cursor[position + 1 :]
    with pytest.raises(CursorError, match="after is not a cursor of this listing"):
        await get_keyset_page(session=shelf, query=select(Book), order_by=[Book.shelf], after=altered)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "====", "null", "🐘", "\0", "A" * 100_000, base64.urlsafe_b64encode(b"\0" * 40).decode(), "AAAAAAAAAAA"],
)
async def test_text_that_never_was_a_cursor_is_refused(cursor):
    with pytest.raises(CursorError, match="start from the first page"):
        await get_keyset_page(session=None, query=select(Book), order_by=[Book.id], after=cursor)


@pytest.mark.parametrize(
    "order", [[Book.shelf.desc()], [Book.id], [Book.shelf, Book.rating]], ids=["direction", "column", "more columns"]
)
async def test_a_cursor_of_another_order_is_refused(shelf, order):
    cursor = await cursor_of(shelf)
    with pytest.raises(CursorError):
        await get_keyset_page(session=shelf, query=select(Book), order_by=order, after=cursor)


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ({"order_by": [Book.note]}, "order_by", "needs columns that are never NULL; Book.note may be"),
        ({"order_by": [Book.note.desc()]}, "order_by", "needs columns that are never NULL"),
        ({"order_by": [Book.id.desc().nulls_last()]}, "order_by", "takes columns with asc\\(\\) or desc\\(\\) only"),
        ({"order_by": [func.frobnicate(Book.id)]}, "order_by", "needs columns of a known type"),
        ({"order_by": [], "query": select(Book.id)}, "order_by", "must name at least one column"),
        ({"order_by": [Book.id], "limit": 0}, "limit", "must be from 1 to 1000, not 0"),
        ({"order_by": [Book.id], "limit": MAX_PER_PAGE + 1}, "limit", "must be from 1 to 1000, not 1001"),
        ({"order_by": [Book.id], "limit": "5"}, "limit", "must be a whole number"),
    ],
)
async def test_a_bad_argument_is_refused_by_its_name(arguments, field, says):
    with pytest.raises(PageError, match=f"{field} {says}") as caught:
        await get_keyset_page(**{"session": None, "query": select(Book), **arguments})
    assert caught.value.field == field


async def test_a_null_key_at_the_end_of_a_page_is_refused(shelf):
    maybe = type_coerce(func.nullif(Book.rating, 1), Book.rating.type)
    with pytest.raises(PageError, match="was NULL in a row"):
        await pages_of(shelf, select(Book), [maybe.desc()], limit=7)


async def test_the_public_face_gives_the_same_page(shelf):
    arguments = {"session": shelf, "query": select(Book.id), "order_by": [Book.id], "limit": 3}
    assert await DatabaseUtils.get_keyset_page(**arguments) == await get_keyset_page(**arguments)
