"""The platform's state as PostgreSQL and Redis show it: one cheap look, for Prometheus and for the doctor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from psycopg.rows import class_row

from worker import clock
from worker.db import Connection
from worker.db.queries import load_query
from worker.heartbeats.store import Heartbeat, load_heartbeats
from worker.ids import LANES
from worker.jobs.definition import Job
from worker.jobs.duties import LANE_LOCK_CLASS
from worker.jobs.pulse import LEADER_LOCK
from worker.jobs.punctuality import Punctuality, punctuality_of

if TYPE_CHECKING:
    import redis

_PACKAGE: Final = "worker.metrics"

QUEUES: Final = ("attempts", "default", "batch", "billing", "backups")
COUNTED: Final = 50_000
"""Nothing is counted beyond this: a figure must stay cheap on the day when it matters."""
_RECENT: Final = timedelta(days=1)
_BEAT_LOCK: Final = "elp:redbeat::lock"
_UNACKED: Final = "unacked"


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane of the attempt inbox."""

    lane: int
    attempts: int
    oldest_at: datetime | None
    is_draining: bool


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits in the outbox."""

    waiting: int
    deferred: int
    sent: int
    """And not confirmed yet."""
    parked: int
    """Given up, until an operator retries or discards them."""
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class SearchState:
    """How far search is behind the content."""

    marks: int
    """Of lessons and questions whose vectors are to be computed."""
    oldest_s: float
    """Seconds since the oldest of them was set."""
    is_rolling_out: bool
    """Whether a new definition of the vectors is on its way to all rows."""


@dataclass(frozen=True, slots=True)
class PulseState:
    """Whether some pulse leads, and what the database's clock showed."""

    leads: bool
    clock_at: datetime


@dataclass(frozen=True, slots=True)
class ClockState:
    """How a server's clock compares with this machine's."""

    difference: timedelta
    """The server's less ours, which was taken half-way through the question."""
    trip: timedelta
    """How long the question took: half of it is the comparison's error."""


@dataclass(frozen=True, slots=True)
class BillingState:
    """What waits at one payment gateway."""

    gateway: str
    due: int
    oldest_due_at: datetime | None
    open: int
    """Payments whose outcome is not known."""
    oldest_open_at: datetime | None


@dataclass(frozen=True, slots=True)
class BackupsState:
    """How the backups stand."""

    checked_at: datetime
    restorable_at: datetime | None
    """The newest instant that is known to be restorable."""
    slot_state: str
    retained_bytes: int | None
    """Log that the server keeps for the receiver."""
    problems: int
    newest_at: datetime | None
    proven_at: datetime | None
    """When a backup was last restored and passed every check."""
    restore_ms: int | None
    corrupt: int


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What PostgreSQL knows."""

    jobs: Sequence[Punctuality]
    recent_runs: Sequence[tuple[str, str, int]]
    """Job, state, runs planned in the last day."""
    open_shards: Sequence[tuple[str, str, int]]
    """Job, what they wait for, shards."""
    lanes: Sequence[LaneState]
    outbox: OutboxState
    pulse: PulseState
    clock: ClockState
    heartbeats: Sequence[Heartbeat]
    search: SearchState = SearchState(0, 0.0, is_rolling_out=False)
    billing: Sequence[BillingState] = ()
    breaks: Sequence[tuple[str, str, int, datetime]] = ()
    """Gateway, kind, open breaks of reconciliation, since when the oldest is."""
    settlement_reports: Sequence[tuple[str, date | None]] = ()
    """Gateway, and up to which day of settlement its reports reach."""
    backups: BackupsState | None = None
    """None: no repository was ever looked at."""


@dataclass(frozen=True, slots=True)
class BrokerState:
    """What Redis knows."""

    queues: Mapping[str, int]
    """Messages that wait, by queue."""
    unacknowledged: int
    """Messages that workers have and did not finish."""
    beat_lock_s: float | None
    """Seconds until RedBeat's lock would run out; None: no beat holds it."""
    clock: ClockState


def read_database(connection: Connection, jobs: Sequence[Job], now: datetime) -> DatabaseState:
    """Return what PostgreSQL knows: a dozen small statements, whatever the tables hold."""
    pulse_lock = {"lock_class": LEADER_LOCK[0], "lock_number": LEADER_LOCK[1]}
    lanes = {"lanes": LANES, "lock_class": LANE_LOCK_CLASS, "most": COUNTED}
    asked_at = clock.now()
    with connection.cursor(row_factory=class_row(PulseState)) as cursor:
        (pulse,) = cursor.execute(load_query(_PACKAGE, "pulse"), pulse_lock).fetchall()
    compared = _compared(asked_at, pulse.clock_at)
    with connection.cursor(row_factory=class_row(LaneState)) as cursor:
        lane_states = cursor.execute(load_query(_PACKAGE, "lanes"), lanes).fetchall()
    with connection.cursor(row_factory=class_row(OutboxState)) as cursor:
        (outbox,) = cursor.execute(load_query(_PACKAGE, "outbox"), {"now": now, "most": COUNTED}).fetchall()
    with connection.cursor(row_factory=class_row(SearchState)) as cursor:
        (search,) = cursor.execute(load_query(_PACKAGE, "search"), {"now": now, "most": COUNTED}).fetchall()
    with connection.cursor(row_factory=class_row(BillingState)) as cursor:
        billing = cursor.execute(load_query(_PACKAGE, "billing"), {"now": now, "most": COUNTED}).fetchall()
    with connection.cursor(row_factory=class_row(BackupsState)) as cursor:
        backups = cursor.execute(load_query(_PACKAGE, "backups")).fetchone()
    recent = connection.execute(load_query(_PACKAGE, "recent_runs"), {"since": now - _RECENT}).fetchall()
    shards = connection.execute(load_query(_PACKAGE, "open_shards"), {"now": now}).fetchall()
    return DatabaseState(
        jobs=punctuality_of(connection, jobs, now),
        recent_runs=[(job, state, runs) for job, state, runs in recent],
        open_shards=[(job, doing, count) for job, doing, count in shards],
        lanes=lane_states,
        outbox=outbox,
        pulse=pulse,
        clock=compared,
        heartbeats=load_heartbeats(connection),
        search=search,
        billing=billing,
        breaks=connection.execute(load_query(_PACKAGE, "breaks"), {"most": COUNTED}).fetchall(),
        settlement_reports=connection.execute(load_query(_PACKAGE, "settlement_reports")).fetchall(),
        backups=backups,
    )


def read_broker(client: "redis.Redis") -> BrokerState:
    """Return what Redis knows, in two round trips.

    Raises:
        redis.RedisError: it is away or refuses.
    """
    client.ping()  # what connecting costs is no part of the comparison of clocks
    asked_at = clock.now()
    with client.pipeline(transaction=False) as pipeline:
        for queue in QUEUES:
            pipeline.llen(queue)
        pipeline.hlen(_UNACKED)
        pipeline.pttl(_BEAT_LOCK)
        pipeline.time()
        *depths, unacknowledged, lock_ms, (seconds, microseconds) = pipeline.execute()
    return BrokerState(
        queues=dict(zip(QUEUES, depths, strict=True)),
        unacknowledged=unacknowledged,
        beat_lock_s=lock_ms / 1_000 if lock_ms > 0 else None,
        clock=_compared(asked_at, datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)),
    )


def _compared(asked_at: datetime, shown: datetime) -> ClockState:
    trip = clock.now() - asked_at
    return ClockState(shown - asked_at - trip / 2, trip)
