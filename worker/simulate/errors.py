"""What ends a simulation."""

from datetime import datetime

from worker.errors import ElpError


class SimulationPeriodError(ElpError):
    """The dates given leave no time, or an outage lies outside of them."""


class InvariantBrokenError(ElpError):
    """Something that must always hold does not.

    Attributes:
        invariant: its name.
        details: what breaks it, a line each.
        at: the virtual instant of the look that found it.
        job: the job that ran last before it.
    """

    def __init__(self, invariant: str, details: list[str], at: datetime, job: str | None) -> None:
        shown = "\n  ".join(details[:10])
        super().__init__(f"broken: {invariant}\n  {shown}")
        self.invariant = invariant
        self.details = details
        self.at = at
        self.job = job
