"""Outages: spans of virtual time in which everything is down. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from worker.simulate.errors import SimulationPeriodError


@dataclass(frozen=True, slots=True, order=True)
class Outage:
    """From `begins_at` on nothing works; at `ends_at` everything is up again."""

    begins_at: datetime
    ends_at: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.begins_at <= instant < self.ends_at


def parse_instant(text: str) -> datetime:
    """Return a date (its midnight in UTC) or an instant in ISO 8601 (UTC where it names no zone).

    Raises:
        SimulationPeriodError: it is neither.
    """
    try:
        if len(text) == len("2026-01-01"):
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SimulationPeriodError(
            f"{text!r} is neither a date nor an instant: write 2026-03-29 or 2026-03-29T01:30Z"
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def parse_outage(text: str) -> Outage:
    """Return the outage written as `FROM/TO`.

    Raises:
        SimulationPeriodError: it cannot be read, or ends before it begins.
    """
    begins, slash, ends = text.partition("/")
    if not slash:
        raise SimulationPeriodError(f"{text!r} is not an outage: write FROM/TO, such as 2026-03-28T12:00Z/2026-03-30")
    outage = Outage(parse_instant(begins), parse_instant(ends))
    if outage.ends_at <= outage.begins_at:
        raise SimulationPeriodError(f"the outage {text} ends before it begins")
    return outage


def up_again_at(instant: datetime, outages: Sequence[Outage]) -> datetime:
    """Return the first instant from `instant` on at which everything is up; outages may touch or overlap."""
    for outage in sorted(outages):
        if instant in outage:
            instant = outage.ends_at
    return instant
