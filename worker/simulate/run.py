"""A simulation from its first to its last virtual instant."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

import psycopg

from worker import clock, ids
from worker.attempts.inbox_rows import NewAttempt, lanes_of
from worker.attempts.inbox_store import InboxStore
from worker.clock import VirtualClock
from worker.content.seed import seed_content
from worker.db import Connection
from worker.db.engines import libpq_url
from worker.db.queries import load_query
from worker.demo import store
from worker.jobs.periods import periods_after
from worker.jobs.pulse import Pulse
from worker.jobs.registry import Registry
from worker.simulate import database
from worker.simulate.digest import digest
from worker.simulate.engine import InProcess
from worker.simulate.errors import InvariantBrokenError, SimulationPeriodError
from worker.simulate.invariants import INVARIANTS, Counts, Due, Each, Look
from worker.simulate.outages import Outage, up_again_at
from worker.simulate.population import Move, Resident, Sitting, make_population, sittings_of_day
from worker.simulate.studying import Students
from worker.simulate.timeline import Delivery, Event, Moved, NewDay, Period, Tick, Timeline

_DAY: Final = timedelta(days=1)
_SETTLED: Final = timedelta(minutes=2)
"""What was due so long ago must be done: the pulse needs seconds."""
_LOOK_TIME: Final = timedelta(minutes=3)
"""After midnight in UTC, when the invariants of the day are looked at."""
_PULSE_EACH: Final = timedelta(hours=1)
"""The simulated pulse beats so often (and whenever something was lost or failed): mostly it would find nothing."""
_BEAT_MISSED: Final = timedelta(seconds=7)
_LANE_MISSED: Final = timedelta(seconds=3)
_AFTER_OUTAGE: Final = tuple(timedelta(seconds=seconds) for seconds in (6, 12, 45, 90))
_LOST_SHARE: Final = 0.01
"""Share of nudges that never arrive, so that the pulse has to notice."""
_RESENT_SHARE: Final = 0.05
"""Share of deliveries that a device repeats, since it got no answer."""
_QUEUE_CARDS: Final = 60
_STATEMENT_TIMEOUT_S: Final = 60.0


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
                raise SimulationPeriodError(f"the outage of {outage.begins_at.isoformat()} is not within the simulation")


@dataclass(slots=True)
class Outcome:
    """What a simulation did."""

    periods: Counter[str] = field(default_factory=Counter)
    """Periods that began, by job."""
    instants: int = 0
    runs: int = 0
    shards: int = 0
    drains: int = 0
    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    deliveries: int = 0
    moves: int = 0
    lost_nudges: int = 0
    looks: Counter[str] = field(default_factory=Counter)
    """How often each invariant was looked at."""
    digest: str = ""
    took_s: float = 0.0


Progress = Callable[[datetime, Outcome], None]
"""Called once a virtual day."""


class Simulation:
    """The state of one simulation; the process lives in virtual time while it runs."""

    def __init__(self, scenario: Scenario, database_url: str, registry: Registry) -> None:
        """Prepare; nothing is written yet.

        Args:
            scenario: what to simulate.
            database_url: a migrated, empty database, also this process's own (`ELP_DATABASE_URL`).
            registry: the jobs.
        """
        self.scenario = scenario
        self.outcome = Outcome()
        self._registry = registry
        self._jobs = {job.name: job for job in registry.all()}
        self._database_url = database_url
        self._engine = InProcess()
        self._pulse = Pulse(database_url, self._engine, registry)
        self._timeline = Timeline(scenario.ends_at)
        # One generator a subject: what one of them draws more of leaves the others as they are.
        self._habits, self._answers, self._luck = (
            Random(f"{scenario.seed} {subject}") for subject in ("habits", "answers", "luck")
        )
        self._residents = {
            resident.learner.id: resident
            for resident in make_population(scenario.learners, scenario.begins_at, scenario.ends_at, self._habits)
        }
        self._due: list[Due] = []
        self._looked_until = {"day": scenario.begins_at, "month": scenario.begins_at}
        self._runner = asyncio.Runner()
        self._inbox = InboxStore(database_url, _STATEMENT_TIMEOUT_S)

    @property
    def job(self) -> str | None:
        """The job that ran last."""
        return self._engine.job

    def run(self, progress: Progress) -> Outcome:
        """Simulate everything and return what was done.

        Raises:
            InvariantBrokenError: something that must always hold does not.
        """
        started = time.monotonic()
        entropy = Random(f"{self.scenario.seed} ids")
        with (
            clock.travelling(self.scenario.begins_at) as virtual,
            ids.drawn_from(entropy.randbytes),
            self._runner,
            psycopg.connect(libpq_url(self._database_url), autocommit=True) as connection,
        ):
            try:
                self._set_up(connection)
                for at, events in self._timeline.instants():
                    self._happen(connection, virtual, at, events, progress)
                virtual.move_to(self.scenario.ends_at)
                self._look(connection, "day")
                self._look(connection, "month")
                self.outcome.digest = digest(connection)
            finally:
                self._inbox.close()
                self._pulse.close()
        self.outcome.runs, self.outcome.shards = self._engine.runs, self._engine.shards
        self.outcome.drains = self._engine.drains
        self.outcome.took_s = time.monotonic() - started
        return self.outcome

    def _set_up(self, connection: Connection) -> None:
        begins_at = self.scenario.begins_at
        with connection.transaction():
            database.take_over_time(connection, begins_at)
            connection.execute("SELECT ensure_question_attempts_partitions(%s, 3)", (begins_at.date(),))
            seed_content(connection)
            _enrol(connection, list(self._residents.values()))
            catalogue = store.read_catalogue(connection)
        self._students = Students(catalogue, self._answers)
        for job in self._registry.all():
            if job.schedule is not None:
                self._add_period(job.name, periods_after(job.schedule, begins_at))
        for resident in self._residents.values():
            for move in resident.moves:
                self._timeline.add(move.at, Moved(resident, move))
        for outage in self.scenario.outages:
            for delay in _AFTER_OUTAGE:
                self._timeline.add(outage.ends_at + delay, Tick())
        self._timeline.add(begins_at, NewDay())
        self._timeline.add(begins_at + _PULSE_EACH / 2, Tick(again_after=_PULSE_EACH))

    def _add_period(self, job: str, periods: Iterator[datetime]) -> None:
        self._timeline.add(next(periods), Period(job, periods))

    def _happen(
        self,
        connection: Connection,
        virtual: VirtualClock,
        at: datetime,
        events: list[Event],
        progress: Progress,
    ) -> None:
        """Let everything of one instant happen: what people do first, then what the schedule asks for."""
        self.outcome.instants += 1
        up_at = up_again_at(at, self.scenario.outages)
        is_up = up_at == at
        if is_up:
            virtual.move_to(at)
            database.move_to(connection, at)
        deliveries: list[Sitting] = []
        jobs: list[str] = []
        must_tick = False
        for event in events:
            match event:
                case NewDay():
                    self._begin_day(connection, at, is_up=is_up, progress=progress)
                case Period(job, periods):
                    self.outcome.periods[job] += 1
                    self._due.append(Due(job, at, while_down=not is_up))
                    self._add_period(job, periods)
                    jobs.append(job)
                case Moved(resident, move) if is_up:
                    self._move(connection, resident, move)
                case Moved():
                    self._timeline.add(up_at, event)
                case Delivery(sitting) if is_up:
                    deliveries.append(sitting)
                case Delivery():
                    # Devices try again after the outage, not all at once.
                    self._timeline.add(up_at + timedelta(minutes=self._luck.randrange(1, 60)), event)
                case Tick(again_after):
                    must_tick = True
                    if again_after is not None:
                        self._timeline.add(at + again_after, event)
        if is_up:
            if deliveries:
                self._deliver(connection, deliveries)
            for job in sorted(jobs):
                self._beat(job, at)
            if must_tick:
                self._pulse.beat()
            if self._engine.look_again_at is not None:
                self._timeline.add(self._engine.look_again_at, Tick())
                self._engine.look_again_at = None

    def _begin_day(self, connection: Connection, at: datetime, *, is_up: bool, progress: Progress) -> None:
        """Draw the day's sittings at midnight; look at the invariants some minutes later."""
        is_midnight = (at - self.scenario.begins_at) % _DAY == timedelta()
        if is_midnight:
            for sitting in sittings_of_day(list(self._residents.values()), at, self._habits):
                self._timeline.add(sitting.delivered_at, Delivery(sitting))
            self._timeline.add(at + _LOOK_TIME, NewDay())
            return
        self._timeline.add(at - _LOOK_TIME + _DAY, NewDay())
        if is_up:
            self._look(connection, "day")
            if at.day == 1:
                connection.execute("ANALYZE")
                self._look(connection, "month")
        progress(at, self.outcome)

    def _beat(self, job: str, period: datetime) -> None:
        """Do what beat's message brings about; one in a hundred is lost, and the pulse has to notice."""
        if self._luck.random() < _LOST_SHARE:
            self.outcome.lost_nudges += 1
            self._timeline.add(period + _BEAT_MISSED, Tick())
            return
        self._engine.start(job)

    def _deliver(self, connection: Connection, sittings: list[Sitting]) -> None:
        """Hand the attempts of some devices to the inbox, and have the lanes drained."""
        rows = connection.execute(
            load_query("worker.simulate", "due_questions"),
            {"user_ids": [sitting.resident.learner.id for sitting in sittings], "cards": _QUEUE_CARDS},
        )
        due: defaultdict[UUID, list[UUID]] = defaultdict(list, rows.fetchall())
        attempts: list[NewAttempt] = []
        for sitting in sittings:
            made = self._students.study(sitting, due[sitting.resident.learner.id])
            attempts += made
            if self._luck.random() < _RESENT_SHARE:
                attempts += made
        exceptions = self._runner.run(self._inbox.store(attempts))
        if refused := [str(exception) for exception in exceptions.values() if exception is not None]:
            raise InvariantBrokenError("the inbox takes every well-formed attempt", refused, clock.now(), None)
        self.outcome.deliveries += len(sittings)
        self.outcome.sent += len(attempts)
        self.outcome.duplicates += len(exceptions)
        self.outcome.accepted += len(attempts) - len(exceptions)
        lanes = lanes_of(attempts)
        for lane in range(ids.LANES):
            if lanes >> lane & 1:
                if self._luck.random() < _LOST_SHARE:
                    self.outcome.lost_nudges += 1
                    self._timeline.add(clock.now() + _LANE_MISSED, Tick())
                else:
                    self._engine.lane(lane)

    def _move(self, connection: Connection, resident: Resident, move: Move) -> None:
        self.outcome.moves += 1
        connection.execute("UPDATE users SET timezone = %s WHERE id = %s", (move.zone, resident.learner.id))

    def _look(self, connection: Connection, each: Each) -> None:
        """Look at the invariants of a day or of a month.

        Raises:
            InvariantBrokenError: one does not hold.
        """
        until = clock.now() - _SETTLED
        look = Look(
            connection=connection,
            since=self._looked_until[each],
            until=until,
            begun_at=self.scenario.begins_at,
            due=[due for due in self._due if due.period <= until],
            jobs=self._jobs,
            residents=self._residents,
            outages=self.scenario.outages,
            counts=Counts(self.outcome.sent, self.outcome.accepted, self.outcome.duplicates),
        )
        for one in INVARIANTS:
            if one.each == each:
                self.outcome.looks[one.name] += 1
                if broken := list(one.check(look)):
                    raise InvariantBrokenError(one.name, broken, clock.now(), self.job)
        self._looked_until[each] = until
        if each == "day":
            self._due = [due for due in self._due if due.period > until]


def _enrol(connection: Connection, residents: Sequence[Resident]) -> None:
    store.enrol(connection, [resident.learner for resident in residents])
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE user_preferences SET day_start_hour = %s, scheduler = %s WHERE user_id = %s",
            [(resident.day_start_hour, resident.scheduler, resident.learner.id) for resident in residents],
        )
