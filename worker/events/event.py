"""The values of the event feed, and the cursor that says how far a reader has come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from worker.db.cursors import decode_cursor, encode_cursor

_ORDERING: Final = "app_events by transaction_id, id"


class Event(msgspec.Struct, frozen=True):
    """Something that happened, to be published.

    Attributes:
        kind: `<capability>.<what_happened>`, such as `achievement.awarded`.
        user_id: the learner it is about; the event goes away with the account. None: nobody in particular.
        payload: what the app needs to act on it, as JSON values: ids and figures, nothing personal.
        dedupe_key: an event whose key was published before is dropped; None: it never is.
    """

    kind: str
    user_id: UUID | None
    payload: Mapping[str, Any]
    dedupe_key: str | None = None


class PublishedEvent(msgspec.Struct, frozen=True):
    """An event as the feed gives it."""

    id: UUID
    kind: str
    user_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime


class Position(NamedTuple):
    """A place in the feed's order.

    Attributes:
        transaction_id: of the transaction that published the event.
        event_id: orders the events of one transaction.
    """

    transaction_id: int
    event_id: UUID

    @property
    def cursor(self) -> str:
        """The place as readers keep it."""
        return encode_cursor(_ORDERING, self)


START: Final = Position(0, UUID(int=0))
"""Before every event."""


def parse_cursor(cursor: str) -> Position:
    """Return the place that a cursor stands for.

    Raises:
        worker.db.cursors.CursorError: it is not one of this feed's.
    """
    return Position(*decode_cursor(_ORDERING, (int, UUID), cursor))


class Page(msgspec.Struct, frozen=True):
    """A piece of the feed, oldest first.

    Attributes:
        events: in the order of the feed.
        next: the cursor to go on from; None: nothing was ever read.
    """

    events: list[PublishedEvent]
    next: str | None
