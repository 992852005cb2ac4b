"""However a stream of attempts is cut into batches, the outcome is that of one attempt at a time."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attempts.pipeline import MORNING, drain, inside, rows, send, user_in_lane
from tests.attempts.reference import Learner, apply
from tests.factories import make_lesson, make_question, make_user
from worker.ids import uuid7
from worker.srs.learners import DEFAULT_SCHEDULER

_LEARNERS = [
    ("Asia/Jakarta", 4, "sm2"),
    ("Asia/Jayapura", 0, "sm2"),
    ("America/New_York", 4, "sm2"),
    ("Asia/Makassar", 4, "fsrs"),
    ("Pacific/Auckland", 0, "fsrs"),
]
_ANSWERS = [
    ("multiple_choice", [({"choice": "b"}, 1, False), ({"choice": "a"}, 0, False), ({"choice": None}, 0, True)]),
    ("fill_blank", [({"blanks": ["went", "to"]}, 1, False), ({"blanks": ["went", "at"]}, 0.5, False)]),
    ("true_false", [({"value": False}, 1, False), ({"value": None}, 0, True)]),
    ("multiple_select", [({"choices": ["c", "a"]}, 1, False), ({"choices": ["a"]}, 0.5, False)]),
]
_USUAL_TIME_MS = 10_000

_attempts = st.tuples(
    st.integers(0, len(_LEARNERS) - 1),
    st.integers(0, 5),
    st.integers(0, 9),
    st.sampled_from([0, 0, 1, 1, 2, None]),
    st.sampled_from([None, 0, 5_000, 5_001, 20_000, 20_001, 3_600_001]),
    st.sampled_from(
        [
            timedelta(microseconds=1),
            timedelta(minutes=7),
            timedelta(hours=13),
            timedelta(1),
            timedelta(6),
            timedelta(20),
        ]
    ),
)
_batches = st.lists(st.lists(_attempts, min_size=1, max_size=12), min_size=1, max_size=5)


class _World:
    """Learners, questions and lessons, in the database and in the reference."""

    def __init__(self, connection):
        self.connection = connection
        self.users = [
            make_user(
                connection, id=user_in_lane(2, number + 1), timezone=zone, day_start_hour=hour, scheduler=scheduler
            )
            for number, (zone, hour, scheduler) in enumerate(_LEARNERS)
        ]
        self.learners = [
            Learner(zone, hour, scheduler=DEFAULT_SCHEDULER if scheduler == "fsrs" else None)
            for zone, hour, scheduler in _LEARNERS
        ]
        self.questions = [
            make_question(connection, type=_ANSWERS[number % len(_ANSWERS)][0], usual_time_ms=_USUAL_TIME_MS)
            for number in range(6)
        ]
        members = [self.questions[:3], self.questions[2:5], []]
        self.lessons = [(make_lesson(connection, question_ids=each), each) for each in members]
        self.at = MORNING
        self.on_its_way = []

    def attempt(self, user, question, answer, lesson, time_spent_ms, later):
        self.at += later
        answers = _ANSWERS[question % len(_ANSWERS)][1]
        sent, score, is_blank = answers[answer % len(answers)]
        lesson_id, members = (None, []) if lesson is None else self.lessons[lesson]
        attempt_id = uuid7(self.at)
        on_its_way = {"id": attempt_id, "time_spent_ms": time_spent_ms, "lesson_id": lesson_id}
        self.on_its_way.append((self.users[user], self.questions[question], sent, self.at, on_its_way))
        apply(
            self.learners[user],
            attempt_id=attempt_id,
            at=self.at,
            question=self.questions[question],
            score=score,
            is_blank=is_blank,
            time_spent_ms=None if time_spent_ms is None or time_spent_ms > 3_600_000 else time_spent_ms,
            usual_time_ms=_USUAL_TIME_MS,
            lesson=lesson_id,
            lesson_questions=members,
        )

    def deliver(self, order=None):
        """Let what was attempted arrive, in the order given."""
        for number in order or range(len(self.on_its_way)):
            *attempt, values = self.on_its_way[number]
            send(self.connection, *attempt, received_at=MORNING + timedelta(days=2000), **values)
        self.on_its_way.clear()

    def check(self):
        for user, learner in zip(self.users, self.learners, strict=True):
            assert self._cards(user) == learner.cards
            assert self._progress(user) == learner.progress
            stats = rows(self.connection, "user_stats", user_id=user)
            if not stats:
                assert learner.attempts == 0
                continue
            counted = stats[0]
            for name in ("attempts", "correct", "lessons_started", "lessons_completed"):
                assert counted[name] == getattr(learner, name)
            assert counted["cards"] == len(learner.cards)
            assert counted["cards_mature"] == learner.cards_mature
            assert self._days(user) == learner.days
            assert counted["score_total"] == Decimal(str(learner.score)).quantize(Decimal("0.0001"))

    def _days(self, user):
        return {
            day["local_date"]: {name: day[name] for name in ("attempts", "correct", "early", "late")}
            for day in rows(self.connection, "user_days", user_id=user)
        }

    def _cards(self, user):
        return {
            card["item_id"]: {
                "state": card["state"],
                "interval": card["interval"],
                "ease": float(card["ease_factor"]),
                "repetitions": card["repetitions"],
                "lapses": card["lapses"],
                "due": card["next_review_date"],
                "last": card["last_reviewed_at"],
                "memory": (
                    card["step"],
                    card["stability"],
                    card["difficulty"],
                    (card["due_at"] and (card["due_at"] - card["last_reviewed_at"]).total_seconds()) or 0,
                ),
            }
            for card in rows(self.connection, "srs_cards", user_id=user)
        }

    def _progress(self, user):
        return {
            progress["lesson_id"]: {
                "attempted": progress["attempted"],
                "correct": progress["correct"],
                "answered": set(progress["correct_question_ids"]),
                "first": progress["first_attempted_at"],
                "last": progress["last_attempted_at"],
                "completed": progress["completed_at"],
            }
            for progress in rows(self.connection, "lesson_progress", user_id=user)
        }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_batches, batch_size=st.integers(1, 20))
def test_any_cut_into_batches_gives_the_same_cards_progress_and_statistics(database, batches, batch_size):
    with database.transaction(force_rollback=True):
        world = _World(database)
        for batch in batches:
            for attempt in batch:
                world.attempt(*attempt)
            world.deliver()
            drain(inside(database), *world.users, batch_size=batch_size)
        world.check()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(_attempts, min_size=2, max_size=25), data=st.data())
def test_any_order_of_arrival_within_a_batch_gives_the_same(database, batch, data):
    with database.transaction(force_rollback=True):
        world = _World(database)
        for attempt in batch:
            world.attempt(*attempt)
        world.deliver(data.draw(st.permutations(range(len(batch)))))
        drain(inside(database), *world.users, batch_size=100)
        world.check()
