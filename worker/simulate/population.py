"""Who studies in a simulation: the demonstration's learners, with lives that a year of virtual time brings out.

Most live in Indonesia; the others live where clocks change, by an hour or by half an hour, in either half of the year,
around midnight or at two o'clock. Some begin their day at another hour, some have a device that is offline for days or
whose clock is wrong, some travel. Everything is drawn from the one generator that is passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Final, Literal

from worker import clock
from worker.demo.learners import ZONES as HOME_ZONES
from worker.demo.learners import SimulatedLearner, make_learners

Device = Literal["online", "offline", "clock_ahead"]

FAR_ZONES: Final = (
    "Africa/Casablanca",  # changes around Ramadan, in another week each year
    "America/New_York",
    "America/Santiago",  # its clock changes at midnight
    "America/St_Johns",
    "Asia/Kathmandu",  # 5 h 45 min
    "Australia/Lord_Howe",  # changes by half an hour
    "Europe/Berlin",
    "Pacific/Chatham",
    "Pacific/Kiritimati",  # 14 h ahead
    "Pacific/Pago_Pago",  # 11 h behind
)
_FAR_SHARE: Final = 0.35
_OTHER_DAY_START_SHARE: Final = 0.3
_DEFAULT_DAY_START: Final = 4
_OFFLINE_SHARE: Final = 0.15
_CLOCK_AHEAD_SHARE: Final = 0.05
_TRAVELLER_SHARE: Final = 0.15
_FSRS_SHARE: Final = 0.3
_MEAN_DAYS_BETWEEN_MOVES: Final = 60


@dataclass(frozen=True, slots=True)
class Move:
    """A learner's device shows another zone from an instant on."""

    at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Resident:
    """A simulated learner with the habits that matter over months."""

    learner: SimulatedLearner
    day_start_hour: int
    scheduler: Literal["sm2", "fsrs"]
    device: Device
    study_chance: float
    """How likely a day is a study day."""
    usual_hour: int
    """Hour of the local wall clock at which the learner sits down."""
    questions: int
    """Questions in a sitting, on average."""
    moves: tuple[Move, ...]

    def zone_at(self, instant: datetime) -> str:
        """Return the zone in which the learner is."""
        zone = self.learner.timezone
        for move in self.moves:
            if move.at <= instant:
                zone = move.zone
        return zone


@dataclass(frozen=True, slots=True)
class Sitting:
    """One sitting: when it begins, and when the device hands the attempts over."""

    resident: Resident
    begins_at: datetime
    delivered_at: datetime
    questions: int


def make_population(count: int, begins_at: datetime, ends_at: datetime, generator: Random) -> list[Resident]:
    """Return `count` learners and their moves between two instants."""
    residents = []
    for learner in make_learners(count, generator):
        is_far = generator.random() < _FAR_SHARE
        zone = generator.choice(FAR_ZONES) if is_far else learner.timezone
        other_start = generator.random() < _OTHER_DAY_START_SHARE
        residents.append(
            Resident(
                learner=replace(learner, timezone=zone),
                day_start_hour=generator.randrange(24) if other_start else _DEFAULT_DAY_START,
                scheduler="fsrs" if generator.random() < _FSRS_SHARE else "sm2",
                device=_device(generator),
                study_chance=generator.uniform(0.1, 0.7),
                usual_hour=generator.choices((7, 12, 16, 19, 20, 21, 23), (1, 1, 2, 4, 4, 3, 1))[0],
                questions=generator.randint(5, 25),
                moves=_moves(begins_at, ends_at, generator) if generator.random() < _TRAVELLER_SHARE else (),
            )
        )
    return residents


def sittings_of_day(residents: Sequence[Resident], day_begins_at: datetime, generator: Random) -> list[Sitting]:
    """Return the sittings that begin within the 24 hours from `day_begins_at` (a midnight in UTC), in no order."""
    found = []
    for resident in residents:
        if generator.random() >= resident.study_chance:
            continue
        zone = clock.zone(resident.zone_at(day_begins_at))
        wall_clock = datetime.combine(
            day_begins_at.date(), time(resident.usual_hour, generator.randrange(60)), tzinfo=zone
        )
        # The local evening of that date may lie on either neighbour of the UTC day: taken modulo the day.
        offset = (wall_clock.astimezone(UTC) - day_begins_at) % timedelta(days=1)
        begins_at = day_begins_at + offset
        questions = max(1, round(generator.gauss(resident.questions, resident.questions / 4)))
        found.append(Sitting(resident, begins_at, _delivered_at(resident, begins_at, questions, generator), questions))
    return found


def _delivered_at(resident: Resident, begins_at: datetime, questions: int, generator: Random) -> datetime:
    """Return when the attempts arrive: at the next of four instants an hour, or days later from an offline device."""
    done_at = begins_at + timedelta(minutes=questions)
    if resident.device == "offline" and generator.random() < 0.5:  # noqa: PLR2004 - every other sitting
        done_at += timedelta(hours=generator.randint(6, 120))
    quarter = timedelta(minutes=15)
    midnight = done_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((done_at - midnight) // quarter + 1) * quarter + timedelta(minutes=7)


def _device(generator: Random) -> Device:
    drawn = generator.random()
    if drawn < _OFFLINE_SHARE:
        return "offline"
    return "clock_ahead" if drawn < _OFFLINE_SHARE + _CLOCK_AHEAD_SHARE else "online"


def _moves(begins_at: datetime, ends_at: datetime, generator: Random) -> tuple[Move, ...]:
    moves: list[Move] = []
    at = begins_at
    while True:
        at += timedelta(hours=round(generator.expovariate(1 / _MEAN_DAYS_BETWEEN_MOVES) * 24) + 12)
        if at >= ends_at:
            return tuple(moves)
        moves.append(Move(at, generator.choice((*FAR_ZONES, *HOME_ZONES))))
