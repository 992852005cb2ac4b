"""A plain recount of cards: one review an attempt, learner by learner, in the order in which the platform took them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
from worker.srs.answering import answer, fsrs_scheduler
from worker.srs.card import CardState
from worker.srs.fsrs import DEFAULT_PARAMETERS, Scheduler
from worker.srs.spread import fuzzed

_PACKAGE: Final = "worker.simulate"
_RECOUNTED: Final = 40
"""Learners whose cards are recounted in one look: it replays all they ever answered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A graded attempt as the schedule sees it."""

    id: UUID
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


class Schedulers:
    """Who scheduled a learner's cards at an instant: FSRS by the parameters of the newest fit, or SM-2."""

    def __init__(self, fits: Iterable[tuple[UUID | None, datetime, Sequence[float]]]) -> None:
        """Sort the accepted fits (learner, or None for the population; since when; parameters)."""
        self._fits: dict[UUID | None, list[tuple[datetime, tuple[float, ...]]]] = {}
        for whose, fitted_at, parameters in sorted(fits, key=lambda fit: fit[1]):
            self._fits.setdefault(whose, []).append((fitted_at, tuple(parameters)))

    def at(self, resident: Resident, instant: datetime) -> Scheduler | None:
        """Return FSRS as it was for a learner at an instant; None: SM-2."""
        if resident.scheduler == "sm2":
            return None
        for whose in (resident.learner.id, None):
            known = self._fits.get(whose, [])
            place = bisect_right(known, instant, key=lambda fit: fit[0])
            if place:
                return fsrs_scheduler(0.90, known[place - 1][1])
        return fsrs_scheduler(0.90, DEFAULT_PARAMETERS)


def recount(
    resident: Resident, answered: Iterable[Answered], material: Material, schedulers: Schedulers
) -> dict[UUID, CardState]:
    """Return a learner's cards by question, those never reviewed included."""
    cards: dict[UUID, CardState] = {}
    reviewed_at: dict[UUID, datetime] = {}
    for each in answered:
        zone, start = resident.zone_at(each.graded_at), resident.day_start_hour
        on = clock.local_day(each.at, zone, start)
        question_id = each.question_id
        card = cards.setdefault(question_id, sm2.new_card(on))
        last_at = reviewed_at.get(question_id)
        if last_at is None or each.at >= last_at:
            grade = material.graders[question_id](read_answer(each.answer))
            quality = sm2.quality(grade.score, grade.is_blank, each.time_spent_ms, material.usual_times_ms[question_id])
            scheduler = schedulers.at(resident, each.graded_at)
            cards[question_id] = answer(
                card,
                quality,
                on,
                last_on=None if last_at is None else clock.local_day(last_at, zone, start),
                scheduler=scheduler,
                choose=None if scheduler is None else fuzzed(each.id.bytes),
                day_after=_days_after(each.at, zone, start),
            )
            if cards[question_id] is not card:
                reviewed_at[question_id] = each.at
        members = material.lessons[each.lesson_id] if each.lesson_id is not None else ()
        if question_id in members:
            for member in members:  # the first attempt in a lesson puts it into the deck; later ones find it there
                cards.setdefault(member, sm2.new_card(on))
    return cards


def _days_after(at: datetime, zone: str, day_start_hour: int) -> Callable[[int], date]:
    return lambda delay_s: clock.local_day(at + timedelta(seconds=delay_s), zone, day_start_hour)


def _read_answered(connection: Connection, learner_ids: Sequence[UUID]) -> dict[UUID, list[Answered]]:
    found: dict[UUID, list[Answered]] = {}
    for user_id, *values in connection.execute(load_query(_PACKAGE, "answered"), {"user_ids": list(learner_ids)}):
        found.setdefault(user_id, []).append(Answered(*values))
    return found


@invariant("cards equal a plain recount of the attempts", each="month")
def cards_equal_recount(look: Look) -> Iterable[str]:
    """Recount a part of the learners, on SM-2 and on FSRS, another one each month."""
    chosen = sorted(look.residents)
    months = look.until.year * 12 + look.until.month
    start = months * _RECOUNTED % max(len(chosen), 1)
    chosen = (chosen + chosen)[start : start + min(_RECOUNTED, len(chosen))]
    material = read_material(look.connection)
    schedulers = Schedulers(
        look.connection.execute("SELECT user_id, fitted_at, parameters FROM srs_fits WHERE is_accepted").fetchall()
    )
    answered = _read_answered(look.connection, chosen)
    has: dict[UUID, dict[UUID, CardState]] = {}
    for user_id, question_id, *state in look.connection.execute(
        load_query(_PACKAGE, "card_states"), {"user_ids": chosen}
    ):
        has.setdefault(user_id, {})[question_id] = _state(*state)
    for user_id in chosen:
        should = recount(look.residents[user_id], answered.get(user_id, ()), material, schedulers)
        found = has.get(user_id, {})
        for question_id in should.keys() | found.keys():
            if should.get(question_id) != found.get(question_id):
                is_now, should_be = found.get(question_id), should.get(question_id)
                yield f"learner {user_id}, question {question_id}: {is_now}, not {should_be}"


def _state(state: Any, interval: int, ease: int, repetitions: int, lapses: int, due_on: date, *fsrs: Any) -> CardState:
    return CardState(state, interval, ease, repetitions, lapses, due_on, *fsrs)
