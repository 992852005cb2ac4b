"""What the attempt pipeline writes: graded attempts, what they change, and the refused ones; a batch at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from struct import Struct
from uuid import UUID

import msgspec

from worker.attempts.fold import Card, Effects, Pair, Progress, StatsDelta
from worker.attempts.judging import GradedAttempt, InboxRow, Rejection
from worker.attempts.local_days import effective_zone, to_instant, to_microseconds
from worker.attempts.question_types.grade import Grade
from worker.attempts.wire import (
    FALSE,
    NULL,
    TRUE,
    DateArray,
    Float8Array,
    InstantArray,
    Int4Array,
    Int8Array,
    RawCursor,
    TextArray,
    UuidArray,
    copying,
    date_field,
    float8_field,
    int2_field,
    int4_field,
    int8_field,
    jsonb_field,
    numeric_field,
    text_field,
    uuid_field,
)
from worker.db.queries import load_query
from worker.events import Event, publish
from worker.ids import uuid7_series
from worker.srs.learners import Learner

_query = partial(load_query, "worker.attempts")

# Fields of fixed length that follow each other in a COPY row: one call for all of them. A row begins with its count of
# fields; each other number is the length of the value after it.
_THREE_IDS = Struct("!hI16sI16sI16s").pack
_INSTANTS = Struct("!IqIq").pack
_COUNTS = Struct("!IiIi").pack


@contextmanager
def copying_attempts(cursor: RawCursor, graded_at: datetime) -> Iterator[Callable[[Iterable[GradedAttempt]], None]]:
    """Yield what inserts graded attempts; the server works on them while the caller grades more."""
    end = int8_field(to_microseconds(graded_at))
    with copying(cursor, _query("copy_attempts")) as write:
        yield lambda graded: write([_attempt_row(attempt[5], attempt[7], end) for attempt in graded])


def _attempt_row(grade: Grade, row: InboxRow, graded_at: bytes) -> bytes:
    (
        attempt_id,
        user_id,
        question_id,
        lesson_id,
        session_id,
        answer,
        time_spent_ms,
        attempted_at,
        received_at,
        source,
    ) = row
    return b"".join(
        (
            _THREE_IDS(13, 16, attempt_id, 16, user_id, 16, question_id),
            uuid_field(lesson_id),
            uuid_field(session_id),
            jsonb_field(answer),
            _grade_fields(grade.score),
            int4_field(time_spent_ms),
            _INSTANTS(8, attempted_at, 8, received_at),
            graded_at,
            text_field(source),
        )
    )


@lru_cache(maxsize=10_001)
def _grade_fields(score: float) -> bytes:
    """Return `is_correct` and `score`."""
    return (TRUE if score == 1 else FALSE) + numeric_field(round(score * 10_000), 4)


def write_effects(cursor: RawCursor, effects: Effects, users: Mapping[bytes, Learner], now: datetime) -> None:
    """Write everything that the attempts of a batch change; new rows get ids of the instant `now`.

    Args:
        cursor: in the batch's transaction.
        effects: what `fold` returned.
        users: each learner, as `fold` was given them.
        now: the present instant.
    """
    _update_cards(cursor, [card for card in effects.cards.values() if card.moved and card.id is not None])
    created = [(pair, card) for pair, card in effects.cards.items() if card.id is None]
    created_ids = uuid7_series(len(created), now)
    _copy_cards(cursor, created, created_ids)
    leeches = [(card.id, pair, card) for pair, card in effects.cards.items() if card.leech_at is not None and card.id]
    leeches += [
        (card_id, pair, card)
        for card_id, (pair, card) in zip(created_ids, created, strict=True)
        if card.leech_at is not None
    ]
    publish(cursor.connection, [_leech_event(*leech) for leech in leeches], now=now)
    _save_progress(cursor, effects.progress, uuid7_series(len(effects.progress), now))
    _add_to_stats(cursor, effects.stats, users)
    _add_to_days(cursor, effects.stats)


def _update_cards(cursor: RawCursor, cards: Sequence[Card]) -> None:
    if not cards:
        return
    states = [card.state for card in cards]
    due_at = map(_due_at, cards)
    cursor.execute(
        _query("update_cards"),
        {
            "ids": UuidArray(card.id for card in cards),
            "states": TextArray(state.state for state in states),
            "intervals": Int4Array(state.interval for state in states),
            "eases": Int4Array(state.ease for state in states),
            "repetitions": Int4Array(state.repetitions for state in states),
            "lapses": Int4Array(state.lapses for state in states),
            "next_review_dates": DateArray(state.due_on for state in states),
            "steps": Int4Array(state.step for state in states),
            "stabilities": Float8Array(state.stability for state in states),
            "difficulties": Float8Array(state.difficulty for state in states),
            "due_at": InstantArray(due_at),
            "introduced_at": InstantArray(card.introduced_at for card in cards),
            "leech_at": InstantArray(card.leech_at for card in cards),
            "last_reviewed_at": InstantArray(card.last_reviewed_at for card in cards),
        },
    )


def _copy_cards(cursor: RawCursor, cards: Sequence[tuple[Pair, Card]], ids: Sequence[bytes]) -> None:
    if not cards:
        return
    rows = []
    for card_id, ((user_id, item_id), card) in zip(ids, cards, strict=True):
        state = card.state
        rows.append(
            b"".join(
                (
                    _THREE_IDS(18, 16, card_id, 16, user_id, 16, item_id),
                    text_field(state.state),
                    int4_field(state.interval),
                    numeric_field(state.ease, 2),
                    _COUNTS(4, state.repetitions, 4, state.lapses),
                    date_field(state.due_on),
                    TRUE if state.is_learning else FALSE,
                    *(_NEVER_REVIEWED if card.last_reviewed_at is None else _memory_fields(card)),
                )
            )
        )
    with copying(cursor, _query("copy_new_cards")) as write:
        write(rows)


def _leech_event(card_id: bytes, pair: Pair, card: Card) -> Event:
    """Return what tells the app that a card was suspended; once for each count of lapses, however often it is told."""
    user_id, question_id = (UUID(bytes=each) for each in pair)
    name = UUID(bytes=card_id)
    lapses = card.state.lapses
    return Event(
        "srs.card_leeched",
        user_id,
        {"card_id": str(name), "question_id": str(question_id), "lapses": lapses},
        dedupe_key=f"srs.card_leeched:{name}:{lapses}",
    )


_NEVER_REVIEWED = (FALSE, int2_field(0), NULL * 6)
"""Of a new card: not suspended, step 0, and nothing else known."""


def _memory_fields(card: Card) -> tuple[bytes, ...]:
    """Return `is_suspended` and all that follows it in a card's row."""
    state = card.state
    return (
        FALSE if card.leech_at is None else TRUE,
        int2_field(state.step),
        float8_field(state.stability),
        float8_field(state.difficulty),
        int8_field(_due_at(card)),
        int8_field(card.introduced_at),
        int8_field(card.leech_at),
        int8_field(card.last_reviewed_at),
    )


def _due_at(card: Card) -> int | None:
    """Return when the step that a card waits for is over; None: it waits for none."""
    if not card.state.delay_s or card.last_reviewed_at is None:
        return None
    return card.last_reviewed_at + card.state.delay_s * 1_000_000


def _save_progress(cursor: RawCursor, progress: dict[Pair, Progress], ids: Sequence[bytes]) -> None:
    if not progress:
        return
    rows = progress.values()
    cursor.execute(
        _query("save_progress"),
        {
            "ids": UuidArray(ids),
            "user_ids": UuidArray(user for user, _ in progress),
            "lesson_ids": UuidArray(lesson for _, lesson in progress),
            "attempted": Int4Array(row.attempted for row in rows),
            "correct": Int4Array(row.correct for row in rows),
            "correct_question_ids": TextArray(
                "{" + ",".join(question.hex() for question in row.correct_question_ids) + "}" for row in rows
            ),
            "completions": Int4Array(row.completion for row in rows),
            "first_attempted_at": InstantArray(row.first_attempted_at for row in rows),
            "last_attempted_at": InstantArray(row.last_attempted_at for row in rows),
            "completed_at": InstantArray(row.completed_at for row in rows),
        },
    )


def _add_to_stats(cursor: RawCursor, stats: dict[bytes, StatsDelta], learners: Mapping[bytes, Learner]) -> None:
    if not stats:
        return
    rows = stats.values()
    users = UuidArray(stats)
    cursor.execute(
        "INSERT INTO user_stats (user_id, has_all_days) SELECT unnest(%(user_ids)s::uuid[]), true"
        " ON CONFLICT (user_id) DO NOTHING",
        {"user_ids": users},
    )
    cursor.execute(
        _query("add_to_stats"),
        {
            "user_ids": users,
            "attempts": Int4Array(row.attempts for row in rows),
            "correct": Int4Array(row.correct for row in rows),
            "score_totals": Int8Array(row.score_total for row in rows),
            "times_spent_ms": Int8Array(row.time_spent_ms for row in rows),
            "lessons_started": Int4Array(row.lessons_started for row in rows),
            "lessons_completed": Int4Array(row.lessons_completed for row in rows),
            "cards": Int4Array(row.cards for row in rows),
            "cards_mature": Int4Array(row.cards_mature for row in rows),
            "day_zones": TextArray(effective_zone(learners[user_id].timezone) for user_id in stats),
            "day_start_hours": Int4Array(learners[user_id].day_start_hour for user_id in stats),
            "first_attempted_at": InstantArray(row.first_attempted_at for row in rows),
            "last_attempted_at": InstantArray(row.last_attempted_at for row in rows),
        },
    )


def _add_to_days(cursor: RawCursor, stats: dict[bytes, StatsDelta]) -> None:
    if not stats:
        return
    # In the order of the key: of the rows of a learner, nobody else holds any, since their counters are locked.
    rows = [(user_id, day, row.days[day]) for user_id, row in stats.items() for day in sorted(row.days)]
    cursor.execute(
        _query("add_to_days_and_mark"),
        {
            "user_ids": UuidArray(user_id for user_id, _, _ in rows),
            "local_dates": DateArray(day for _, day, _ in rows),
            "attempts": Int4Array(row.attempts for _, _, row in rows),
            "correct": Int4Array(row.correct for _, _, row in rows),
            "early": Int4Array(row.early for _, _, row in rows),
            "late": Int4Array(row.late for _, _, row in rows),
        },
    )


def write_rejections(cursor: RawCursor, rejected: Sequence[Rejection], rejected_at: datetime) -> None:
    """Record refused attempts, each with what was sent."""
    if not rejected:
        return
    rows = [rejection.row for rejection in rejected]
    cursor.execute(
        _query("reject_attempts"),
        {
            "ids": UuidArray(row[0] for row in rows),
            "user_ids": UuidArray(row[1] for row in rows),
            "question_ids": UuidArray(row[2] for row in rows),
            "reasons": TextArray(rejection.reason for rejection in rejected),
            "details": TextArray(rejection.detail for rejection in rejected),
            "payloads": TextArray(_payload(row) for row in rows),
            "attempted_at": InstantArray(row[7] for row in rows),
            "received_at": InstantArray(row[8] for row in rows),
            "rejected_at": rejected_at,
        },
    )


def _payload(row: InboxRow) -> str:
    """Return an attempt as JSON text that the API would take again; the answer exactly as it was sent."""
    attempt_id, user_id, question_id, lesson_id, session_id, answer, time_spent_ms, attempted_at, _, source = row
    return msgspec.json.encode(
        {
            "id": UUID(bytes=attempt_id),
            "user_id": UUID(bytes=user_id),
            "question_id": UUID(bytes=question_id),
            "lesson_id": None if lesson_id is None else UUID(bytes=lesson_id),
            "tryout_session_id": None if session_id is None else UUID(bytes=session_id),
            "answer": msgspec.Raw(answer),
            "time_spent_ms": time_spent_ms,
            "attempted_at": to_instant(attempted_at),
            "source": source,
        }
    ).decode()
