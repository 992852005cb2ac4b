"""The demonstration's SQL: enrolling its learners, reading what they can study, and looking at what became of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from worker.db import Connection
from worker.db.queries import load_query
from worker.demo.answers import SimulatedQuestion
from worker.demo.learners import LEVELS, Catalogue, SimulatedLearner, SimulatedLesson
from worker.srs.queue_policy import QueueCard, QueueRules


@dataclass(frozen=True, slots=True)
class Effects:
    """What the demonstration's learners have, summed: the quantities that attempts move."""

    reviewed_cards: int
    attempts_in_lessons: int
    attempts_in_statistics: int


def enrol(connection: Connection, learners: Sequence[SimulatedLearner]) -> None:
    """Insert the learners and their preferences; those of an earlier demonstration stay as they are.

    They have no password, so nobody can log in as them.
    """
    rows = [(one.id, one.email, one.full_name, one.level, one.timezone) for one in learners]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO users (id, email, full_name, current_level, timezone)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            rows,
        )
        cursor.executemany(
            "INSERT INTO user_preferences (user_id) VALUES (%s) ON CONFLICT DO NOTHING", [(one.id,) for one in learners]
        )


def read_catalogue(connection: Connection) -> Catalogue:
    """Return every published lesson with its questions; two queries, whatever the number of lessons."""
    questions = {
        row[0]: SimulatedQuestion(*row)
        for row in connection.execute(
            "SELECT id, type, options, answer_key, difficulty, usual_time_ms FROM questions WHERE status = 'published'"
        )
    }
    lessons: dict[str, list[SimulatedLesson]] = defaultdict(list)
    for lesson_id, level, question_ids in connection.execute(
        "SELECT l.id, l.level, array_agg(q.question_id ORDER BY q.position)"
        " FROM lessons l JOIN lesson_questions q ON q.lesson_id = l.id WHERE l.status = 'published'"
        " GROUP BY l.id ORDER BY l.path, l.unit, l.position, l.id"
    ):
        lessons[level].append(SimulatedLesson(lesson_id, level, tuple(question_ids)))
    return Catalogue(lessons={level: lessons[level] for level in LEVELS}, questions=questions)


def read_effects(connection: Connection, learner_ids: Sequence[UUID]) -> Effects:
    """Return what these learners have now."""
    row = connection.execute(load_query("worker.demo", "before"), {"learners": list(learner_ids)}).fetchone()
    assert row is not None
    return Effects(*(int(value) for value in row))


def read_processed(connection: Connection, learner_ids: Sequence[UUID], since: datetime) -> int:
    """Return how many attempts of these learners were graded ever, and rejected since an instant, together."""
    values = {"learners": list(learner_ids), "since": since}
    row = connection.execute(load_query("worker.demo", "progress"), values).fetchone()
    assert row is not None
    return int(row[0]) + int(row[1])


def read_ids(connection: Connection, table: str, attempt_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of `attempt_ids` stand in `table` (question_attempts or attempt_rejections)."""
    statement = {
        "question_attempts": "SELECT id FROM question_attempts WHERE id = ANY(%s)",
        "attempt_rejections": "SELECT id FROM attempt_rejections WHERE id = ANY(%s)",
    }[table]
    return {row[0] for row in connection.execute(statement, (list(attempt_ids),))}


def read_pairs(connection: Connection, attempt_ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """Return the distinct pairs of learner and question among these graded attempts."""
    return set(
        connection.execute(
            "SELECT DISTINCT user_id, question_id FROM question_attempts WHERE id = ANY(%s)", (list(attempt_ids),)
        )
    )


def read_reviewed_pairs(connection: Connection, learner_ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """Return the pairs of learner and question for which there is a card that was reviewed at least once."""
    return set(
        connection.execute(
            "SELECT user_id, item_id FROM srs_cards WHERE user_id = ANY(%s) AND state <> 'new'", (list(learner_ids),)
        )
    )


def discard_queues(connection: Connection, learner_ids: Sequence[UUID]) -> None:
    """Delete these learners' due queues, so that the next run of the job builds them from what is known now."""
    connection.execute("DELETE FROM srs_due_queues WHERE user_id = ANY(%s)", (list(learner_ids),))


def read_decks(
    connection: Connection, starts_at: Mapping[UUID, datetime]
) -> dict[UUID, tuple[list[QueueCard], QueueRules]]:
    """Return each learner's cards and rules (the defaults) as the queue policy wants them.

    Args:
        connection: in a transaction.
        starts_at: when each learner's local day began: what was done since counts for the limits.
    """
    decks: dict[UUID, list[QueueCard]] = defaultdict(list)
    done: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    for user_id, reviewed, introduced, *card in connection.execute(
        load_query("worker.demo", "decks"), {"user_ids": list(starts_at), "starts_at": list(starts_at.values())}
    ):
        decks[user_id].append(
            QueueCard(id=card[0], state=card[1], interval=card[2], due_on=card[3], stability=card[4],
                      is_suspended=card[5], reviewed_today=reviewed or introduced)
        )  # fmt: skip
        done[user_id][0] += reviewed
        done[user_id][1] += introduced
    return {
        user_id: (cards, QueueRules(reviewed=done[user_id][0], introduced=done[user_id][1]))
        for user_id, cards in decks.items()
    }


def read_queues(connection: Connection, learner_ids: Sequence[UUID]) -> dict[UUID, tuple[date, list[UUID]]]:
    """Return each learner's newest due queue: its local date and its card ids in order."""
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT DISTINCT ON (user_id) user_id, local_date, card_ids FROM srs_due_queues"
        " WHERE user_id = ANY(%s) ORDER BY user_id, local_date DESC",
        (list(learner_ids),),
    ).fetchall()
    return {user_id: (local_date, card_ids) for user_id, local_date, card_ids in rows}
