"""Due queues the usual way: one learner after the other through the ORM, as one would write it first."""

from uuid import UUID

import redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.due_queue_tables import NOON
from worker.clock import local_day
from worker.models import SrsCard, SrsDueQueue, User, UserPreferences
from worker.srs.due_queue import cache_key


def build_one(session: Session, cache: redis.Redis, user_id: UUID) -> None:
    """Build and cache one learner's queue for the day of `NOON`, unless there is one; the caller commits."""
    user = session.get_one(User, user_id)
    preferences = session.get(UserPreferences, user_id)
    today = local_day(NOON, user.timezone, preferences.day_start_hour if preferences else 4)
    if session.get(SrsDueQueue, (user_id, today)) is not None:
        return
    due = [SrsCard.user_id == user_id, ~SrsCard.is_suspended, SrsCard.next_review_date <= today]
    overdue = (today - SrsCard.next_review_date) / func.greatest(SrsCard.interval, 1.0)
    reviews = session.scalars(
        select(SrsCard)
        .where(*due, SrsCard.state != "new")
        .order_by(SrsCard.is_learning.desc(), overdue.desc(), SrsCard.next_review_date, SrsCard.id)
        .limit(preferences.review_limit if preferences else 200)
    ).all()
    new = session.scalars(
        select(SrsCard)
        .where(*due, SrsCard.state == "new")
        .order_by(SrsCard.next_review_date, SrsCard.id)
        .limit(preferences.new_limit if preferences else 10)
    ).all()
    learning = sum(card.is_learning for card in reviews)
    queue = SrsDueQueue(
        user_id=user_id,
        local_date=today,
        card_ids=[card.id for card in [*reviews, *new]],
        learning=learning,
        review=len(reviews) - learning,
        new=len(new),
        overdue_total=len(reviews),
        built_at=NOON,
    )
    session.add(queue)
    cache.set(cache_key(user_id, today), ",".join(str(card_id) for card_id in queue.card_ids), ex=48 * 3600)
