"""What a learner, or someone for them, may do to a card beside answering it: suspend, bury, reset. Pure."""

from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from worker.errors import ElpError
from worker.srs.card import State
from worker.srs.sm2 import EASE_START

Action = Literal["suspend", "unsuspend", "bury", "unbury", "reset"]

AUDIT_ACTIONS: Final[dict[Action, str]] = {
    "suspend": "srs_card.suspended",
    "unsuspend": "srs_card.unsuspended",
    "bury": "srs_card.buried",
    "unbury": "srs_card.unburied",
    "reset": "srs_card.reset",
}
"""What `audit_log.action` says."""

BURY_DAYS_MAX: Final = 365


class InvalidActionError(ElpError):
    """An action that can't be taken as asked."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field
        self.message = message


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """All columns of a card that an action may change."""

    state: State
    interval: int
    ease: int
    repetitions: int
    lapses: int
    step: int
    next_review_date: date
    due_at: datetime | None
    introduced_at: datetime | None
    stability: float | None
    difficulty: float | None
    last_reviewed_at: datetime | None
    is_suspended: bool
    buried_until: date | None
    leech_at: datetime | None


def apply(card: CardRow, action: Action, *, today: date, until: date | None, now: datetime) -> CardRow:
    """Return the card after an action; the same object if it is so already.

    * suspend: out of all queues until it is unsuspended; an attempt still moves it.
    * unsuspend: back where it was; a leech is none any more, so that the next lapse does not suspend it at once.
    * bury: out of the queues until the local day `until`, tomorrow when left out; unbury takes that back.
    * reset: as if never seen, due today. Attempts made before the reset that arrive later leave it alone. A suspended
      card stays suspended.

    Args:
        card: as it is.
        action: what to do.
        today: the learner's local day.
        until: for `bury` alone.
        now: the present instant.

    Raises:
        InvalidActionError: `until` does not go with the action, or is no day within the coming year.
    """
    if until is not None and action != "bury":
        raise InvalidActionError("until", f"goes with the action bury, not with {action}: leave it out")
    if action == "suspend":
        return card if card.is_suspended else msgspec.structs.replace(card, is_suspended=True)
    if action == "unsuspend":
        if not card.is_suspended and card.leech_at is None:
            return card
        return msgspec.structs.replace(card, is_suspended=False, leech_at=None)
    if action == "bury":
        returns_on = until or today + timedelta(1)
        if not 1 <= (returns_on - today).days <= BURY_DAYS_MAX:
            raise InvalidActionError(
                "until", f"must be a day after {today}, the learner's today, and at most {BURY_DAYS_MAX} days later"
            )
        return card if card.buried_until == returns_on else msgspec.structs.replace(card, buried_until=returns_on)
    if action == "unbury":
        is_buried = card.buried_until is not None and card.buried_until > today
        return msgspec.structs.replace(card, buried_until=None) if is_buried else card
    return _reset(card, today, now)


def _reset(card: CardRow, today: date, now: datetime) -> CardRow:
    is_new = card.state == "new" and card.lapses == 0 and card.ease == EASE_START and card.leech_at is None
    if is_new:
        return card
    return CardRow(
        state="new",
        interval=0,
        ease=EASE_START,
        repetitions=0,
        lapses=0,
        step=0,
        next_review_date=today,
        due_at=None,
        introduced_at=None,
        stability=None,
        difficulty=None,
        last_reviewed_at=now,
        is_suspended=card.is_suspended,
        buried_until=None,
        leech_at=None,
    )


def changes(before: CardRow, after: CardRow) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that differ, as they were and as they became, for the audit log."""
    old, new = (msgspec.to_builtins(card, enc_hook=date.isoformat) for card in (before, after))  # freezegun's dates
    differing = [name for name in old if old[name] != new[name]]
    return {name: old[name] for name in differing}, {name: new[name] for name in differing}
