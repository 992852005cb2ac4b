"""What can go wrong between a job's declaration and the end of its run."""

from collections.abc import Iterable
from difflib import get_close_matches
from uuid import UUID

from worker.errors import ConfigurationError, ElpError


class DuplicateJobError(ConfigurationError):
    """Two functions declare the same job."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(f"job {name!r} is declared twice, by {first} and by {second}: rename one of them")
        self.name = name


class InvalidJobError(ConfigurationError):
    """A declaration has a value that cannot work."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"job {name!r}: {problem}")
        self.name = name


class InvalidScheduleError(ConfigurationError):
    """A cron expression or its time zone cannot be read."""

    def __init__(self, cron: str, zone: str, problem: str) -> None:
        super().__init__(f"schedule {cron!r} in zone {zone!r}: {problem}")
        self.cron = cron
        self.zone = zone


class UnknownJobError(ElpError):
    """No job has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known jobs: {', '.join(names) or 'none'}"
        super().__init__(f"there is no job {name!r}; {hint}")
        self.name = name


class UnknownRunError(ElpError):
    """No run has this id."""

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"there is no run {run_id}: `elp jobs history` lists them")
        self.run_id = run_id


class NoScheduleError(ElpError):
    """A period was left out for a job that has no schedule to take it from."""

    def __init__(self, name: str) -> None:
        super().__init__(f"job {name!r} has no schedule: name the period it should run for")
        self.name = name


class NotByHandError(ElpError):
    """A job was started by hand that must not be."""

    def __init__(self, name: str) -> None:
        super().__init__(f"job {name!r} cannot be started by hand: its schedule or its events start it")
        self.name = name


class UnknownParameterError(ElpError):
    """A parameter that the job does not take."""

    def __init__(self, job: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"job {job!r} takes no parameter {name!r}; it takes: {', '.join(sorted(known)) or 'none'}")
        self.job = job
        self.name = name


class UnknownShardError(ElpError):
    """A run has no shard with this number."""

    def __init__(self, run_id: UUID, number: int) -> None:
        super().__init__(f"run {run_id} has no shard {number}: `elp jobs show {run_id} --all` lists them")
        self.run_id = run_id
        self.number = number


class WrongStateError(ElpError):
    """What was asked for does not go with the state that the run or shard is in."""

    def __init__(self, what: str, state: str, wish: str, possible: str) -> None:
        super().__init__(f"{what} is {state}: it cannot be {wish}; that takes one that is {possible}")
        self.state = state


class EventPeriodError(ElpError):
    """An event's start came without its instant, by which a repeated delivery would find the same run."""

    def __init__(self, job: str) -> None:
        super().__init__(f"job {job!r}: a start by an event needs the event's instant as its period")
        self.job = job


class LeaseLostError(ElpError):
    """Another worker holds the shard now; what this one did must not commit."""

    def __init__(self, run_id: UUID, number: int) -> None:
        super().__init__(f"the lease of shard {number} of run {run_id} was lost: its work is rolled back here")
        self.run_id = run_id
        self.number = number
