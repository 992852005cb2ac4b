"""What a search finds, and what it must not."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.factories import make_lesson, make_question
from tests.support.servers import clone_template, drop_database
from worker.db import DatabaseUtils
from worker.db.cursors import CursorError
from worker.db.engines import driver_url
from worker.models import Question
from worker.search.finder import Finder
from worker.search.refresh import refresh_batch
from worker.search.store import count_words
from worker.search.values import Asked, SearchTimeoutError


@pytest.fixture(scope="module")
def library(maintenance_url, worker_name):
    """A database with content that no test changes: its address, and ids by name."""
    url = clone_template(maintenance_url, f"elp_{worker_name}_finder")
    ids = {}
    with psycopg.connect(url) as connection:

        def question(name, **values):
            ids[name] = make_question(connection, **{"stem_id": None, "options": [], "answer_key": {}} | values)

        question("coffee", type="fill_blank", stem="Do you have any c_____?", stem_id="Apa kau punya kopi?",
                 explanation="The missing word is coffee.", explanation_id="Kata yang hilang: coffee.")  # fmt: skip
        question(
            "tea", type="fill_blank", stem="I drink t__.", stem_id="Saya minum teh.", explanation="The word is tea."
        )
        question("read", stem="What does “reading” mean?", stem_id="Apa arti “reading”?", level="A2",
                 options=[{"id": "a", "text": "membaca"}, {"id": "b", "text": "menulis"}])  # fmt: skip
        question("book", stem="Books are for readers <b>& friends</b>", topic="Hobbies", level="B1", skill="reading")
        question("draft", stem="An unfinished book", status="draft")
        question("cafe", stem="A café in town")
        words = [{"id": "a", "text": "zebras"}, {"id": "b", "text": "chase"}, {"id": "c", "text": "monkeys"}]
        question("order", type="ordering", stem="Put the words in order.", options=words)
        question("long", stem="book " * 40)
        reflexive = {"title": "Himself, herself, itself", "title_id": "Himself, herself, itself", "topic": "Pronouns"}
        reflexive |= {"description": "Reflexive pronouns", "question_ids": [ids["tea"]]}
        ids["lesson"] = make_lesson(connection, **reflexive)
        ids["old"] = make_lesson(connection, title="Old books", status="archived")
        for number in range(25):
            question(f"many{number}", stem=f"Elephants number {number}", level="A1" if number % 5 else "B2",
                     skill="grammar" if number % 2 else "vocabulary")  # fmt: skip
        refresh_batch(connection, limit=10_000)
        count_words(connection)
    yield url, ids
    drop_database(maintenance_url, f"elp_{worker_name}_finder")


@pytest.fixture(params=["psycopg", "asyncpg"])
async def search(library, request):
    """Search: returns what was found."""
    engine = create_async_engine(driver_url(library[0], request.param), poolclass=NullPool)
    finder = Finder(engine)

    async def find(text, **asked):
        return await finder.find(Asked(text=text, **asked))

    yield find
    await engine.dispose()


@pytest.fixture
def names(library):
    """Tell what was found by the names that this module gives."""
    by_id = {object_id: name for name, object_id in library[1].items()}
    return lambda found: {by_id[hit.id] for hit in found.hits}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kopi", {"coffee"}),
        ("KOPI punya", {"coffee"}),
        ("baca", {"read"}),
        ("bacaan", {"read"}),
        ("pembaca menulis", {"read"}),
        ("reads", {"read"}),
        ("reading membaca", {"read"}),
        ('"books are for readers"', {"book"}),
        ('"readers are for books"', set()),
        ("teh or kopi", {"coffee", "tea"}),
        ("cafe", {"cafe"}),
        ("pronouns", {"tea"}),
        ("buku-buku", set()),
        ("", set()),
        ("the of and", set()),
        ("-kopi", set()),
        ("\0", set()),
    ],
)
async def test_a_term_finds_questions_in_either_language_whatever_its_form(search, names, text, wanted):
    found = await search(text)
    assert names(found) == wanted or (found.matching == "any" and wanted <= names(found))
    assert found.total == len(found.hits)


async def test_words_that_stop_elsewhere_are_found_where_lessons_are_about_them(search, names):
    assert names(await search("himself herself", kind="lesson")) == {"lesson"}
    assert names(await search("pronoun reflexive", kind="lesson")) == {"lesson"}


@pytest.mark.parametrize("text", ["coffee", "hilang", '"missing word"', "missing", "coffe", "coffee tea", "cof"])
async def test_a_learner_never_finds_by_the_explanation(search, names, text):
    assert names(await search(text, as_you_type=True)) == set()
    assert "coffee" not in names(await search(text))


@pytest.mark.parametrize("text", ["kopi -coffee", "kopi -hilang", 'kopi -"missing word"', "punya -tea"])
async def test_a_learner_learns_nothing_from_what_an_exclusion_leaves_out(search, names, text):
    assert names(await search(text)) == {"coffee"}


async def test_a_phrase_does_not_tell_the_order_of_options(search, names):
    assert names(await search("monkeys chase zebras")) == {"order"}
    for audience in ("learner", "editor"):
        assert names(await search('"zebras chase monkeys"', audience=audience)) == set()


async def test_a_learners_ranks_facets_and_totals_do_not_depend_on_explanations(search, library):
    url, ids = library
    before = await search("kopi or teh")
    assert before.total == 2
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE questions SET explanation = 'kopi teh ' || explanation WHERE id = %s", [ids["tea"]])
        refresh_batch(connection)
        connection.commit()
        after = await search("kopi or teh")
        connection.execute("UPDATE questions SET explanation = 'The word is tea.' WHERE id = %s", [ids["tea"]])
        refresh_batch(connection)
    assert [(hit.id, hit.rank) for hit in after.hits] == [(hit.id, hit.rank) for hit in before.hits]


async def test_an_editor_finds_by_explanations_and_what_is_not_published(search, names):
    assert names(await search("coffee", audience="editor")) == {"coffee"}
    assert names(await search("unfinished", audience="editor")) == {"draft"}
    assert names(await search("unfinished")) == set()
    assert names(await search("kopi -coffee", audience="editor")) == set()
    assert names(await search("books", kind="lesson")) == set()
    assert names(await search("books", kind="lesson", audience="editor", statuses=("archived",))) == {"old"}


async def test_answers_are_no_part_of_what_is_shown(search):
    (hit,) = (await search("kopi")).hits
    assert "coffee" not in str(hit)
    assert (hit.title_id, hit.highlight_id) == ("Apa kau punya kopi?", "Apa kau punya <mark>kopi</mark>?")


async def test_what_was_found_is_marked_and_all_else_escaped(search):
    (hit,) = (await search("readers friends")).hits
    assert hit.highlight == "Books are for <mark>readers</mark> &lt;b&gt;&amp; <mark>friends</mark>&lt;/b&gt;"
    (hit,) = (await search("membaca")).hits
    assert hit.highlight == "What does “reading” mean?"
    (hit,) = (await search("reading mean")).hits
    assert hit.highlight == "What does “<mark>reading</mark>” <mark>mean</mark>?"


@pytest.mark.parametrize(
    ("text", "searched_for"),
    [
        ("elehpants", "elephants"),
        ("elepants number", "elephants number"),
        ("membca", "membaca"),
        ("Friendz", "friends"),
    ],
)
async def test_a_misspelt_word_is_corrected_when_nothing_has_it(search, text, searched_for):
    found = await search(text)
    assert (found.matching, found.searched_for) == ("corrected", searched_for)
    assert found.total > 0


async def test_any_of_the_words_will_do_at_last(search, names):
    found = await search("kopi zzzzzzzz elephants")
    assert found.matching == "any"
    assert found.total == 26
    assert "coffee" in names(await search("kopi zzzzzzzz"))


@pytest.mark.parametrize("text", ["zzzzzzzz", "zzzzzzzz -elephants", "qqqqqqqq xxxxxxxx"])
async def test_what_is_nowhere_finds_nothing(search, text):
    found = await search(text)
    assert (found.hits, found.total, found.facets, found.next) == ([], 0, {}, None)


async def test_a_word_being_typed_finds_what_it_may_become(search, names):
    found = await search("readi", as_you_type=True)
    assert "read" in names(found)
    assert found.completions == ["reading"]
    assert names(await search("friends rea", as_you_type=True)) == {"book"}
    assert (await search("eleph", as_you_type=True)).total == 25
    assert (await search("eleph ", as_you_type=True)).completions == ["elephants"]


async def test_filters_narrow_and_facets_count_what_is_left(search):
    found = await search("elephants", levels=("B2",))
    assert found.total == 5
    assert {facet.value: facet.matches for facet in found.facets["level"]} == {"B2": 5}
    found = await search("elephants", levels=("A1",), skills=("grammar",))
    counts = {name: {facet.value: facet.matches for facet in facets} for name, facets in found.facets.items()}
    assert counts["skill"] == {"grammar": found.total}
    assert counts["type"] == {"multiple_choice": found.total}
    assert counts["status"] == {"published": found.total}
    assert (await search("elephants", types=("ordering",))).total == 0
    assert (await search("elephants", topics=("daily life",))).total == 25
    assert (await search("elephants", topics=("nothing",))).total == 0


@pytest.mark.parametrize("limit", [1, 4, 25])
async def test_pages_hold_every_match_once_in_order(search, limit):
    seen, after = [], None
    while True:
        page = await search("elephants", limit=limit, after=after)
        assert page.total == 25
        seen += [(-hit.rank, hit.id) for hit in page.hits]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 25
    assert seen == sorted(seen)


@pytest.mark.parametrize("text", ["elehpants", "elephants zzzzzzzz"])
async def test_pages_of_a_second_try_go_on_with_it(search, text):
    first = await search(text, limit=20)
    second = await search(text, limit=20, after=first.next)
    assert (first.matching, first.total, second.total) == (second.matching, 25, 25)
    assert len({hit.id for hit in (*first.hits, *second.hits)}) == 25
    assert second.next is None


async def test_a_cursor_of_another_search_is_refused(search):
    after = (await search("elephants", limit=3)).next
    for other in (
        {"text": "elephant"},
        {"text": "elephants", "levels": ("A1",)},
        {"text": "elephants", "kind": "lesson"},
    ):
        with pytest.raises(CursorError):
            await search(other.pop("text"), after=after, **other)


async def test_a_search_that_takes_too_long_says_so(library):
    arguments = {"options": "-c statement_timeout=100"}
    engine = create_async_engine(driver_url(library[0], "psycopg"), poolclass=NullPool, connect_args=arguments)
    with psycopg.connect(library[0]) as blocker:
        blocker.execute("LOCK TABLE questions IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SearchTimeoutError, match="add a word or a filter"):
            await Finder(engine).find(Asked(text="elephants"))
    await engine.dispose()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=300) | st.text(alphabet="-\"ab or\\'&|!:*()<>%_½ŉ", max_size=60),
    as_you_type=st.booleans(),
    kind=st.sampled_from(["lesson", "question"]),
)
async def test_no_term_is_an_error(search, text, as_you_type, kind):
    found = await search(text, as_you_type=as_you_type, kind=kind)
    assert found.total >= len(found.hits)


async def test_the_database_utility_keeps_explanations_to_editors(library):
    url, ids = library
    engine = create_async_engine(driver_url(url, "psycopg"), poolclass=NullPool)
    async with AsyncSession(engine) as own:

        async def found(text, **arguments):
            rows = await DatabaseUtils.search_full_text(session=own, model=Question, search_term=text, **arguments)
            return [row.id for row in rows]

        assert await found("coffee") == []
        assert await found("kopi -coffee") == [ids["coffee"]]
        assert await found("coffee", for_editors=True) == [ids["coffee"]]
        assert await found("kopi -coffee", for_editors=True) == []
        assert len(await found("elephants", limit=7, filters={"level": "A1"})) == 7
    await engine.dispose()
