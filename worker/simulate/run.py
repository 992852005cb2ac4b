"""A simulation from its first to its last virtual instant."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import psycopg

from worker import clock, ids
from worker.clock import VirtualClock
from worker.content.seed import made_content
from worker.content.store import write_content
from worker.db import Connection
from worker.db.engines import libpq_url
from worker.db.queries import load_query
from worker.jobs.known_tasks import known_tasks, tell_database
from worker.jobs.periods import periods_after
from worker.jobs.pulse import Pulse
from worker.jobs.registry import Registry
from worker.jobs.relay import Relay
from worker.settings import get_settings
from worker.simulate import database
from worker.simulate.devices import Devices, enrol
from worker.simulate.digest import digest
from worker.simulate.engine import InProcess
from worker.simulate.idling import Idling
from worker.simulate.inspector import Inspector
from worker.simulate.invariants import Due
from worker.simulate.messages import LOST_SHARE, Delivered, Mail
from worker.simulate.outages import up_again_at
from worker.simulate.population import Sitting, make_population, sittings_of_day
from worker.simulate.scenario import Outcome, Scenario
from worker.simulate.studying import studied
from worker.simulate.timeline import (
    Delivery,
    Event,
    Inspection,
    Moved,
    NewDay,
    OutboxDue,
    Period,
    Tick,
    Timeline,
    TryoutBegins,
    TryoutEnds,
)
from worker.simulate.tryouts import Tryouts

_DAY: Final = timedelta(days=1)
_INSPECTED_AT: Final = timedelta(minutes=3)
"""After midnight in UTC."""
_PULSE_EACH: Final = timedelta(hours=1)
"""The simulated pulse beats so often (and whenever something was lost or failed): mostly it would find nothing."""
_PULSE_FIRST: Final = timedelta(minutes=31, seconds=30)
_NOTICED_AFTER: Final = timedelta(seconds=7)
"""What a lost nudge should have started, the pulse notices: it gives beat five seconds, and attempts two."""
_LOOKS_AGAIN: Final = timedelta(seconds=1)
"""How soon the relay looks again at what is still due."""
_ANALYZED_ON: Final = frozenset({1, 3, 8, 15, 22})
"""Days of the month."""
_AFTER_OUTAGE: Final = tuple(timedelta(seconds=seconds) for seconds in (6, 12, 45, 90))

Progress = Callable[[datetime, Outcome], None]
"""Called once a virtual day."""


@dataclass(slots=True)
class _Gathered:
    """What is done together at the end of an instant."""

    sittings: list[Sitting] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    must_tick: bool = False


class Simulation:
    """The state of one simulation; the process lives in virtual time while it runs."""

    def __init__(self, scenario: Scenario, database_url: str, registry: Registry) -> None:
        """Prepare; nothing is written yet.

        Args:
            scenario: what to simulate.
            database_url: a migrated, empty database, also this process's own (`ELP_DATABASE_URL`).
            registry: the jobs.
        """
        self._scenario = scenario
        self._outcome = Outcome()
        self._jobs = registry.all()
        self._database_url = database_url
        self._engine = InProcess(self._outcome)
        self._mail = Mail(self._outcome)
        self._pulse = Pulse(database_url, self._engine, registry)
        self._relay = Relay(
            database_url,
            Delivered(self._outcome, scenario.chance("messages")),
            confirm_within=timedelta(seconds=get_settings().outbox_confirm_s),
        )
        self._idling = Idling(self._jobs, scenario.begins_at)
        self._outbox_due_at: datetime | None = None
        self._timeline = Timeline(scenario.ends_at)
        self._habits, self._luck = scenario.chance("habits"), scenario.chance("luck")
        self._residents = make_population(scenario.learners, scenario.begins_at, scenario.ends_at, self._habits)
        by_id = {resident.learner.id: resident for resident in self._residents}
        self._inspector = Inspector(scenario, self._outcome, {job.name: job for job in self._jobs}, by_id)

    def run(self, progress: Progress) -> Outcome:
        """Simulate everything and return what was done.

        Raises:
            InvariantBrokenError: something that must always hold does not.
        """
        started = time.monotonic()
        scenario = self._scenario
        with (
            clock.travelling(scenario.begins_at) as virtual,
            ids.drawn_from(scenario.chance("ids").randbytes),
            closing(self._pulse),
            closing(self._relay),
            self._mail.receiving(),
            psycopg.connect(libpq_url(self._database_url), autocommit=True) as connection,
        ):
            self._set_up(connection)
            with (
                closing(Devices(connection, self._database_url, scenario, self._outcome)) as devices,
                closing(
                    Tryouts(connection, self._database_url, devices.catalogue, scenario.chance("tryouts"))
                ) as tryouts,
            ):
                for at, events in self._timeline.instants():
                    if up_again_at(at, scenario.outages) == at:
                        virtual.move_to(at)
                        if left := self._without_idle(connection, at, events):
                            database.move_to(connection, at)
                            self._idling.forget()
                            self._happen(connection, devices, tryouts, at, left)
                    else:
                        self._miss(at, events)
                    if any(isinstance(event, Inspection) for event in events):
                        progress(at, self._outcome)
            self._move_to(connection, virtual, scenario.ends_at)
            self._inspector.look(connection, "day", self._engine.job)
            self._inspector.look(connection, "month", self._engine.job)
            self._outcome.digest = digest(connection)
        self._outcome.took_s = time.monotonic() - started
        return self._outcome

    def _set_up(self, connection: Connection) -> None:
        begins_at = self._scenario.begins_at
        with connection.transaction():
            database.take_over_time(connection, begins_at)
            connection.execute("SELECT ensure_question_attempts_partitions(%s, 3)", (begins_at.date(),))
            write_content(connection, studied(made_content(seed=1)))
            tell_database(connection, known_tasks(), self._jobs)
            enrol(connection, self._residents)
        for job in self._jobs:
            if job.schedule is not None:
                self._add_period(job.name, periods_after(job.schedule, begins_at))
        for resident in self._residents:
            for move in resident.moves:
                self._timeline.add(move.at, Moved(resident, move))
        for outage in self._scenario.outages:
            for delay in _AFTER_OUTAGE:
                self._timeline.add(outage.ends_at + delay, Tick())
        self._timeline.add(begins_at, NewDay())
        self._timeline.add(begins_at + _INSPECTED_AT, Inspection())
        self._timeline.add(begins_at + _PULSE_FIRST, Tick(again_after=_PULSE_EACH))

    def _add_period(self, job: str, periods: Iterator[datetime]) -> None:
        self._timeline.add(next(periods), Period(job, periods))

    @staticmethod
    def _move_to(connection: Connection, virtual: VirtualClock, at: datetime) -> None:
        virtual.move_to(at)
        database.move_to(connection, at)

    def _without_idle(self, connection: Connection, at: datetime, events: list[Event]) -> list[Event]:
        """Return the events of an instant without the periods that find nothing to do (`worker.simulate.idling`)."""
        left: list[Event] = []
        for event in events:
            if isinstance(event, Period) and self._idling.leaves_out(connection, event.job, at):
                self._outcome.periods[event.job] += 1
                self._outcome.idle[event.job] += 1
                self._add_period(event.job, event.following)
            else:
                left.append(event)
        return left

    def _happen(
        self, connection: Connection, devices: Devices, tryouts: Tryouts, at: datetime, events: list[Event]
    ) -> None:
        """Let everything of one instant happen: what people do first, then what the schedule asks for."""
        gathered = _Gathered()
        for event in events:
            self._gather(connection, tryouts, at, event, gathered)
        if gathered.sittings:
            self._drain(devices.deliver(connection, gathered.sittings), at)
        for job in sorted(gathered.jobs):
            self._idling.starts(connection, job)
            if self._is_lost(at):
                self._idling.misses(job)
            else:
                self._engine.start(job)
        if gathered.must_tick:
            self._idling.settle(connection)
            self._pulse.beat()
        self._mail.work()
        self._relay_due(connection, at)
        if self._engine.look_again_at is not None:
            self._timeline.add(self._engine.look_again_at, Tick())
            self._engine.look_again_at = None

    def _relay_due(self, connection: Connection, at: datetime) -> None:
        """Have the relay look if an outbox entry is due, and again when the next one is."""
        query = load_query("worker.jobs", "next_due")
        row = connection.execute(query).fetchone()
        if row is not None and row[0] <= at:
            self._relay.beat()
            self._mail.work()
            row = connection.execute(query).fetchone()
        if row is not None and row[0] != self._outbox_due_at:
            self._outbox_due_at = row[0]
            self._timeline.add(max(row[0], at + _LOOKS_AGAIN), OutboxDue())

    def _gather(
        self, connection: Connection, tryouts: Tryouts, at: datetime, event: Event, gathered: _Gathered
    ) -> None:
        match event:
            case Period(job):
                self._begin_period(event, at, while_down=False)
                gathered.jobs.append(job)
            case Delivery(sitting):
                gathered.sittings.append(sitting)
            case Tick(again_after):
                gathered.must_tick = True
                if again_after is not None:
                    self._timeline.add(at + again_after, event)
            case Moved(resident, move):
                self._outcome.moves += 1
                connection.execute("UPDATE users SET timezone = %s WHERE id = %s", (move.zone, resident.learner.id))
            case TryoutBegins() | TryoutEnds():
                self._sit(tryouts, at, event)
            case NewDay():
                self._begin_day(at)
                self._timeline.add_all(
                    (begins_at, TryoutBegins(resident)) for begins_at, resident in tryouts.of_day(self._residents, at)
                )
            case Inspection():
                self._inspect(connection, at)

    def _sit(self, tryouts: Tryouts, at: datetime, event: TryoutBegins | TryoutEnds) -> None:
        match event:
            case TryoutBegins(resident):
                self._outcome.sittings += 1
                sitting_id, ends_at = tryouts.begin(resident, at)
                if ends_at is not None:
                    self._timeline.add(ends_at, TryoutEnds(resident, sitting_id))
            case TryoutEnds(resident, sitting_id):
                tryouts.submit(sitting_id, resident, at)

    def _miss(self, at: datetime, events: list[Event]) -> None:
        """Let an instant pass in which everything is down."""
        up_at = up_again_at(at, self._scenario.outages)
        for event in events:
            match event:
                case Period():
                    self._begin_period(event, at, while_down=True)
                    self._idling.misses(event.job)
                case Delivery():  # devices try again after the outage, not all at once
                    self._timeline.add(up_at + timedelta(minutes=self._luck.randrange(1, 60)), event)
                case Moved() | TryoutBegins() | TryoutEnds():
                    self._timeline.add(up_at, event)
                case Tick(again_after):
                    if again_after is not None:
                        self._timeline.add(at + again_after, event)
                case NewDay():
                    self._begin_day(at)
                case Inspection():
                    self._timeline.add(at + _DAY, event)

    def _begin_period(self, period: Period, at: datetime, *, while_down: bool) -> None:
        self._outcome.periods[period.job] += 1
        self._inspector.note(Due(period.job, at, while_down=while_down))
        self._add_period(period.job, period.following)

    def _begin_day(self, at: datetime) -> None:
        for sitting in sittings_of_day(self._residents, at, self._habits):
            self._timeline.add(sitting.delivered_at, Delivery(sitting))
        self._timeline.add(at + _DAY, NewDay())

    def _inspect(self, connection: Connection, at: datetime) -> None:
        self._inspector.look(connection, "day", self._engine.job)
        if at.day in _ANALYZED_ON:
            connection.execute("ANALYZE")  # plans change at instants of ours alone
        if at.day == 1:
            self._inspector.look(connection, "month", self._engine.job)
        self._timeline.add(at + _DAY, Inspection())

    def _drain(self, lanes: int, at: datetime) -> None:
        for lane in range(ids.LANES):
            if lanes >> lane & 1 and not self._is_lost(at):
                self._engine.lane(lane)

    def _is_lost(self, at: datetime) -> bool:
        """Return whether a nudge gets lost; then the pulse has to notice."""
        if self._luck.random() >= LOST_SHARE:
            return False
        self._outcome.lost_nudges += 1
        self._timeline.add(at + _NOTICED_AFTER, Tick())
        return True
