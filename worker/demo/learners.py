"""The learner model of the demonstration: who the learners are, what they study when, and how well they answer.

The model, in full (docs/demo.md says it in words):

* ability θ ~ N(0, 1); pace ~ lognormal(0, 0.25), a factor on a question's usual time;
* a question of difficulty d (1-5) is as hard as β = 0.8·(d − 3);
* P(right) = g + (1 − g) / (1 + exp(−1.2·(θ + 0.6·ln(1 + n) − β))), where n is how often this learner has met the
  question before and g is the chance of guessing it (the three-parameter logistic model: Birnbaum, 1968);
* time spent = usual time · pace · lognormal(0, 0.4), half as long again when the answer is wrong;
* a learner studies on some evenings of the past days (19:00-21:59 of the local clock): each evening first repeats what
  was met on earlier evenings, then goes on with the next lesson of their level.

Everything is drawn from one seeded generator that is passed in, so a seed gives the same learners and answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from worker import clock
from worker.demo.answers import SimulatedQuestion, guessing_chance, right_answer, wrong_answer
from worker.ids import uuid7

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
LEVELS = ("A1", "A2", "B1", "B2")
STUDY_DAYS = 8
"""How many days back the simulated history reaches."""
_EVENING_HOURS = (19, 22)
_REPEATED_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class SimulatedLearner:
    """One learner: who they are to the platform, and the two numbers that decide how they answer."""

    id: UUID
    email: str
    full_name: str
    timezone: str
    level: str
    ability: float
    pace: float


@dataclass(frozen=True, slots=True)
class SimulatedLesson:
    """A lesson and its questions in order."""

    id: UUID
    level: str
    question_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be studied: lessons by level in their order, and every question by id."""

    lessons: Mapping[str, Sequence[SimulatedLesson]]
    questions: Mapping[UUID, SimulatedQuestion]


def make_learners(count: int, generator: Random) -> list[SimulatedLearner]:
    """Return `count` learners, spread evenly over the three Indonesian time zones and the four levels.

    Their ids depend on their number alone, so a second demonstration meets the same people again.
    """
    return [
        SimulatedLearner(
            id=uuid5(NAMESPACE_URL, f"https://elp.example/demo/learners/{number}"),
            email=f"learner-{number:05d}@demo.example",
            full_name=f"Pelajar {number}",
            timezone=ZONES[number % len(ZONES)],
            level=LEVELS[number % len(LEVELS)],
            ability=generator.gauss(0, 1),
            pace=generator.lognormvariate(0, 0.25),
        )
        for number in range(count)
    ]


def plan_attempts(
    learners: Sequence[SimulatedLearner], catalogue: Catalogue, *, count: int, until: datetime, generator: Random
) -> list[dict[str, Any]]:
    """Return exactly `count` attempts as the API takes them, in the order in which they were made.

    Args:
        learners: who studies; each makes an equal share of the attempts, give or take one.
        catalogue: what they study.
        count: how many attempts to plan.
        until: no attempt is made after this instant.
        generator: the source of all randomness.
    """
    shares = [count // len(learners) + (number < count % len(learners)) for number in range(len(learners))]
    attempts = [
        attempt
        for learner, share in zip(learners, shares, strict=True)
        for attempt in _study(learner, catalogue, share, until, generator)
    ]
    attempts.sort(key=lambda attempt: (attempt["attempted_at"], attempt["id"]))
    return [attempt | {"attempted_at": attempt["attempted_at"].isoformat()} for attempt in attempts]


def _study(
    learner: SimulatedLearner, catalogue: Catalogue, share: int, until: datetime, generator: Random
) -> list[dict[str, Any]]:
    """Return one learner's `share` of attempts over the evenings before `until`, oldest first."""
    lessons = catalogue.lessons[learner.level]
    first_lesson = generator.randrange(len(lessons))
    upcoming = [
        (lesson.id, question_id)
        for offset in range(len(lessons))
        for lesson in [lessons[(first_lesson + offset) % len(lessons)]]
        for question_id in lesson.question_ids
    ]
    met: dict[UUID, tuple[UUID, int]] = {}
    attempts: list[dict[str, Any]] = []
    evenings = _evenings(learner, until, generator)
    for number, evening in enumerate(evenings):
        quota = share * (number + 1) // len(evenings) - len(attempts)
        repeated = generator.sample(sorted(met), min(len(met), round(quota * _REPEATED_SHARE)))
        fresh = [upcoming.pop(0) for _ in range(min(quota - len(repeated), len(upcoming)))]
        plan = [(met[question_id][0], question_id) for question_id in repeated] + fresh
        # A catalogue smaller than the quota is simply studied again.
        plan += [plan[index % len(plan)] for index in range(quota - len(plan))]
        instant = evening
        for lesson_id, question_id in plan:
            seen = met.get(question_id, (lesson_id, 0))[1]
            met[question_id] = (lesson_id, seen + 1)
            attempt = answer_question(learner, catalogue.questions[question_id], lesson_id, seen, instant, generator)
            instant += timedelta(milliseconds=attempt["time_spent_ms"] + 1_500)
            attempts.append(attempt)
    return attempts


def answer_question(
    learner: SimulatedLearner,
    question: SimulatedQuestion,
    lesson_id: UUID | None,
    seen: int,
    begun_at: datetime,
    generator: Random,
) -> dict[str, Any]:
    """Return one attempt as the API takes it, but for `attempted_at`, which is an instant in the learner's zone.

    Args:
        learner: who answers.
        question: what is asked.
        lesson_id: the lesson it is asked in.
        seen: how often the learner has met the question before.
        begun_at: when the learner sees it.
        generator: the source of all randomness.
    """
    chance = probability_right(learner.ability, question, seen)
    is_right = generator.random() < chance
    time_spent = question.usual_time_ms * learner.pace * generator.lognormvariate(0, 0.4) * (1 if is_right else 1.5)
    attempted_at = begun_at + timedelta(milliseconds=int(time_spent))
    return {
        "id": str(uuid7(attempted_at)),
        "user_id": str(learner.id),
        "question_id": str(question.id),
        "lesson_id": None if lesson_id is None else str(lesson_id),
        "answer": right_answer(question) if is_right else wrong_answer(question, generator),
        "time_spent_ms": int(time_spent),
        "attempted_at": attempted_at.astimezone(clock.zone(learner.timezone)),
    }


def probability_right(ability: float, question: SimulatedQuestion, seen: int) -> float:
    """Return the chance of a right answer by the three-parameter logistic model given in this module's head."""
    guess = guessing_chance(question)
    hardness = 0.8 * (question.difficulty - 3)
    logit = 1.2 * (ability + 0.6 * math.log1p(seen) - hardness)
    return guess + (1 - guess) / (1 + math.exp(-logit))


def _evenings(learner: SimulatedLearner, until: datetime, generator: Random) -> list[datetime]:
    """Return the instants at which this learner sits down to study: two to four evenings, oldest first."""
    today: date = until.astimezone(clock.zone(learner.timezone)).date()
    days = sorted(generator.sample(range(1, STUDY_DAYS + 1), generator.randint(2, 4)), reverse=True)
    return [
        datetime.combine(
            today - timedelta(days=days_ago),
            time(generator.randrange(*_EVENING_HOURS), generator.randrange(60)),
            tzinfo=clock.zone(learner.timezone),
        ).astimezone(UTC)
        for days_ago in days
    ]
