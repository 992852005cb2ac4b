"""The books after a fault: what every accepted attempt must have become, recomputed from nothing but the attempts."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from uuid import UUID

import psycopg

from tests.reliability.clients import Sent
from worker import clock
from worker.srs import sm2
from worker.srs.answering import answer
from worker.srs.card import CardState
from worker.srs.learners import DEFAULT_SCHEDULER
from worker.srs.spread import fuzzed

ZONE = "Asia/Jakarta"
DAY_START_HOUR = 4


def read_attempts(connection: psycopg.Connection) -> dict[UUID, list[tuple]]:
    """Return each learner's graded attempts in the order in which they were made."""
    attempts: dict[UUID, list[tuple]] = defaultdict(list)
    for row in connection.execute(
        "SELECT a.user_id, a.question_id, a.score, a.answer ->> 'choice', a.time_spent_ms, a.attempted_at,"
        " q.usual_time_ms, a.id FROM question_attempts a JOIN questions q ON q.id = a.question_id"
        " ORDER BY a.user_id, a.attempted_at, a.id"
    ):
        attempts[row[0]].append(row[1:])
    return attempts


def assert_nothing_lost(connection: psycopg.Connection, sent: Sent) -> None:
    """Accepted ids = graded ∪ rejected ids, the two apart, and nothing there that nobody sent."""
    graded = {row[0] for row in connection.execute("SELECT id FROM question_attempts")}
    rejected = {row[0] for row in connection.execute("SELECT id FROM attempt_rejections")}
    assert sent.refusals == []
    assert sent.promised - (graded | rejected) == set()
    assert graded & rejected == set()
    assert (graded | rejected) - sent.attempted.keys() == set()


def assert_nothing_twice(connection: psycopg.Connection) -> None:
    """Statistics, progress and cards are what one pass over the graded attempts gives."""
    attempts = read_attempts(connection)
    expected_stats = {
        user_id: (len(rows), sum(row[1] == 1 for row in rows), sum(row[3] for row in rows))
        for user_id, rows in attempts.items()
    }
    stats = {
        row[0]: row[1:]
        for row in connection.execute("SELECT user_id, attempts, correct, time_spent_ms FROM user_stats")
    }
    assert stats == expected_stats
    progress = {
        row[0]: row[1:] for row in connection.execute("SELECT user_id, attempted, correct FROM lesson_progress")
    }
    assert progress == {user_id: values[:2] for user_id, values in expected_stats.items()}
    assert reviewed_cards(connection) == expected_cards(attempts, learners_on_sm2(connection))


def reviewed_cards(connection: psycopg.Connection) -> dict[tuple[UUID, UUID], CardState]:
    """Return the cards that were reviewed at least once, as the schedulers see them."""
    return {
        (row[0], row[1]): CardState(row[2], row[3], int(row[4] * 100), *row[5:])
        for row in connection.execute(
            "SELECT user_id, item_id, state, interval, ease_factor, repetitions, lapses, next_review_date,"
            " step, stability, difficulty, coalesce(extract(epoch FROM due_at - last_reviewed_at), 0)::integer"
            " FROM srs_cards WHERE state <> 'new'"
        )
    }


def learners_on_sm2(connection: psycopg.Connection) -> set[UUID]:
    """Return the learners on SM-2; all others are on FSRS as it is for new learners."""
    return {row[0] for row in connection.execute("SELECT user_id FROM user_preferences WHERE scheduler = 'sm2'")}


def expected_cards(attempts: dict[UUID, list[tuple]], on_sm2: set[UUID]) -> dict[tuple[UUID, UUID], CardState]:
    """Return the cards that one review an attempt, in order, makes of new ones, by each learner's scheduler."""
    cards: dict[tuple[UUID, UUID], CardState] = {}
    reviewed_on: dict[tuple[UUID, UUID], date] = {}
    for user_id, rows in attempts.items():
        for question_id, score, choice, time_spent_ms, attempted_at, usual_time_ms, attempt_id in rows:
            pair, on = (user_id, question_id), local_day(attempted_at)
            card = cards.get(pair, sm2.new_card(on))
            quality = sm2.quality(float(score), not choice, time_spent_ms, usual_time_ms)
            if user_id in on_sm2:
                cards[pair] = sm2.review(card, quality, on)
                continue
            cards[pair] = answer(
                card,
                quality,
                on,
                last_on=reviewed_on.get(pair),
                scheduler=DEFAULT_SCHEDULER,
                choose=fuzzed(attempt_id.bytes),
                day_after=lambda delay_s, at=attempted_at: local_day(at + timedelta(seconds=delay_s)),
            )
            if cards[pair] is not card:
                reviewed_on[pair] = on
    return cards


def local_day(at: datetime) -> date:
    return clock.local_day(at, ZONE, DAY_START_HOUR)


def double_cards(connection: psycopg.Connection) -> Counter[tuple[UUID, UUID]]:
    """Return learner and question of cards that exist more than once (the database forbids them)."""
    pairs = Counter(connection.execute("SELECT user_id, item_id FROM srs_cards").fetchall())
    return Counter({pair: times for pair, times in pairs.items() if times > 1})
