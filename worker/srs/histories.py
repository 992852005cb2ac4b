"""What a learner's answers say about the memory of each item: which reviews count, where they lead. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from worker.srs import fsrs
from worker.srs.card import CardState
from worker.srs.fsrs import Rating, Scheduler
from worker.srs.prediction import Review
from worker.srs.sm2 import new_card


class Answered(NamedTuple):
    """A graded answer: of which item, on which local day (as a day number), with which rating."""

    item_id: UUID
    day: int
    rating: Rating


class Replayed(NamedTuple):
    """A learner's answers as FSRS takes them: the reviews that are no practice, and each item's card after the last."""

    reviews: list[Review]
    cards: dict[UUID, CardState]


def replay(answers: Iterable[Answered], scheduler: Scheduler) -> Replayed:
    """Return what comes of one learner's answers, sorted by time. Cost: linear, about 2 µs an answer."""
    reviews: list[Review] = []
    cards: dict[UUID, CardState] = {}
    numbers: dict[UUID, int] = {}
    last_on: dict[UUID, int] = {}
    for item_id, day, rating in answers:
        on = date.fromordinal(day)
        card = cards.get(item_id) or new_card(on)
        elapsed = day - last_on.get(item_id, day)
        if fsrs.is_practice(card, rating, elapsed):
            continue
        cards[item_id] = fsrs.review(card, rating, on, elapsed_days=elapsed, scheduler=scheduler)
        last_on[item_id] = day
        reviews.append(Review(numbers.setdefault(item_id, len(numbers)), rating, day))
    return Replayed(reviews, cards)
