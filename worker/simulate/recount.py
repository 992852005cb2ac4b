"""A plain recount of cards: one review an attempt, learner by learner, in the order in which the platform took them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from worker import clock
from worker.attempts.answers import read_answer
from worker.attempts.grading import Grader, compile_question
from worker.db import Connection
from worker.db.queries import load_query
from worker.simulate.invariants import Look, invariant
from worker.simulate.population import Resident
from worker.srs import sm2
from worker.srs.card import CardState

_PACKAGE: Final = "worker.simulate"
_RECOUNTED: Final = 40
"""Learners whose cards are recounted in one look: it replays all they ever answered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A graded attempt as the schedule sees it."""

    question_id: UUID
    lesson_id: UUID | None
    answer: bytes
    """JSON text."""
    time_spent_ms: int | None
    at: datetime
    """The effective instant."""
    graded_at: datetime


@dataclass(frozen=True, slots=True)
class Material:
    """What grading needs: a grader and the usual time of each question, and the questions of each lesson."""

    graders: Mapping[UUID, Grader]
    usual_times_ms: Mapping[UUID, int]
    lessons: Mapping[UUID, Sequence[UUID]]


def read_material(connection: Connection) -> Material:
    """Return every question and lesson; two queries."""
    graders, usual = {}, {}
    for question_id, kind, options, key, usual_time_ms in connection.execute(
        "SELECT id, type, options, answer_key, usual_time_ms FROM questions"
    ):
        graders[question_id], usual[question_id] = compile_question(kind, options, key), usual_time_ms
    lessons: dict[UUID, list[UUID]] = dict(
        connection.execute(
            "SELECT lesson_id, array_agg(question_id ORDER BY position) FROM lesson_questions GROUP BY 1"
        )
    )
    return Material(graders, usual, lessons)


def recount(resident: Resident, answered: Iterable[Answered], material: Material) -> dict[UUID, CardState]:
    """Return the cards of a learner on SM-2 by question, those never reviewed included."""
    cards: dict[UUID, CardState] = {}
    reviewed_at: dict[UUID, datetime] = {}
    for each in answered:
        on = clock.local_day(each.at, resident.zone_at(each.graded_at), resident.day_start_hour)
        question_id = each.question_id
        card = cards.setdefault(question_id, sm2.new_card(on))
        if question_id not in reviewed_at or each.at >= reviewed_at[question_id]:
            grade = material.graders[question_id](read_answer(each.answer))
            quality = sm2.quality(grade.score, grade.is_blank, each.time_spent_ms, material.usual_times_ms[question_id])
            cards[question_id] = sm2.review(card, quality, on)
            if cards[question_id] is not card:
                reviewed_at[question_id] = each.at
        members = material.lessons[each.lesson_id] if each.lesson_id is not None else ()
        if question_id in members:
            for member in members:  # the first attempt in a lesson puts it into the deck; later ones find it there
                cards.setdefault(member, sm2.new_card(on))
    return cards


def _read_answered(connection: Connection, learner_ids: Sequence[UUID]) -> dict[UUID, list[Answered]]:
    found: dict[UUID, list[Answered]] = {}
    for user_id, *values in connection.execute(load_query(_PACKAGE, "answered"), {"user_ids": list(learner_ids)}):
        found.setdefault(user_id, []).append(Answered(*values))
    return found


@invariant("cards equal a plain recount of the attempts", each="month")
def cards_equal_recount(look: Look) -> Iterable[str]:
    """Recount a part of the learners on SM-2, another one each month."""
    chosen = sorted(user_id for user_id, resident in look.residents.items() if resident.scheduler == "sm2")
    months = look.until.year * 12 + look.until.month
    start = months * _RECOUNTED % max(len(chosen), 1)
    chosen = (chosen + chosen)[start : start + min(_RECOUNTED, len(chosen))]
    material = read_material(look.connection)
    answered = _read_answered(look.connection, chosen)
    has: dict[UUID, dict[UUID, CardState]] = {}
    for user_id, question_id, *state in look.connection.execute(
        load_query(_PACKAGE, "card_states"), {"user_ids": chosen}
    ):
        has.setdefault(user_id, {})[question_id] = _state(*state)
    for user_id in chosen:
        should = recount(look.residents[user_id], answered.get(user_id, ()), material)
        found = has.get(user_id, {})
        for question_id in should.keys() | found.keys():
            if should.get(question_id) != found.get(question_id):
                is_now, should_be = found.get(question_id), should.get(question_id)
                yield f"learner {user_id}, question {question_id}: {is_now}, not {should_be}"


def _state(state: Any, interval: int, ease: int, repetitions: int, lapses: int, due_on: date) -> CardState:
    return CardState(state, interval, ease, repetitions, lapses, due_on)
