"""Folding graded attempts into what they change: cards, lesson progress, decks, statistics. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import Final

import msgspec

from worker.attempts.judging import GradedAttempt, Lessons
from worker.attempts.local_days import local_days, local_times
from worker.attempts.question_cache import CompiledQuestion
from worker.srs.answering import answer
from worker.srs.card import MATURE_DAYS, CardState
from worker.srs.learners import Learner
from worker.srs.leeches import becomes_leech
from worker.srs.sm2 import new_card, quality
from worker.srs.spread import balanced, fuzzed

EARLY_FROM: Final = 4
EARLY_UNTIL: Final = 7
LATE_FROM: Final = 22
"""Hours of the wall clock: early birds study from 4 to 7, night owls from 22 to 4."""

Pair = tuple[bytes, bytes]
"""A learner and a question, or a learner and a lesson."""


class Card(msgspec.Struct, gc=False):
    """A card as the batch leaves it.

    Attributes:
        id: None for a card that the batch creates.
        state: what the schedulers keep.
        last_reviewed_at: instant of the newest attempt that moved it.
        moved: whether an attempt of this batch moved it.
        introduced_at: when an attempt of this batch moved it first of all; None: none did.
        leech_at: when an attempt of this batch made it a leech; None: none did.
    """

    id: bytes | None
    state: CardState
    last_reviewed_at: int | None
    moved: bool = False
    introduced_at: int | None = None
    leech_at: int | None = None


class Progress(msgspec.Struct):
    """A learner's progress in a lesson as the batch leaves it.

    Attributes:
        attempted: attempts in the lesson.
        correct: fully right ones.
        correct_question_ids: distinct questions answered right, in the order it happened.
        answered: how many of them are in the lesson today.
        completion: share of the lesson's questions answered right, in hundredths of a percent, 0–10,000.
        first_attempted_at: earliest effective instant.
        last_attempted_at: latest effective instant.
        completed_at: when it was first complete; stays, even if the lesson grows afterwards.
    """

    attempted: int = 0
    correct: int = 0
    correct_question_ids: dict[bytes, None] = {}
    answered: int = 0
    completion: int = 0
    first_attempted_at: int | None = None
    last_attempted_at: int | None = None
    completed_at: int | None = None


class DayDelta(msgspec.Struct, gc=False):
    """What a batch adds to a learner's local day; `early` and `late` by the wall clock."""

    attempts: int = 0
    correct: int = 0
    early: int = 0
    late: int = 0


class StatsDelta(msgspec.Struct):
    """What a batch adds to a learner's counters; scores in ten-thousandths."""

    first_attempted_at: int
    last_attempted_at: int
    attempts: int = 0
    correct: int = 0
    score_total: int = 0
    time_spent_ms: int = 0
    lessons_started: int = 0
    lessons_completed: int = 0
    cards: int = 0
    cards_mature: int = 0
    days: dict[date, DayDelta] = {}


class Effects(msgspec.Struct):
    """All that a batch changes beside the attempts themselves.

    Attributes:
        cards: the cards read, as the batch leaves them; then those it creates, without an id, in the order to create.
        progress: the progress rows to write.
        stats: by learner.
    """

    cards: dict[Pair, Card]
    progress: dict[Pair, Progress]
    stats: dict[bytes, StatsDelta]


def fold(
    graded: Iterable[GradedAttempt],
    *,
    users: Mapping[bytes, Learner],
    questions: Mapping[bytes, CompiledQuestion],
    lessons: Lessons,
    cards: dict[Pair, Card],
    progress: Mapping[Pair, Progress],
    loads: Mapping[bytes, dict[date, int]],
) -> Effects:
    """Return what the attempts change, each learner's in the order of their instants. Cost: n · log n.

    Args:
        graded: in any order.
        users: how each learner's cards are scheduled.
        questions: with their usual times.
        lessons: the questions of each lesson.
        cards: existing cards of the pairs attempted and of all questions of lessons not started yet; changed in place.
        progress: existing progress of the pairs of learner and lesson.
        loads: cards due on each day ahead, of the learners who balance their load; changed in place.
    """
    effects = Effects(cards=cards, progress={}, stats={})
    stats_of = effects.stats
    current: bytes | None = None
    for user_id, at, attempt_id, question_id, lesson_id, grade, time_spent_ms, _ in sorted(
        graded, key=itemgetter(0, 1, 2)
    ):
        if user_id != current:
            current = user_id
            learner = users[user_id]
            local_time = local_times(learner.timezone, learner.day_start_hour)
            local_day = local_days(learner.timezone, learner.day_start_hour)
            load = loads.get(user_id)
            stats = stats_of[user_id] = StatsDelta(at, at)
        stats.attempts += 1
        stats.correct += grade.is_correct
        stats.score_total += round(grade.score * 10_000)
        stats.time_spent_ms += time_spent_ms or 0
        stats.last_attempted_at = at
        day, hour = local_time(at)
        of_day = stats.days.get(day)
        if of_day is None:
            of_day = stats.days[day] = DayDelta()
        of_day.attempts += 1
        of_day.correct += grade.is_correct
        of_day.early += EARLY_FROM <= hour < EARLY_UNTIL
        of_day.late += not EARLY_FROM <= hour < LATE_FROM

        pair = (user_id, question_id)
        card = cards.get(pair)
        if card is None:
            card = cards[pair] = Card(None, new_card(day), None)
            stats.cards += 1
        # An attempt older than the last review came late: it counts above, and leaves the schedule alone.
        if card.last_reviewed_at is None or at >= card.last_reviewed_at:
            q = quality(grade.score, grade.is_blank, time_spent_ms, questions[question_id].usual_time_ms)
            was_mature = card.state.interval >= MATURE_DAYS
            _move(card, learner, q, at, day, local_day, load, attempt_id)
            stats.cards_mature += (card.state.interval >= MATURE_DAYS) - was_mature

        if lesson_id is not None and question_id in lessons[lesson_id]:
            in_lesson = (user_id, lesson_id)
            held = effects.progress.get(in_lesson)
            if held is None:
                held = effects.progress[in_lesson] = progress.get(in_lesson) or Progress()
                # Counted anew: the lesson's questions may have changed since.
                held.answered = sum(right in lessons[lesson_id] for right in held.correct_question_ids)
            if held.attempted == 0:
                stats.lessons_started += 1
                stats.cards += _start_deck(cards, user_id, lessons[lesson_id], day)
            stats.lessons_completed += _advance(
                held, at, len(lessons[lesson_id]), question_id if grade.is_correct else None
            )
    return effects


def _move(
    card: Card,
    learner: Learner,
    q: int,
    at: int,
    day: date,
    local_day: Callable[[int], date],
    load: dict[date, int] | None,
    attempt_id: bytes,
) -> None:
    """Let an answer of quality `q` move a card, unless it is practice."""
    before = card.state
    choose = None if learner.scheduler is None else fuzzed(attempt_id)
    if load is not None:
        choose = balanced(day, load, learner.weekday_weights, learner.vacation)
    after = answer(
        before,
        q,
        day,
        last_on=None if card.last_reviewed_at is None else local_day(card.last_reviewed_at),
        scheduler=learner.scheduler,
        choose=choose,
        day_after=lambda delay_s: local_day(at + delay_s * 1_000_000),
    )
    if after is before:
        return
    card.state = after
    card.last_reviewed_at = at
    card.moved = True
    if before.state == "new":
        card.introduced_at = at
    if after.lapses > before.lapses and becomes_leech(after.lapses, learner.leech_lapses):
        card.leech_at = at
    if load is not None:
        load[before.due_on] = load.get(before.due_on, 1) - 1
        load[after.due_on] = load.get(after.due_on, 0) + 1


def _start_deck(cards: dict[Pair, Card], user_id: bytes, lesson: Iterable[bytes], day: date) -> int:
    """Put the questions of a lesson just started into the learner's deck; return how many were not there yet."""
    missing = [(user_id, question_id) for question_id in lesson if (user_id, question_id) not in cards]
    for pair in missing:
        cards[pair] = Card(None, new_card(day), None)
    return len(missing)


def _advance(held: Progress, at: int, lesson_questions: int, answered_right: bytes | None) -> bool:
    """Add an attempt to a learner's progress in a lesson; return whether it completes the lesson for the first time."""
    held.attempted += 1
    held.first_attempted_at = at if held.first_attempted_at is None else min(at, held.first_attempted_at)
    held.last_attempted_at = at if held.last_attempted_at is None else max(at, held.last_attempted_at)
    if answered_right is not None:
        held.correct += 1
        if answered_right not in held.correct_question_ids:
            held.correct_question_ids[answered_right] = None
            held.answered += 1
    held.completion = (held.answered * 10_000 + lesson_questions // 2) // lesson_questions
    if held.answered == lesson_questions and held.completed_at is None:
        held.completed_at = at
        return True
    return False
