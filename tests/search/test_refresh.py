"""What a vector holds, and how the refresh keeps it true."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_lesson, make_question
from worker.search.refresh import LOCK, mark_outdated, refresh, refresh_batch


def vector(connection, table, object_id):
    row = connection.execute(f"SELECT search_vector FROM {table} WHERE id = %s", [object_id]).fetchone()
    return row[0]


def weights(connection, table, object_id):
    """Return the lexemes of a vector with their weights."""
    rows = connection.execute(
        f"SELECT lexeme, array_to_string(array(SELECT DISTINCT unnest(weights) ORDER BY 1), '')"
        f" FROM {table}, unnest(search_vector) WHERE id = %s",
        [object_id],
    )
    return dict(rows.fetchall())


def settle(connection):
    done = refresh_batch(connection, limit=10_000)
    assert done.is_complete
    return done


def test_a_questions_texts_are_read_each_in_its_language_and_weigh_by_their_place(unmarked):
    question = make_question(
        unmarked,
        stem="Reading “naïve” books",
        stem_id="Bacaan pemula",
        topic="Hobbies",
        explanation="Explaining",
        explanation_id="Penjelasan",
        options=[{"id": "zebra", "text": "membaca"}, {"id": "b", "text": "café"}],
        answer_key={"correct": "secret"},
    )
    make_lesson(unmarked, topic="Free time", title_id="Waktu luang", question_ids=[question])
    settle(unmarked)
    found = weights(unmarked, "questions", question)
    wanted = {
        "read": "A",
        "naiv": "A",
        "book": "A",
        "baca": "AD",
        "hobbi": "B",
        "free": "B",
        "waktu": "B",
        "luang": "B",
    }
    wanted |= {"explain": "C", "jelas": "C", "cafe": "D", "pula": "A"}
    assert {word: found.get(word) for word in wanted} == wanted
    assert not {"zebra", "id", "text", "secret", "correct"} & found.keys()


@pytest.mark.parametrize(
    "options",
    [
        [],
        [{"id": "a"}],
        [{"id": "a", "text": 7}, {"text": None}, {"text": ["x"]}],
        {"left": [{"id": "l1", "text": "tree"}], "right": [{"id": "r1", "text": "pohon"}]},
        [{"id": "a", "more": {"text": "tree"}}],
    ],
)
def test_options_of_any_shape_give_their_texts_only(unmarked, options):
    question = make_question(unmarked, options=options, stem="Stem", stem_id=None)
    settle(unmarked)
    found = weights(unmarked, "questions", question)
    assert {word for word, weight in found.items() if "D" in weight} <= {"tree", "pohon"}
    assert ("tree" in found) == ("tree" in str(options))


def test_a_lessons_sections_are_read_but_for_keys_media_and_credits(unmarked):
    sections = [
        {
            "kind": "words",
            "title": "Words",
            "title_id": "Kosakata",
            "words": [{"word": "slowly", "ipa": "sloʊli", "meanings": ["perlahan"], "audio": "x/quick.mp3"}],
        },
        {"kind": "credits", "body": "Attribution"},
    ]
    lesson = make_lesson(unmarked, title="Adverbs", title_id="Kata keterangan", description="Ways", sections=sections)
    settle(unmarked)
    found = weights(unmarked, "lessons", lesson)
    wanted = {"adverb": "A", "terang": "A", "way": "C", "word": "D", "kosakata": "D", "slowli": "D", "lahan": "D"}
    assert {word: found.get(word) for word in wanted} == wanted
    assert not {"quick", "attribut", "credit", "kind", "slo"} & found.keys()


def test_a_vector_that_is_right_is_not_written_again(committed):
    question, lesson = make_question(committed), make_lesson(committed)
    assert refresh(max_seconds=60).written == 2
    state = "SELECT xmin::text, updated_at FROM {} WHERE id = %s"
    before = [
        committed.execute(state.format(t), [i]).fetchone() for t, i in (("questions", question), ("lessons", lesson))
    ]
    committed.execute("INSERT INTO search_dirty (object_type, object_id) VALUES ('question', %s)", [question])
    committed.execute("INSERT INTO search_dirty (object_type, object_id) VALUES ('lesson', %s)", [lesson])
    done = refresh(max_seconds=60)
    assert (done.marks, done.written, done.is_complete) == (2, 0, True)
    after = [
        committed.execute(state.format(t), [i]).fetchone() for t, i in (("questions", question), ("lessons", lesson))
    ]
    assert after == before


def test_many_marks_of_one_question_and_marks_of_none_are_settled(unmarked):
    question = make_question(unmarked)
    unmarked.execute(
        "INSERT INTO search_dirty (object_type, object_id) SELECT 'question', %s FROM generate_series(1, 5)", [question]
    )
    unmarked.execute("INSERT INTO search_dirty (object_type, object_id) VALUES ('lesson', gen_random_uuid())")
    done = settle(unmarked)
    assert (done.marks, done.written, done.held) == (7, 1, 0)
    assert unmarked.execute("SELECT count(*) FROM search_dirty").fetchone() == (0,)


def test_a_lessons_new_topic_reaches_its_questions(unmarked):
    question = make_question(unmarked)
    lesson = make_lesson(unmarked, question_ids=[question], topic="zoology")
    settle(unmarked)
    assert "zoolog" in weights(unmarked, "questions", question)
    unmarked.execute("UPDATE lessons SET topic = 'botany' WHERE id = %s", [lesson])
    settle(unmarked)
    found = weights(unmarked, "questions", question)
    assert "botani" in found
    assert "zoolog" not in found


def test_a_row_that_an_editor_holds_is_left_until_later_and_nobody_waits(committed, database_url):
    held, free = make_question(committed), make_question(committed)
    with psycopg.connect(database_url) as editor:
        editor.execute("UPDATE questions SET status = 'archived' WHERE id = %s", [held])
        done = refresh(max_seconds=60)
        assert (done.written, done.held) == (1, 1)
        assert vector(committed, "questions", free) is not None
        assert vector(committed, "questions", held) is None
        editor.commit()
    assert refresh(max_seconds=60).written == 1
    assert vector(committed, "questions", held) is not None


def test_two_refreshes_do_not_work_at_once(committed, database_url):
    make_question(committed)
    with psycopg.connect(database_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
        done = refresh(max_seconds=60)
        assert (done.was_busy, done.marks, done.is_complete) == (True, 0, False)
    assert refresh(max_seconds=60).written == 1


def test_small_batches_come_to_the_end_and_tell_after_each(committed):
    for _ in range(7):
        make_question(committed)
    told = []
    done = refresh(max_seconds=60, batch=2, between=told.append)
    assert (done.written, done.is_complete) == (7, True)
    assert sum(each.written for each in told) == 7
    assert len(told) >= 4


def test_a_new_definition_marks_everything_in_parts_that_go_on_where_they_were(committed):
    for _ in range(5):
        make_question(committed)
    make_lesson(committed)
    refresh(max_seconds=60)
    committed.execute("UPDATE search_state SET version = 0")
    committed.execute("UPDATE questions SET search_vector = NULL")
    assert mark_outdated(committed, limit=2) == 3
    assert mark_outdated(committed, limit=2) == 2
    committed.execute("DELETE FROM search_dirty")  # as worked off
    assert mark_outdated(committed, limit=2) == 1
    assert committed.execute("SELECT count(*) FROM search_state WHERE version = 0").fetchone() == (1,)
    assert mark_outdated(committed, limit=2) == 0
    assert committed.execute("SELECT count(*) FROM search_state WHERE version = 0").fetchone() == (0,)
    committed.execute("UPDATE search_state SET version = 0")
    done = refresh(max_seconds=60)
    assert (done.written, done.is_complete) == (5, True)
    assert committed.execute("SELECT count(*) FROM questions WHERE search_vector IS NULL").fetchone() == (0,)


def test_words_that_come_with_an_edit_are_known_at_once(unmarked):
    make_question(unmarked, stem="A zygomorphic flower", explanation="Hidden", stem_id=None)
    settle(unmarked)
    words = {word for (word,) in unmarked.execute("SELECT word FROM search_words")}
    assert "zygomorphic" in words
    assert "hidden" not in words


TEXTS = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stem=TEXTS.filter(lambda text: any(c.isalnum() for c in text)), options=st.lists(TEXTS, max_size=3))
def test_no_text_of_an_editor_stops_the_refresh(unmarked, stem, options):
    question = make_question(
        unmarked, stem=stem, options=[{"id": str(n), "text": text} for n, text in enumerate(options)]
    )
    settle(unmarked)
    assert vector(unmarked, "questions", question) is not None
