"""Which cards a learner is asked on a local day, and in which order: the rules, one by one. Pure.

The database applies them to millions of cards at a time (`queries/build_due_queues.sql`); this is what it is compared
with, card by card, and what docs/queues.md explains.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, Literal
from uuid import UUID

import msgspec

from worker.srs.card import State
from worker.srs.spread import Vacation

ReviewOrder = Literal["overdueness", "lowest_retrievability", "highest_retrievability"]
NewOrder = Literal["last", "mixed"]

DEFAULT_REVIEW_LIMIT: Final = 200
"""Due cards a day for a learner without preferences; so have the schema's defaults, here and below."""
DEFAULT_NEW_LIMIT: Final = 10
"""New cards a day for a learner without preferences."""
DEFAULT_DAILY_GOAL: Final = 20
"""Attempts a day that such a learner aims at."""
DEFAULT_BACKLOG_DAYS: Final = 7
"""Days over which a backlog is spread for such a learner."""


class QueueCard(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules ask of a card.

    Attributes:
        interval: days from the last review to the due day.
        stability: FSRS's; None: SM-2 schedules it, and the interval stands for it.
        family: what makes it a sibling of others, as the learner's wish has it (word or lesson); None: nothing.
        reviewed_today: whether an attempt has moved it since the local day began.
    """

    id: UUID
    state: State
    interval: int
    due_on: date
    stability: float | None = None
    is_suspended: bool = False
    buried_until: date | None = None
    family: str | None = None
    reviewed_today: bool = False


class QueueRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the learner wishes; the columns of `user_preferences`.

    Attributes:
        reviewed: cards reviewed since the local day began that are not due any more; they count for the review limit.
        introduced: cards introduced since then; they count for the new limit.
    """

    review_limit: int = DEFAULT_REVIEW_LIMIT
    new_limit: int = DEFAULT_NEW_LIMIT
    daily_goal: int = DEFAULT_DAILY_GOAL
    review_order: ReviewOrder = "overdueness"
    new_order: NewOrder = "last"
    backlog_days: int = DEFAULT_BACKLOG_DAYS
    vacation: Vacation | None = None
    reviewed: int = 0
    introduced: int = 0


class Chosen(msgspec.Struct, frozen=True):
    """The queue of a day.

    Attributes:
        card_ids: in the order of asking.
        learning, review, new: how many of each it holds.
        overdue_total: learning and review cards that were due, before siblings, backlog and limits.
    """

    card_ids: list[UUID]
    learning: int
    review: int
    new: int
    overdue_total: int


def choose_cards(cards: Iterable[QueueCard], rules: QueueRules, today: date) -> Chosen:
    """Return a learner's queue for a local day."""
    if rules.vacation is not None and rules.vacation[0] <= today <= rules.vacation[1]:
        return Chosen([], 0, 0, 0, 0)
    cards = list(cards)
    ready = [card for card in cards if is_ready(card, today)]
    learning = sorted((card for card in ready if is_learning(card)), key=lambda card: _by_overdueness(card, today))
    due = [card for card in ready if not is_learning(card) and card.state != "new"]
    share = reviews_of_the_day(due, rules, today)
    order: ReviewOrder = rules.review_order if share >= len(due) else "highest_retrievability"
    reviews = in_order(due, order, today)
    new = sorted((card for card in ready if card.state == "new"), key=lambda card: (card.due_on, card.id))

    seen = {card.family for card in cards if card.reviewed_today and not is_ready(card, today)}
    seen |= {card.family for card in learning}
    reviews, new = _without_siblings(reviews, seen), _without_siblings(new, seen)

    places = max(rules.review_limit - rules.reviewed, 0)
    learning = learning[:places]
    reviews = reviews[: min(places - len(learning), share)]
    new = new[: max(rules.new_limit - rules.introduced, 0)]
    asked = mixed(reviews, new) if rules.new_order == "mixed" else [*reviews, *new]
    return Chosen(
        [card.id for card in [*learning, *asked]],
        len(learning),
        len(reviews),
        len(new),
        sum(card.state != "new" for card in ready),
    )


def is_ready(card: QueueCard, today: date) -> bool:
    """Return whether a card may be asked: due, not suspended, not buried beyond today."""
    return not card.is_suspended and card.due_on <= today and (card.buried_until is None or card.buried_until <= today)


def is_learning(card: QueueCard) -> bool:
    """Return whether a card is being learnt or relearnt: those come first, since their memory is the shortest."""
    return card.state in ("learning", "relearning")


def reviews_of_the_day(due: Sequence[QueueCard], rules: QueueRules, today: date) -> int:
    """Return how many of the reviews that are due may come today: all, unless there is a backlog.

    Cards due today come in any case. Of the older ones a `backlog_days`-th part (rounded up), and not less than
    the daily goal: a forgotten evening is made up for at once, a month over days.
    """
    overdue = sum(card.due_on < today for card in due)
    share = max(-(-overdue // rules.backlog_days), min(overdue, rules.daily_goal))
    return len(due) - overdue + share


def overdueness(card: QueueCard, today: date) -> float:
    """Return the days a card is overdue, in its intervals (of a day at least)."""
    return (today - card.due_on).days / max(card.interval, 1)


def age(card: QueueCard, today: date) -> float:
    """Return the days since the last review in units of stability: the higher, the lower the retrievability.

    Under one learner's parameters retrievability falls with this ratio alone. SM-2's interval stands for stability.
    """
    elapsed = (today - card.due_on).days + card.interval
    return elapsed / (max(card.interval, 1) if card.stability is None else card.stability)


def in_order(due: Iterable[QueueCard], order: ReviewOrder, today: date) -> list[QueueCard]:
    """Return reviews in the learner's order; ties go by due day, then id.

    `highest_retrievability` is also the order of value in a backlog: what is still known is worth most, since its long
    interval can still be kept; what is forgotten must be learnt again, today or next week.
    """
    if order == "overdueness":
        return sorted(due, key=lambda card: _by_overdueness(card, today))
    sign = -1 if order == "lowest_retrievability" else 1
    return sorted(due, key=lambda card: (sign * age(card, today), card.due_on, card.id))


def _by_overdueness(card: QueueCard, today: date) -> tuple[float, date, UUID]:
    return -overdueness(card, today), card.due_on, card.id


def _without_siblings(cards: Iterable[QueueCard], seen: set[str | None]) -> list[QueueCard]:
    """Return the first card of each family that was not seen yet, and add the families to those seen.

    The others stay due and come on another day. Cards in learning are never left out.
    """
    kept = []
    for card in cards:
        if card.family is None or card.family not in seen:
            kept.append(card)
            seen.add(card.family)
    return kept


def mixed(reviews: Sequence[QueueCard], new: Sequence[QueueCard]) -> list[QueueCard]:
    """Return both, new cards spread evenly among the reviews: the j-th of n stands at j · (R + 1) / (n + 1) of R."""
    places = [((number + 1) * (len(new) + 1), 0, card) for number, card in enumerate(reviews)]
    places += [((number + 1) * (len(reviews) + 1), 1, card) for number, card in enumerate(new)]
    return [card for *_, card in sorted(places, key=lambda each: each[:2])]
