from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid5

import pytest

from worker import clock
from worker.demo.answers import SimulatedQuestion
from worker.demo.learners import (
    LEVELS,
    ZONES,
    Catalogue,
    SimulatedLesson,
    make_learners,
    plan_attempts,
    probability_right,
)

UNTIL = datetime(2026, 11, 24, 3, tzinfo=UTC)
SPACE = UUID(int=1)


def choice(name: str, difficulty: int = 3) -> SimulatedQuestion:
    options = [{"id": letter, "text": letter} for letter in "abcd"]
    return SimulatedQuestion(uuid5(SPACE, name), "multiple_choice", options, {"correct": "a"}, difficulty, 10_000)


@pytest.fixture
def catalogue() -> Catalogue:
    questions = [choice(f"{level}-{number}") for level in LEVELS for number in range(30)]
    lessons = {
        level: [
            SimulatedLesson(
                uuid5(SPACE, f"{level}-lesson-{lesson}"),
                level,
                tuple(question.id for question in questions[position * 30 + lesson * 10 :][:10]),
            )
            for lesson in range(3)
        ]
        for position, level in enumerate(LEVELS)
    }
    return Catalogue(lessons, {question.id: question for question in questions})


def test_learners_are_spread_over_zones_and_levels():
    learners = make_learners(12, Random(1))
    assert Counter(learner.timezone for learner in learners) == dict.fromkeys(ZONES, 4)
    assert Counter(learner.level for learner in learners) == dict.fromkeys(LEVELS, 3)


def test_same_seed_gives_the_same_learners():
    assert make_learners(5, Random(7)) == make_learners(5, Random(7))


def test_plan_has_exactly_the_attempts_asked_for(catalogue):
    learners = make_learners(7, Random(1))
    assert len(plan_attempts(learners, catalogue, count=500, until=UNTIL, generator=Random(2))) == 500


def test_attempts_are_in_order_of_time_and_before_the_end(catalogue):
    attempts = plan_attempts(make_learners(7, Random(1)), catalogue, count=300, until=UNTIL, generator=Random(2))
    instants = [datetime.fromisoformat(attempt["attempted_at"]) for attempt in attempts]
    assert instants == sorted(instants)
    assert max(instants) <= UNTIL


def test_attempts_are_made_on_local_evenings(catalogue):
    learners = {str(learner.id): learner for learner in make_learners(6, Random(1))}
    attempts = plan_attempts(list(learners.values()), catalogue, count=120, until=UNTIL, generator=Random(2))
    for attempt in attempts:
        local = datetime.fromisoformat(attempt["attempted_at"])
        assert local.utcoffset() == local.astimezone(clock.zone(learners[attempt["user_id"]].timezone)).utcoffset()
        assert 19 <= local.hour <= 23


def test_learners_repeat_what_they_met_on_an_earlier_evening(catalogue):
    attempts = plan_attempts(make_learners(1, Random(1)), catalogue, count=40, until=UNTIL, generator=Random(2))
    days = {}
    for attempt in attempts:
        days.setdefault(attempt["question_id"], set()).add(attempt["attempted_at"][:10])
    assert any(len(seen) > 1 for seen in days.values())


@pytest.mark.parametrize("ability", [-2.0, 0.0, 2.0])
def test_chance_lies_between_guessing_and_certainty(ability):
    assert 0.25 <= probability_right(ability, choice("one"), 0) <= 1


def test_practice_and_ability_help_and_difficulty_hinders():
    easy, hard = choice("easy", 1), choice("hard", 5)
    assert probability_right(0, easy, 0) > probability_right(0, hard, 0)
    assert probability_right(0, hard, 3) > probability_right(0, hard, 0)
    assert probability_right(1, hard, 0) > probability_right(0, hard, 0)


def test_time_spent_passes_before_the_attempt_is_made(catalogue):
    attempts = plan_attempts(make_learners(1, Random(1)), catalogue, count=10, until=UNTIL, generator=Random(2))
    evenings = [datetime.fromisoformat(attempt["attempted_at"]) for attempt in attempts]
    for earlier, later, attempt in zip(evenings, evenings[1:], attempts[1:], strict=False):
        assert later - earlier >= timedelta(milliseconds=attempt["time_spent_ms"])
