import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.db.books import Book, book, shelve
from worker.db import DatabaseUtils
from worker.db.filters import FilterError
from worker.db.pagination import PageError
from worker.db.search import MAX_TERM_CHARACTERS, SearchError, search_full_text
from worker.models import Lesson

NOTES = {
    1: "The present perfect is used with “since” and “for”.",
    2: "Membaca buku setiap hari: bacaan untuk pemula.",
    3: "She runs to school; running is fun. Running, running!",
    4: "The runner was late for school.",
    5: "Café crème and naïve résumés",
    6: None,
    7: "school",
}


@pytest.fixture
async def shelf(session):
    await shelve(session, [book(number, note=note) for number, note in NOTES.items()])
    return session


@pytest.fixture
async def lessons(session):
    titles = ["Present perfect", "Past perfect", "Membaca cepat", "Not in the index yet"]
    session.add_all(
        Lesson(
            slug=f"lesson-{number}",
            title=title,
            level="A1" if number % 2 else "B1",
            skill="grammar",
            status="published",
        )
        for number, title in enumerate(titles)
    )
    await session.commit()
    await session.execute(
        text(
            "UPDATE lessons SET search_vector = setweight(to_tsvector('english', title), 'A')"
            " || setweight(to_tsvector('indonesian', title), 'B') WHERE title NOT LIKE 'Not%'"
        )
    )
    return session


async def found(session, term, **arguments):
    books = await search_full_text(
        session=session, model=Book, search_term=term, search_fields=["note", "shelf"], **arguments
    )
    return [one.id for one in books]


@pytest.mark.parametrize(
    ("term", "ids"),
    [
        ("perfect", {1}),
        ("PERFECT present", {1}),
        ("membaca", {2}),
        ("buku-buku", {2}),
        ("run", {3}),
        ('"late for school"', {4}),
        ('"school late"', set()),
        ("perfect or buku", {1, 2}),
        ("school -late", {3, 7}),
        ("school -running", {4, 7}),
        ('school -"late for"', {3, 7}),
        ("cafe resume", {5}),
        ("Càfé", {5}),
        ("elephant", set()),
    ],
)
async def test_a_term_finds_what_people_expect_of_it(shelf, term, ids):
    assert set(await found(shelf, term)) == ids


async def test_the_best_match_comes_first(shelf):
    await shelf.execute(text("UPDATE books SET note = 'running school once' WHERE id = 7"))
    assert await found(shelf, "running") == [3, 7]


@pytest.mark.parametrize(
    "term",
    [
        "",
        "   ",
        "\0",
        "\x01\x02",
        "yang",
        "yang dan",
        "-school",
        '-"late for school"',
        "-a -b",
        '"',
        '""',
        "- -",
        "\ud800",
    ],
)
async def test_a_term_without_a_word_to_look_for_finds_nothing(shelf, term):
    assert await found(shelf, term) == []


@pytest.mark.parametrize(
    "term",
    ['"perfect', 'perfect"', "per\0fect perfect", "perfect \x1b", "perfect -", "(perfect", "perfect:* <->", "'perfect"],
)
async def test_an_untidy_term_still_works(shelf, term):
    assert set(await found(shelf, term)) <= {1}


@pytest.mark.parametrize("term", ["a" * 200_000, "word " * 40_000, '"' * 200_000, "-x " * 70_000])
async def test_a_huge_term_is_refused_before_the_database_sees_it(term):
    with pytest.raises(SearchError, match=f"search_term: must have at most {MAX_TERM_CHARACTERS} characters, not"):
        await search_full_text(session=None, model=Book, search_term=term, search_fields=["note"])


@pytest.mark.parametrize("term", [None, 7, b"perfect"])
async def test_a_term_that_is_not_text_is_refused(term):
    with pytest.raises(SearchError, match="search_term: must be text, not"):
        await search_full_text(session=None, model=Book, search_term=term, search_fields=["note"])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(term=st.text(max_size=MAX_TERM_CHARACTERS) | st.text(alphabet="-\"ab or\\'&|!:*()<>", max_size=60))
async def test_no_term_of_allowed_length_is_an_error(shelf, term):
    assert set(await found(shelf, term)) <= NOTES.keys()


async def test_a_model_with_a_search_vector_is_searched_by_it(lessons):
    hits = await search_full_text(session=lessons, model=Lesson, search_term="perfect", search_fields=["description"])
    assert {one.title for one in hits} == {"Present perfect", "Past perfect"}
    assert [one.title for one in await search_full_text(session=lessons, model=Lesson, search_term="membaca")] == [
        "Membaca cepat"
    ]
    assert await search_full_text(session=lessons, model=Lesson, search_term="index") == []


async def test_filters_and_the_limit_narrow_the_result(lessons):
    async def titles(**arguments):
        hits = await search_full_text(session=lessons, model=Lesson, search_term="perfect", **arguments)
        return {one.title for one in hits}

    assert await titles(filters={"level": "A1"}) == {"Past perfect"}
    assert await titles(filters={"level": ["A1", "B1"], "status": "published"}) == {"Present perfect", "Past perfect"}
    assert await titles(filters={"level": set()}) == set()
    assert await titles(filters={"title_id": None, "position": 0}) == {"Present perfect", "Past perfect"}
    assert len(await titles(limit=1)) == 1


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"colour": "red"}, "filters: 'colour' cannot be filtered by; there are created_at, .*level"),
        ({"level; DROP TABLE lessons": "A1"}, "cannot be filtered by"),
        ({"sections": []}, "filters: 'sections' cannot be filtered by"),
        ({"search_vector": "x"}, "filters: 'search_vector' cannot be filtered by"),
        ({"metadata": "x"}, "cannot be filtered by"),
        ({"level": 3}, "filters: 'level' takes str, not 3"),
        ({"position": "3"}, "filters: 'position' takes int, not '3'"),
        ({"position": True}, "filters: 'position' takes int, not True"),
        ({"position": [1, None]}, "filters: 'position' takes int, not None"),
        ({"position": 2**31}, "filters: 'position' cannot be as large as 2147483648"),
        ({"topic": "a\0"}, "filters: 'topic' takes text without NUL"),
        ({"topic": "\udfff"}, "filters: 'topic' takes text without NUL"),
        ({"id": "not-a-uuid"}, "filters: 'id' takes UUID"),
    ],
)
async def test_a_filter_is_checked_against_the_model(filters, says):
    with pytest.raises(FilterError, match=says) as caught:
        await search_full_text(session=None, model=Lesson, search_term="x", filters=filters)
    assert caught.value.field == next(iter(filters))


@pytest.mark.parametrize("field", ["colour", "rating", "note; DROP TABLE books", ""])
async def test_search_fields_must_be_text_columns_of_the_model(field):
    with pytest.raises(SearchError, match=r"search_fields: .* is not a text column; there are note, shelf"):
        await search_full_text(session=None, model=Book, search_term="x", search_fields=["note", field])


@pytest.mark.parametrize("fields", [None, []])
async def test_a_model_without_a_vector_needs_search_fields(fields):
    with pytest.raises(SearchError, match="search_fields: name at least one"):
        await search_full_text(session=None, model=Book, search_term="x", search_fields=fields)


@pytest.mark.parametrize("limit", [0, -1, 1001, "5"])
async def test_a_limit_out_of_range_is_refused(limit):
    with pytest.raises(PageError, match="limit must be"):
        await search_full_text(session=None, model=Lesson, search_term="x", limit=limit)


async def test_the_vector_is_looked_up_in_its_index(lessons):
    statements = []

    class Spy:
        @staticmethod
        async def scalars(statement):
            statements.append(statement)
            return await lessons.scalars(statement)

    await lessons.execute(text("SET LOCAL enable_seqscan = off"))
    await search_full_text(session=Spy, model=Lesson, search_term="perfect -past")
    compiled = statements[0].compile(lessons.bind.sync_connection.engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join((await lessons.execute(text(f"EXPLAIN {compiled}".replace(":", "\\:")))).scalars())
    assert "Bitmap Index Scan on idx_lessons_search" in plan


async def test_the_public_face_finds_the_same(shelf):
    arguments = {"session": shelf, "model": Book, "search_term": "school", "search_fields": ["note"]}
    assert await DatabaseUtils.search_full_text(**arguments) == await search_full_text(**arguments)
