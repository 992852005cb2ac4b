"""What is simulated, and what came of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from worker.simulate.errors import SimulationPeriodError
from worker.simulate.outages import Outage


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated.

    Raises:
        SimulationPeriodError: it takes no time, or an outage lies outside of it.
    """

    begins_at: datetime
    ends_at: datetime
    learners: int = 200
    seed: int = 1
    outages: Sequence[Outage] = ()

    def __post_init__(self) -> None:
        if self.ends_at <= self.begins_at:
            raise SimulationPeriodError(f"{self.ends_at:%Y-%m-%d} is not after {self.begins_at:%Y-%m-%d}")
        for outage in self.outages:
            if not self.begins_at < outage.begins_at < outage.ends_at < self.ends_at:
                raise SimulationPeriodError(
                    f"the outage of {outage.begins_at.isoformat()} is not within the simulation"
                )

    def chance(self, subject: str) -> Random:
        """Return the generator of one subject: what one draws more of leaves the others as they are."""
        return Random(f"{self.seed} {subject}")  # noqa: S311 - a simulation


@dataclass(slots=True)
class Outcome:
    """What a simulation did so far."""

    periods: Counter[str] = field(default_factory=Counter)
    """Periods that began, by job."""
    idle: Counter[str] = field(default_factory=Counter)
    """Those of them that were left out, since the job's planner found nothing to do."""
    runs: int = 0
    shards: int = 0
    drains: int = 0
    sent: int = 0
    """Attempts that devices handed over, repetitions included."""
    accepted: int = 0
    duplicates: int = 0
    deliveries: int = 0
    moves: int = 0
    sittings: int = 0
    lost_nudges: int = 0
    nudges: int = 0
    """Messages that tasks and jobs sent themselves."""
    outbox_messages: int = 0
    lost_deliveries: int = 0
    failed_deliveries: int = 0
    looks: Counter[str] = field(default_factory=Counter)
    """How often each invariant was looked at."""
    digest: str = ""
    took_s: float = 0.0
