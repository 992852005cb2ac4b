"""Content in the database: written in one transaction, only where it differs from what is there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from worker.content.values import Content, Lesson, Question
from worker.db.bulk import Upserted, column_types, upsert_rows
from worker.db.engines import Connection
from worker.db.queries import load_query

_QUESTION_COLUMNS: Final = (
    "id",
    "type",
    "stem",
    "stem_id",
    "options",
    "answer_key",
    "explanation",
    "explanation_id",
    "level",
    "skill",
    "topic",
    "difficulty",
    "usual_time_ms",
    "source",
    "family",
    "status",
)
_LESSON_COLUMNS: Final = (
    "id",
    "slug",
    "title",
    "title_id",
    "description",
    "description_id",
    "level",
    "skill",
    "topic",
    "path",
    "unit",
    "position",
    "sections",
    "status",
)
_STATUS: Final = "published"


@dataclass(frozen=True, slots=True)
class Written:
    """What writing did, in rows."""

    questions: Upserted
    lessons: Upserted
    lesson_questions: Upserted
    archived_questions: int
    archived_lessons: int
    removed_lesson_questions: int

    @property
    def changed(self) -> int:
        """Rows that are other than they were."""
        upserted = (self.questions, self.lessons, self.lesson_questions)
        gone = self.archived_questions + self.archived_lessons + self.removed_lesson_questions
        return gone + sum(each.inserted + each.updated for each in upserted)


def write_content(connection: Connection, content: Content) -> Written:
    """Make the database hold this content, in one transaction (or savepoint of the present one).

    Rows are staged with COPY and written where they differ; unchanged ones are only read. What an earlier seed made and
    this one does not is archived, not deleted. Rows of editors (ids of another version) are not touched.
    Cost grows with the content: COPY and one index probe a row, and writing what differs.

    Raises:
        psycopg.errors.UniqueViolation: an editor's lesson has the slug of a seeded one.
    """
    with connection.transaction():
        questions = _upsert(connection, "questions", _QUESTION_COLUMNS, map(_question_row, content.questions))
        lessons = _upsert(connection, "lessons", _LESSON_COLUMNS, map(_lesson_row, content.lessons))
        pairs = [
            (lesson.id, question.id, position)
            for lesson in content.lessons
            for position, question in enumerate(lesson.questions)
        ]
        lesson_ids = [lesson.id for lesson in content.lessons]
        removed = _execute(
            connection,
            "remove_lesson_questions",
            lesson_ids=lesson_ids,
            kept_lesson_ids=[lesson_id for lesson_id, _question, _position in pairs],
            kept_question_ids=[question_id for _lesson, question_id, _position in pairs],
        )
        placed = upsert_rows(
            connection,
            "lesson_questions",
            ("lesson_id", "question_id", "position"),
            pairs,
            key=("lesson_id", "question_id"),
            types=("uuid", "uuid", "int4"),
        )
        return Written(
            questions=questions,
            lessons=lessons,
            lesson_questions=placed,
            archived_questions=_execute(
                connection, "archive_questions", ids=[question.id for question in content.questions]
            ),
            archived_lessons=_execute(connection, "archive_lessons", ids=lesson_ids),
            removed_lesson_questions=removed,
        )


def _upsert(connection: Connection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Upserted:
    types = column_types(connection, table, columns)
    return upsert_rows(connection, table, columns, rows, key=("id",), types=types)


def _execute(connection: Connection, query: str, **parameters: list[UUID]) -> int:
    """Run a statement of this capability and return how many rows it wrote."""
    return connection.execute(load_query("worker.content", query), parameters).rowcount


def _question_row(question: Question) -> tuple[Any, ...]:
    return (*(getattr(question, column) for column in _QUESTION_COLUMNS[:-1]), _STATUS)


def _lesson_row(lesson: Lesson) -> tuple[Any, ...]:
    return (*(getattr(lesson, column) for column in _LESSON_COLUMNS[:-1]), _STATUS)
