"""Tables for the tryouts' benchmark: a form, and sittings with all their answers."""

from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID

from psycopg.types.json import Json

from worker import clock
from worker.db import Connection, transaction
from worker.ids import uuid7

QUESTIONS: Final = 40
_SKILLS: Final = ("grammar", "vocabulary", "reading", "listening")
_OPTIONS: Final = [{"id": letter, "text": f"option {letter}"} for letter in "abcd"]
SCHEME: Final = {"kind": "deduction", "right": "4", "wrong": "-1", "pass": {"total": "60"}}


def make_form(connection: Connection) -> tuple[UUID, list[UUID]]:
    """Make a set of calibrated multiple-choice questions."""
    rows = connection.execute(
        """
        INSERT INTO questions (
            type, stem, options, answer_key, level, skill, status, item_discrimination, item_difficulty
        )
        SELECT 'multiple_choice', 'question ' || n, %s, '{"correct": "b"}', 'B1', (%s::text[])[1 + n %% 4], 'published',
               1.1, (n - 20) / 10.0
        FROM generate_series(1, %s) AS n RETURNING id
        """,
        (Json(_OPTIONS), list(_SKILLS), QUESTIONS),
    ).fetchall()
    ids = [row[0] for row in rows]
    row = connection.execute(
        "INSERT INTO question_sets (slug, title, status, scheme, time_limit_seconds)"
        " VALUES ('benchmark', 'Benchmark', 'published', %s, 3600) RETURNING id",
        (Json(SCHEME),),
    ).fetchone()
    assert row is not None
    with connection.cursor().copy(
        "COPY questionset_questions (question_set_id, question_id, position) FROM STDIN"
    ) as to:
        for position, question_id in enumerate(ids):
            to.write_row((row[0], question_id, position))
    return row[0], ids


def make_sittings(
    set_id: UUID, question_ids: list[UUID], count: int, *, state: str, seed: int = 1
) -> list[tuple[UUID, UUID]]:
    """Make sittings with an answer to each question; return each one's id and its learner's."""
    random = Random(seed)
    now = clock.now()
    with transaction() as connection:
        users = [
            row[0]
            for row in connection.execute(
                "INSERT INTO users (email, full_name) SELECT gen_random_uuid() || '@example.org', 'x'"
                " FROM generate_series(1, %s) RETURNING id",
                (count,),
            )
        ]
        ids = [uuid7() for _ in users]
        columns = "id, user_id, question_set_id, state, started_at, deadline_at, submitted_at"
        with connection.cursor().copy(f"COPY tryout_sessions ({columns}) FROM STDIN") as to:
            for session_id, user_id in zip(ids, users, strict=True):
                submitted = now if state == "submitted" else None
                begun, deadline = now - timedelta(minutes=30), now + timedelta(hours=1)
                to.write_row((session_id, user_id, set_id, state, begun, deadline, submitted))
        columns = "tryout_session_id, question_id, answer, answered_at, time_spent_ms"
        with connection.cursor().copy(f"COPY tryout_answers ({columns}) FROM STDIN") as to:
            for session_id in ids:
                for question_id in question_ids:
                    answer = f'{{"choice": "{random.choice("abbbcd")}"}}'
                    to.write_row((session_id, question_id, answer, now, random.randrange(3_000, 60_000)))
    with transaction() as connection:
        connection.execute("ANALYZE tryout_sessions")
        connection.execute("ANALYZE tryout_answers")
    return list(zip(ids, users, strict=True))


def clear() -> None:
    """Forget all sittings and what came of them."""
    with transaction() as connection:
        connection.execute("TRUNCATE tryout_sessions, tryout_cohort_scores, app_events, job_outbox CASCADE")
        connection.execute("DELETE FROM users")
