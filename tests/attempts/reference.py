"""The pipeline's rules once more, one attempt at a time and with plain values: what batches are compared with."""

from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from zoneinfo import ZoneInfo

from worker.clock import local_day
from worker.srs.answering import answer
from worker.srs.card import CardState
from worker.srs.fsrs import Scheduler
from worker.srs.spread import fuzzed


@dataclass
class Learner:
    """Everything that attempts change for one learner."""

    zone: str
    day_start_hour: int
    cards: dict = field(default_factory=dict)
    progress: dict = field(default_factory=dict)
    attempts: int = 0
    correct: int = 0
    score: float = 0
    lessons_started: int = 0
    lessons_completed: int = 0
    scheduler: Scheduler | None = None
    """FSRS, one answer at a time; None: SM-2, written down once more below."""
    days: dict = field(default_factory=dict)

    @property
    def cards_mature(self):
        return sum(card["interval"] >= 21 for card in self.cards.values())


def apply(
    learner,
    *,
    attempt_id,
    at,
    question,
    score,
    is_blank,
    time_spent_ms,
    usual_time_ms,
    lesson=None,
    lesson_questions=(),
):
    """Let one attempt have its effects."""
    day = local_day(at, learner.zone, learner.day_start_hour)
    hour = at.astimezone(ZoneInfo(learner.zone)).hour
    counts = learner.days.setdefault(day, {"attempts": 0, "correct": 0, "early": 0, "late": 0})
    counts["attempts"] += 1
    counts["correct"] += score == 1
    counts["early"] += 4 <= hour < 7
    counts["late"] += hour >= 22 or hour < 4
    learner.attempts += 1
    learner.correct += score == 1
    learner.score += round(score, 4)
    if lesson is not None and question in lesson_questions:
        _advance(learner, at, day, question, score, lesson, lesson_questions)
    card = learner.cards.setdefault(question, _new_card(day))
    if card["last"] is None or at >= card["last"]:
        q = _quality(score, is_blank, time_spent_ms, usual_time_ms)
        if learner.scheduler is None:
            _review(card, day, at, q)
        else:
            _review_by_fsrs(card, learner, day, at, q, fuzzed(attempt_id.bytes))


def _new_card(day):
    return {"state": "new", "interval": 0, "ease": 2.5, "repetitions": 0, "lapses": 0, "due": day, "last": None,
            "memory": (0, None, None, 0)}  # fmt: skip


def _quality(score, is_blank, time_spent_ms, usual_time_ms):
    if score == 1:
        if time_spent_ms is None:
            return 4
        return 3 if time_spent_ms > 2 * usual_time_ms else 5 if time_spent_ms <= usual_time_ms / 2 else 4
    return 0 if is_blank else 2 if score > 0 else 1


def _review(card, day, at, q):
    if q >= 3:
        if card["last"] is not None and day < card["due"]:
            return
        card["ease"] = round(min(max(card["ease"] + 0.1 - (5 - q) * (0.08 + (5 - q) * 0.02), 1.3), 5), 2)
        card["repetitions"] += 1
        card["interval"] = {1: 1, 2: 6}.get(card["repetitions"]) or ceil(round(card["interval"] * card["ease"], 6))
        card["state"] = "review"
    else:
        card["lapses"] += card["state"] == "review"
        card["state"] = "relearning" if card["state"] in ("review", "relearning") else "learning"
        card["repetitions"], card["interval"] = 0, 1
    card["due"], card["last"] = day + timedelta(card["interval"]), at


def _review_by_fsrs(card, learner, day, at, q, choose):
    def day_of(instant):
        return local_day(instant, learner.zone, learner.day_start_hour)

    before = CardState(
        card["state"], card["interval"], round(card["ease"] * 100), card["repetitions"], card["lapses"], card["due"],
        *card["memory"],
    )  # fmt: skip
    after = answer(
        before,
        q,
        day,
        last_on=card["last"] and day_of(card["last"]),
        scheduler=learner.scheduler,
        choose=choose,
        day_after=lambda delay_s: day_of(at + timedelta(seconds=delay_s)),
    )
    if after is not before:
        card |= {"state": after.state, "interval": after.interval, "repetitions": after.repetitions, "last": at}
        card |= {"lapses": after.lapses, "due": after.due_on}
        card["memory"] = (after.step, after.stability, after.difficulty, after.delay_s)


def _advance(learner, at, day, question, score, lesson, lesson_questions):
    if lesson not in learner.progress:
        learner.progress[lesson] = {"attempted": 0, "correct": 0, "answered": set(), "first": at, "completed": None}
        learner.lessons_started += 1
        for other in lesson_questions:
            learner.cards.setdefault(other, _new_card(day))
    progress = learner.progress[lesson]
    progress["attempted"] += 1
    progress["last"] = at
    if score == 1:
        progress["correct"] += 1
        progress["answered"].add(question)
    if progress["completed"] is None and progress["answered"] == set(lesson_questions):
        progress["completed"] = at
        learner.lessons_completed += 1
