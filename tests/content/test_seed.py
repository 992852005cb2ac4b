"""Content in the database."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests import factories
from worker.content import seed as seeding
from worker.content.errors import FaultyContentError
from worker.content.seed import plan_content, seed_content
from worker.content.store import write_content
from worker.content.values import Content
from worker.db.bulk import Upserted

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def small(content: Content) -> Content:
    """Three lessons, one of each skill, with their questions and one question that only the bank has."""
    lessons = tuple(
        next(one for one in content.lessons if one.skill == skill) for skill in ("vocabulary", "grammar", "reading")
    )
    in_lessons = [question for lesson in lessons for question in lesson.questions]
    keys = {question.key for question in in_lessons}
    extra = next(question for question in content.questions if question.key not in keys)
    return Content(lessons, (*in_lessons, extra))


def count(database: Connection, table: str) -> int:
    (found,) = database.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(found)


def status_of(database: Connection, table: str, row_id: UUID) -> str:
    (found,) = database.execute(f"SELECT status FROM {table} WHERE id = %s", (row_id,)).fetchone() or ("",)
    return str(found)


@pytest.mark.usefixtures("built_once")
def test_seed_loads_all_content_published(database: Connection, content: Content):
    report = seed_content(database)
    assert report.written is not None
    assert report.written.questions == Upserted(inserted=len(content.questions), updated=0, unchanged=0)
    assert report.questions == len(content.questions) == count(database, "questions")
    assert report.lessons == len(content.lessons) == count(database, "lessons")
    assert count(database, "questions WHERE status <> 'published'") == 0
    assert count(database, "lesson_questions") == sum(len(lesson.questions) for lesson in content.lessons)
    assert report.digest == content.digest()


def test_what_is_stored_is_what_was_made(database: Connection, small: Content):
    write_content(database, small)
    question = small.questions[0]
    row = database.execute(
        "SELECT type, stem, stem_id, options, answer_key, explanation, explanation_id, level, skill, topic, difficulty,"
        " usual_time_ms, source FROM questions WHERE id = %s",
        (question.id,),
    ).fetchone()
    assert row == (
        question.type,
        question.stem,
        question.stem_id,
        question.options,
        question.answer_key,
        question.explanation,
        question.explanation_id,
        question.level,
        question.skill,
        question.topic,
        question.difficulty,
        question.usual_time_ms,
        question.source,
    )
    lesson = small.lessons[0]
    assert database.execute("SELECT sections FROM lessons WHERE slug = %s", (lesson.slug,)).fetchone() == (
        lesson.sections,
    )
    placed = database.execute(
        "SELECT question_id FROM lesson_questions WHERE lesson_id = %s ORDER BY position", (lesson.id,)
    ).fetchall()
    assert [row[0] for row in placed] == [question.id for question in lesson.questions]


def test_seed_run_twice_changes_nothing(database: Connection, small: Content):
    write_content(database, small)
    before = database.execute("SELECT id, xmin::text, updated_at FROM questions ORDER BY id").fetchall()
    written = write_content(database, small)
    assert written.questions == Upserted(inserted=0, updated=0, unchanged=len(small.questions))
    assert written.lessons == Upserted(inserted=0, updated=0, unchanged=3)
    assert written.lesson_questions.unchanged == sum(len(lesson.questions) for lesson in small.lessons)
    assert database.execute("SELECT id, xmin::text, updated_at FROM questions ORDER BY id").fetchall() == before


def test_only_questions_that_changed_are_written(database: Connection, small: Content):
    write_content(database, small)
    changed = replace(small.questions[0], stem="Another stem")
    written = write_content(database, Content(small.lessons, (changed, *small.questions[1:])))
    assert written.questions == Upserted(inserted=0, updated=1, unchanged=len(small.questions) - 1)


def test_lesson_changes_its_questions_and_their_order(database: Connection, small: Content):
    write_content(database, small)
    lesson = small.lessons[0]
    turned = replace(lesson, questions=lesson.questions[1:][::-1])
    written = write_content(database, Content((turned, *small.lessons[1:]), small.questions))
    assert written.removed_lesson_questions == 1
    placed = database.execute(
        "SELECT question_id FROM lesson_questions WHERE lesson_id = %s ORDER BY position", (lesson.id,)
    ).fetchall()
    assert [row[0] for row in placed] == [question.id for question in turned.questions]


def test_what_is_made_no_more_is_archived_and_comes_back_when_it_is_made_again(database: Connection, small: Content):
    write_content(database, small)
    gone, kept = small.questions[-1], small.questions[:-1]
    written = write_content(database, Content(small.lessons[1:], kept))
    assert (written.archived_questions, written.archived_lessons) == (1, 1)
    assert status_of(database, "questions", gone.id) == "archived"
    assert status_of(database, "lessons", small.lessons[0].id) == "archived"
    written = write_content(database, small)
    assert (written.questions.updated, written.lessons.updated) == (1, 1)
    assert status_of(database, "questions", gone.id) == "published"


def test_rows_of_editors_are_left_alone(database: Connection, small: Content):
    question_id = factories.make_question(database, stem="By hand")
    lesson_id = factories.make_lesson(database, question_ids=[question_id])
    write_content(database, small)
    written = write_content(database, small)
    assert (written.archived_questions, written.archived_lessons) == (0, 0)
    assert status_of(database, "questions", question_id) == "published"
    assert status_of(database, "lessons", lesson_id) == "published"
    assert count(database, f"lesson_questions WHERE lesson_id = '{lesson_id}'") == 1


def test_nothing_is_written_if_a_row_is_refused(database: Connection, small: Content):
    wrong = replace(small.lessons[0], level="C1")  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.CheckViolation, match="ck_lessons_level"):
        write_content(database, Content((wrong,), small.questions))
    assert count(database, "questions") == 0


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch, small: Content) -> None:
    content = Content(small.lessons, (replace(small.questions[0], stem=" "), *small.questions[1:]))
    monkeypatch.setattr(seeding, "build_content", lambda _seed: content)


@pytest.mark.usefixtures("faulty")
def test_faulty_content_is_not_written(database: Connection):
    with pytest.raises(FaultyContentError, match="stem is empty") as caught:
        seed_content(database)
    assert len(caught.value.faults) == 1
    assert count(database, "questions") == 0


@pytest.mark.usefixtures("built_once")
def test_plan_counts_without_a_database(content: Content):
    report = plan_content()
    assert report.written is None
    assert report.questions == len(content.questions)
    assert report.by_type["ordering"].keys() == {"reading"}
    assert report.lessons_by_skill.keys() == {"grammar", "reading", "vocabulary"}
