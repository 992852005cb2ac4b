"""The usual way, to compare with: one Celery task an attempt, business rules over ORM objects, one commit each.

It has the effects of the attempt pipeline: a graded attempt, the card by SM-2, the lesson's progress, the learner's
statistics, the rest of a lesson put in the deck at its first attempt. Written as one would write it first, but not
badly: late acknowledgement, one session a task, one query an object, no query twice.

Start: `celery -A benchmarks.usual_way worker -c 1` with ELP_DATABASE_URL and ELP_REDIS_URL set.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from celery import Celery
from sqlalchemy import select
from sqlalchemy.orm import Session

from worker import clock
from worker.attempts.grading import Grade, grade
from worker.db.engines import session_factory
from worker.models import (
    LessonProgress,
    LessonQuestion,
    Question,
    QuestionAttempt,
    SrsCard,
    User,
    UserPreferences,
    UserStats,
)
from worker.settings import get_settings
from worker.srs import sm2
from worker.srs.card import CardState

app = Celery("usual", broker=get_settings().required_redis_url())
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=4,
    task_default_queue="usual",
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
)


@app.task(name="usual.process_attempt")  # type: ignore[untyped-decorator]
def process_attempt(payload: dict[str, Any]) -> None:
    """Grade one attempt and commit all its effects."""
    with session_factory().begin() as session:
        attempt_id = UUID(payload["id"])
        if session.get(QuestionAttempt, attempt_id) is not None:
            return
        attempted_at = datetime.fromisoformat(payload["attempted_at"])
        lesson_id = UUID(payload["lesson_id"])
        question = session.get_one(Question, UUID(payload["question_id"]))
        user = session.get_one(User, UUID(payload["user_id"]))
        preferences = session.get(UserPreferences, user.id)
        day_start_hour = preferences.day_start_hour if preferences else 4
        today = clock.local_day(attempted_at, user.timezone, day_start_hour)
        result = grade(question.type, question.options, question.answer_key, payload["answer"])
        session.add(
            QuestionAttempt(
                id=attempt_id,
                user_id=user.id,
                question_id=question.id,
                lesson_id=lesson_id,
                answer=payload["answer"],
                is_correct=result.is_correct,
                score=Decimal(str(result.score)),
                time_spent_ms=payload["time_spent_ms"],
                attempted_at=attempted_at,
                received_at=attempted_at,
                graded_at=clock.now(),
            )
        )
        stats = session.get(UserStats, user.id)
        if stats is None:
            stats = UserStats(
                user_id=user.id, attempts=0, correct=0, score_total=Decimal(0), time_spent_ms=0, cards=0,
                lessons_started=0, lessons_completed=0, first_attempted_at=attempted_at,
            )  # fmt: skip
            session.add(stats)
        _update_progress(session, user.id, lesson_id, question.id, result, attempted_at, stats)
        _review_card(session, user.id, question, result, payload["time_spent_ms"], attempted_at, today, stats)
        stats.attempts += 1
        stats.correct += result.is_correct
        stats.score_total += Decimal(str(result.score))
        stats.time_spent_ms += payload["time_spent_ms"]
        stats.last_attempted_at = attempted_at


def _update_progress(
    session: Session,
    user_id: UUID,
    lesson_id: UUID,
    question_id: UUID,
    result: Grade,
    attempted_at: datetime,
    stats: UserStats,
) -> None:
    question_ids = set(session.scalars(select(LessonQuestion.question_id).where(LessonQuestion.lesson_id == lesson_id)))
    if question_id not in question_ids:
        return
    progress = session.scalar(
        select(LessonProgress).where(LessonProgress.user_id == user_id, LessonProgress.lesson_id == lesson_id)
    )
    if progress is None:
        progress = LessonProgress(
            user_id=user_id, lesson_id=lesson_id, attempted=0, correct=0, correct_question_ids=[],
            status="in_progress", first_attempted_at=attempted_at,
        )  # fmt: skip
        session.add(progress)
        stats.lessons_started += 1
        known = set(
            session.scalars(
                select(SrsCard.item_id).where(SrsCard.user_id == user_id, SrsCard.item_id.in_(question_ids))
            )
        )
        for new_id in question_ids - known - {question_id}:
            session.add(SrsCard(user_id=user_id, item_id=new_id, next_review_date=attempted_at.date()))
            stats.cards += 1
    progress.attempted += 1
    progress.correct += result.is_correct
    progress.last_attempted_at = attempted_at
    if result.is_correct and question_id not in progress.correct_question_ids:
        progress.correct_question_ids = [*progress.correct_question_ids, question_id]
    done = len(question_ids & set(progress.correct_question_ids))
    progress.completion_percentage = Decimal(100 * done) / len(question_ids)
    if done == len(question_ids) and progress.status != "completed":
        progress.status = "completed"
        progress.completed_at = attempted_at
        stats.lessons_completed += 1


def _review_card(
    session: Session,
    user_id: UUID,
    question: Question,
    result: Grade,
    time_spent_ms: int,
    attempted_at: datetime,
    today: Any,
    stats: UserStats,
) -> None:
    card = session.scalar(
        select(SrsCard).where(
            SrsCard.user_id == user_id, SrsCard.item_type == "question", SrsCard.item_id == question.id
        )
    )
    if card is None:
        card = SrsCard(
            user_id=user_id, item_id=question.id, state="new", interval=0, ease_factor=Decimal("2.50"),
            repetitions=0, lapses=0, next_review_date=today,
        )  # fmt: skip
        session.add(card)
        stats.cards += 1
    if card.last_reviewed_at is not None and card.last_reviewed_at > attempted_at:
        return
    before = CardState(
        card.state, card.interval, int(card.ease_factor * 100), card.repetitions, card.lapses, card.next_review_date
    )
    quality = sm2.quality(result.score, result.is_blank, time_spent_ms, question.usual_time_ms)
    after = sm2.review(before, quality, today)
    card.state = after.state
    card.interval = after.interval
    card.ease_factor = Decimal(after.ease) / 100
    card.repetitions = after.repetitions
    card.lapses = after.lapses
    card.next_review_date = after.due_on
    card.is_learning = after.is_learning
    card.last_reviewed_at = attempted_at
