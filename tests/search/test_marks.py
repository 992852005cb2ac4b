"""What an editor's statement marks, and what it does not."""

from uuid import uuid4

import psycopg
import pytest

from tests.factories import link_question, make_lesson, make_question


def marks(connection):
    """Return the objects marked, and forget them."""
    rows = connection.execute("DELETE FROM search_dirty RETURNING object_type, object_id").fetchall()
    return sorted({(kind, object_id) for kind, object_id in rows})


@pytest.fixture
def content(unmarked):
    """A lesson with one of two questions; nothing is marked."""
    inside, outside = make_question(unmarked), make_question(unmarked)
    lesson = make_lesson(unmarked, question_ids=[inside])
    marks(unmarked)
    return unmarked, lesson, inside, outside


def test_new_lessons_and_questions_are_marked(unmarked):
    question = make_question(unmarked)
    lesson = make_lesson(unmarked)
    assert marks(unmarked) == [("lesson", lesson), ("question", question)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("stem", "What is new?"),
        ("stem_id", "Apa yang baru?"),
        ("topic", "news"),
        ("explanation", "because"),
        ("explanation_id", "karena"),
        ("options", '[{"id": "a", "text": "new"}]'),
    ],
)
def test_a_question_whose_text_changes_is_marked(content, column, value):
    connection, _, inside, _ = content
    connection.execute(f"UPDATE questions SET {column} = %s WHERE id = %s", [value, inside])
    assert marks(connection) == [("question", inside)]


@pytest.mark.parametrize(
    "change",
    [
        "status = 'archived'",
        "difficulty = 5",
        "item_difficulty = 0.5",
        "search_vector = NULL",
        "stem = stem",
        'answer_key = \'{"correct": "a"}\'',
    ],
)
def test_a_change_that_search_does_not_see_marks_nothing(content, change):
    connection, _, inside, _ = content
    connection.execute(f"UPDATE questions SET {change} WHERE id = %s", [inside])
    assert marks(connection) == []


@pytest.mark.parametrize("column", ["title", "title_id", "topic", "path", "unit", "description", "description_id"])
def test_a_lesson_whose_text_changes_is_marked(content, column):
    connection, lesson, inside, _ = content
    connection.execute(f"UPDATE lessons SET {column} = 'something new' WHERE id = %s", [lesson])
    with_question = [("question", inside)] if column in {"topic", "title_id"} else []
    assert marks(connection) == [("lesson", lesson), *with_question]


def test_a_lesson_whose_sections_change_is_marked(content):
    connection, lesson, _, _ = content
    connection.execute("""UPDATE lessons SET sections = '[{"kind": "tip", "body": "new"}]' WHERE id = %s""", [lesson])
    assert marks(connection) == [("lesson", lesson)]


def test_a_question_put_into_a_lesson_moved_or_taken_out_is_marked(content):
    connection, lesson, inside, outside = content
    link_question(connection, lesson_id=lesson, question_id=outside, position=7)
    assert marks(connection) == [("question", outside)]
    other = make_lesson(connection)
    marks(connection)
    connection.execute("UPDATE lesson_questions SET lesson_id = %s WHERE question_id = %s", [other, outside])
    assert marks(connection) == [("question", outside)]
    connection.execute("UPDATE lesson_questions SET position = 9 WHERE question_id = %s", [outside])
    assert marks(connection) == []
    connection.execute("DELETE FROM lesson_questions WHERE question_id = %s", [inside])
    assert marks(connection) == [("question", inside)]


def test_the_questions_of_a_deleted_lesson_are_marked(content):
    connection, lesson, inside, _ = content
    connection.execute("DELETE FROM lessons WHERE id = %s", [lesson])
    assert marks(connection) == [("question", inside)]


def test_a_statement_marks_each_of_its_rows_at_once(unmarked):
    unmarked.execute(
        "INSERT INTO questions (type, stem, answer_key, level, skill)"
        " SELECT 'short_answer', 'Question ' || n, '{}', 'A1', 'grammar' FROM generate_series(1, 500) AS n"
    )
    assert len(marks(unmarked)) == 500
    unmarked.execute("UPDATE questions SET stem = stem || '?' WHERE stem LIKE 'Question 1%'")
    assert len(marks(unmarked)) == 111


def test_a_mark_is_committed_or_rolled_back_with_the_edit(committed, database_url):
    with psycopg.connect(database_url) as editor:
        make_question(editor)
        editor.rollback()
        assert marks(committed) == []
        question = make_question(editor)
        assert marks(committed) == []
        editor.commit()
    assert marks(committed) == [("question", question)]


def test_two_editors_who_touch_the_same_question_do_not_wait_for_each_other(committed, database_url):
    question = make_question(committed)
    first, second = (make_lesson(committed, question_ids=[question]) for _ in range(2))
    with psycopg.connect(database_url) as one, psycopg.connect(database_url) as other:
        other.execute("SET lock_timeout = '20s'")
        one.execute("UPDATE lessons SET topic = %s WHERE id = %s", [uuid4().hex, first])
        other.execute("UPDATE lessons SET topic = %s WHERE id = %s", [uuid4().hex, second])
        other.commit()
        one.commit()
    assert ("question", question) in marks(committed)


def test_an_edit_that_marks_wakes_listeners_and_another_does_not(committed, database_url):
    question = make_question(committed)
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN elp_search_dirty")
        committed.execute("UPDATE questions SET status = 'archived'")
        assert list(listener.notifies(timeout=0.2, stop_after=1)) == []
        committed.execute("UPDATE questions SET stem = 'New?' WHERE id = %s", [question])
        assert len(list(listener.notifies(timeout=60, stop_after=1))) == 1
