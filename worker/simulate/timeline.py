"""What happens when: events in the order of virtual time, taken an instant at a time. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from uuid import UUID

from worker.simulate.population import Move, Resident, Sitting


@dataclass(frozen=True, slots=True)
class Period:
    """A scheduled job's period begins."""

    job: str
    following: Iterator[datetime]
    """The periods after this one."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A device hands over a sitting's attempts."""

    sitting: Sitting


@dataclass(frozen=True, slots=True)
class TryoutBegins:
    """A learner begins a tryout."""

    resident: Resident


@dataclass(frozen=True, slots=True)
class TryoutEnds:
    """A learner submits a tryout."""

    resident: Resident
    sitting_id: UUID


@dataclass(frozen=True, slots=True)
class Moved:
    """A learner arrives in another zone."""

    resident: Resident
    move: Move


@dataclass(frozen=True, slots=True)
class Tick:
    """The pulse beats."""

    again_after: timedelta | None = None
    """And again each time this has passed."""


@dataclass(frozen=True, slots=True)
class OutboxDue:
    """An outbox entry is due: one that waits for its time, or one whose message got lost."""


@dataclass(frozen=True, slots=True)
class NewDay:
    """A virtual day begins: its sittings are drawn."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The invariants are looked at."""


Event = Period | Delivery | TryoutBegins | TryoutEnds | Moved | Tick | OutboxDue | NewDay | Inspection


class Timeline:
    """Events to come; of one instant, in the order in which they were added."""

    def __init__(self, ends_at: datetime) -> None:
        """Take no event at or after `ends_at`."""
        self._ends_at = ends_at
        self._events: list[tuple[datetime, int, Event]] = []
        self._numbers = count()

    def add(self, at: datetime, event: Event) -> None:
        """Have `event` happen at `at`; what lies beyond the end is dropped."""
        if at < self._ends_at:
            heappush(self._events, (at, next(self._numbers), event))

    def add_all(self, events: Iterable[tuple[datetime, Event]]) -> None:
        """Have each event happen at its instant."""
        for at, event in events:
            self.add(at, event)

    def instants(self) -> Iterator[tuple[datetime, list[Event]]]:
        """Yield each instant with its events, until none is left; more may be added meanwhile."""
        while self._events:
            at = self._events[0][0]
            events = []
            while self._events and self._events[0][0] == at:
                events.append(heappop(self._events)[2])
            yield at, events
