"""What learners answer in their sittings: what is due, as the platform's own queue orders it, then something new."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID

import msgspec

from worker.attempts.inbox_rows import NewAttempt
from worker.content.values import Content
from worker.demo.learners import Catalogue, SimulatedLesson, answer_question
from worker.ids import uuid7
from worker.simulate.population import Sitting

_DUE_SHARE: Final = 0.7
"""Of a sitting, at most this much is repetition, so that everybody gets on."""
_UNKNOWN_SHARE: Final = 0.002
"""Share of attempts at a question that does not exist (an old app): the platform rejects them with a reason."""
_AHEAD: Final = timedelta(minutes=50)

_LESSONS_SHARE: Final = 2
"""Each so many-th lesson is in the database: at a thousand questions a level nobody comes to the end in a year."""


def studied(content: Content) -> Content:
    """Return the part of the content that a simulation writes: half of the lessons, with their questions.

    Nobody here answers the others, and the jobs that read all content each night took a fifth of a simulated day.
    """
    lessons = content.lessons[::_LESSONS_SHARE]
    ids = {question.id for lesson in lessons for question in lesson.questions}
    return Content(lessons, tuple(question for question in content.questions if question.id in ids))


class Students:
    """The learners' memory of what they have met, and how far each is in the catalogue."""

    def __init__(self, catalogue: Catalogue, generator: Random) -> None:
        """Begin with nobody knowing anything.

        Args:
            catalogue: what can be studied.
            generator: the source of all randomness.
        """
        self._catalogue = catalogue
        self._generator = generator
        self._met: defaultdict[UUID, dict[UUID, int]] = defaultdict(dict)
        self._positions: dict[UUID, tuple[int, int]] = {}
        self._lesson_of = {
            question_id: lesson.id
            for lessons in catalogue.lessons.values()
            for lesson in lessons
            for question_id in lesson.question_ids
        }

    def study(self, sitting: Sitting, due: Sequence[UUID]) -> list[NewAttempt]:
        """Return the attempts of a sitting, in the order in which they are made.

        Args:
            sitting: whose, when, how long.
            due: questions in the learner's queue, in its order.
        """
        resident, generator = sitting.resident, self._generator
        wanted = [(self._lesson_of.get(each), each) for each in due[: round(sitting.questions * _DUE_SHARE)]]
        while len(wanted) < sitting.questions:
            wanted.append(self._next_new(resident.learner.id, resident.learner.level))
        met = self._met[resident.learner.id]
        instant = sitting.begins_at
        attempts = []
        for lesson_id, question_id in wanted:
            seen = met.get(question_id, 0)
            met[question_id] = seen + 1
            made = answer_question(
                resident.learner, self._catalogue.questions[question_id], lesson_id, seen, instant, generator
            )
            instant += timedelta(milliseconds=made["time_spent_ms"] + 1_500)
            shown_at = made["attempted_at"] + (_AHEAD if resident.device == "clock_ahead" else timedelta())
            is_unknown = generator.random() < _UNKNOWN_SHARE
            attempts.append(
                NewAttempt(
                    id=uuid7(shown_at),
                    user_id=resident.learner.id,
                    question_id=UUID(int=generator.getrandbits(128), version=4) if is_unknown else question_id,
                    lesson_id=lesson_id,
                    answer=msgspec.Raw(msgspec.json.encode(made["answer"])),
                    attempted_at=shown_at,
                    time_spent_ms=made["time_spent_ms"],
                )
            )
        return attempts

    def _next_new(self, learner_id: UUID, level: str) -> tuple[UUID, UUID]:
        """Return the next question of the learner's path; at its end it begins again."""
        lessons: Sequence[SimulatedLesson] = self._catalogue.lessons[level]
        lesson, place = self._positions.get(learner_id) or (self._generator.randrange(len(lessons)), 0)
        current = lessons[lesson % len(lessons)]
        if place + 1 < len(current.question_ids):
            self._positions[learner_id] = (lesson, place + 1)
        else:
            self._positions[learner_id] = (lesson + 1, 0)
        return current.id, current.question_ids[place]
