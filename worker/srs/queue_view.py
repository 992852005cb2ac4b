"""Why a card stands in a due queue, and whether it still is to be studied. Pure."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from worker.srs.card import State

LeftBy = Literal["answered", "suspended", "buried", "removed"]


class LearningReason(msgspec.Struct, frozen=True, tag="learning", tag_field="code"):
    """The item is being learnt for the first time, or again after it was forgotten."""

    is_relearning: bool


class DueReason(msgspec.Struct, frozen=True, tag="due", tag_field="code"):
    """The card's day has come."""

    since: Annotated[date, Meta(description="the learner's local day on which it fell due")]
    days: Annotated[int, Meta(description="days since then; 0: due on the queue's own day")]


class OverdueReason(msgspec.Struct, frozen=True, tag="overdue", tag_field="code"):
    """The card has waited beyond its day."""

    times: Annotated[float, Meta(description="days overdue ÷ interval; 1.0: it waited its interval twice")]


class NewReason(msgspec.Struct, frozen=True, tag="new", tag_field="code"):
    """The card was never reviewed."""


Reason = LearningReason | DueReason | OverdueReason | NewReason


class StoredCard(msgspec.Struct, frozen=True, kw_only=True):
    """A place of a stored queue with the card as it is now; all None but the first two if the card was deleted."""

    place: int
    card_id: UUID
    item_type: str | None = None
    item_id: UUID | None = None
    lesson_ids: list[UUID] = []
    state: State | None = None
    interval: int | None = None
    next_review_date: date | None = None
    last_reviewed_at: datetime | None = None
    stability: float | None = None
    is_suspended: bool | None = None
    buried_until: date | None = None


class QueuedCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A card of a queue, its content's ids, and why it is there; fields that don't apply are left out."""

    place: Annotated[int, Meta(description="in the queue, from 1")]
    card_id: UUID
    item_type: Annotated[str, Meta(description="what the card asks: question")] | None = None
    item_id: Annotated[UUID, Meta(description="the question's id")] | None = None
    lesson_ids: Annotated[list[UUID], Meta(description="the lessons that hold the item")] = []
    state: State | None = None
    reasons: Annotated[list[Reason], Meta(description="why it is in the queue; empty once it has left it")] = []
    left_by: Annotated[LeftBy, Meta(description="why it need not be shown any more")] | None = None


def view(card: StoredCard, *, local_date: date, built_at: datetime) -> QueuedCard:
    """Return a card of a queue as the app sees it now: the queue is as it was built, the card as it has become."""
    left_by = _left_by(card, local_date, built_at)
    return QueuedCard(
        place=card.place,
        card_id=card.card_id,
        item_type=card.item_type,
        item_id=card.item_id,
        lesson_ids=card.lesson_ids,
        state=card.state,
        reasons=[] if left_by else reasons(card, local_date),
        left_by=left_by,
    )


def _left_by(card: StoredCard, local_date: date, built_at: datetime) -> LeftBy | None:
    if card.next_review_date is None:
        return "removed"
    if card.is_suspended:
        return "suspended"
    if card.buried_until is not None and card.buried_until > local_date:
        return "buried"
    # A card in a step of this day comes back in it; whether its minutes are over is the app's clock's matter.
    is_open = card.state == "new" or card.next_review_date <= local_date
    if not is_open or (
        card.state == "review" and card.last_reviewed_at is not None and card.last_reviewed_at > built_at
    ):
        return "answered"
    return None


def reasons(card: StoredCard, local_date: date) -> list[Reason]:
    """Return why a card that is due on a local day is in its queue, the strongest reason first."""
    if card.state == "new":
        return [NewReason()]
    assert card.next_review_date is not None
    found: list[Reason] = []
    if card.state in ("learning", "relearning"):
        found.append(LearningReason(card.state == "relearning"))
    days = (local_date - card.next_review_date).days
    if days > 0:
        found.append(OverdueReason(round(days / max(card.interval or 0, 1), 2)))
    found.append(DueReason(card.next_review_date, max(days, 0)))
    return found
