"""What PostgreSQL and Redis know, as Prometheus reads it. The API serves it; the workers do not."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

import psycopg
import redis
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

import tasks
from worker import clock
from worker.db.engines import libpq_url
from worker.jobs.registry import load_jobs
from worker.logging import get_logger
from worker.metrics.state import BackupsState, BrokerState, DatabaseState, read_broker, read_database
from worker.settings import Settings

_log = get_logger(__name__)

CACHED_S: Final = 5.0
"""Scrapes within this time get the same figures: several Prometheus servers cost no more than one."""
_TIMEOUT_S: Final = 3


class PlatformCollector(Collector):
    """Asks PostgreSQL and Redis at a scrape, each within `_TIMEOUT_S`; one that is away shows as `elp_…_up 0`."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = clock.now) -> None:
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._families: list[Metric] = []
        self._read_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        """Return the figures, at most `CACHED_S` old."""
        with self._lock:
            if time.monotonic() - self._read_at >= CACHED_S:
                now = self._now()
                self._families = [
                    *database_families(self._database(now), now),
                    *broker_families(self._broker()),
                ]
                self._read_at = time.monotonic()
            return self._families

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering asks no server."""
        return []

    def _database(self, now: datetime) -> DatabaseState | None:
        try:
            with psycopg.connect(
                libpq_url(self._settings.required_database_url()),
                application_name="elp-metrics",
                connect_timeout=_TIMEOUT_S,
                options=f"-c statement_timeout={_TIMEOUT_S}s",
            ) as connection:
                return read_database(connection, load_jobs(tasks.MODULES), now)
        except psycopg.Error as error:
            _log.warning("metrics_without_database", error=str(error).strip().splitlines()[0])
            return None

    def _broker(self) -> BrokerState | None:
        if self._settings.redis_url is None:
            return None
        try:
            with redis.Redis.from_url(
                self._settings.redis_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
            ) as client:
                return read_broker(client)
        except redis.RedisError as error:
            _log.warning("metrics_without_redis", error=str(error))
            return None


def database_families(state: DatabaseState | None, now: datetime) -> Iterator[Metric]:
    """Yield what PostgreSQL knows; only `elp_database_up 0` when it could not be asked."""
    yield GaugeMetricFamily("elp_database_up", "PostgreSQL answers", value=state is not None)
    if state is None:
        return
    yield GaugeMetricFamily("elp_pulse_leads", "Some worker's pulse leads", value=state.pulse.leads)
    skew = state.clock.difference.total_seconds()
    yield GaugeMetricFamily("elp_database_clock_skew_seconds", "PostgreSQL's clock less the API machine's", value=skew)
    yield from _job_families(state, now)
    yield from _inbox_families(state, now)
    yield from _outbox_families(state, now)
    yield GaugeMetricFamily(
        "elp_search_marks_waiting", "Marks of changed content that wait, to 50,000", value=state.search.marks
    )
    yield GaugeMetricFamily("elp_search_oldest_mark_seconds", "Age of the oldest of them", value=state.search.oldest_s)
    yield from _billing_families(state, now)
    yield from _reconciliation_families(state, now)
    if state.backups is not None:
        yield from _backup_families(state.backups, now)
    alive = _family("elp_worker_alive", "Heard of within 30 s", "worker")
    consuming = _family("elp_worker_consuming", "Connected to the broker and taking messages", "worker")
    for heartbeat in state.heartbeats:
        alive.add_metric([heartbeat.worker], heartbeat.is_alive(now))
        consuming.add_metric([heartbeat.worker], heartbeat.is_alive(now) and heartbeat.is_consuming)
    yield alive
    yield consuming


def broker_families(state: BrokerState | None) -> Iterator[Metric]:
    """Yield what Redis knows; only `elp_redis_up 0` when it could not be asked."""
    yield GaugeMetricFamily("elp_redis_up", "Redis answers", value=state is not None)
    if state is None:
        return
    depths = _family("elp_queue_messages", "Messages that wait in Redis", "queue")
    for queue, messages in state.queues.items():
        depths.add_metric([queue], messages)
    yield depths
    yield GaugeMetricFamily(
        "elp_queue_unacknowledged_messages", "Messages that workers have and did not finish", value=state.unacknowledged
    )
    yield GaugeMetricFamily("elp_beat_alive", "Some beat holds RedBeat's lock", value=state.beat_lock_s is not None)
    skew = state.clock.difference.total_seconds()
    yield GaugeMetricFamily("elp_redis_clock_skew_seconds", "Redis' clock less the API machine's", value=skew)


def _backup_families(backups: BackupsState, now: datetime) -> Iterator[Metric]:
    """Yield how the backups stand; an age that has no beginning is infinite, so that its alert fires."""

    def age(at: datetime | None) -> float:
        return float("inf") if at is None else (now - at).total_seconds()

    gauges = (
        ("elp_backup_proven_age_seconds", "Since a backup was last restored and checked", age(backups.proven_at)),
        ("elp_backup_age_seconds", "Since the newest backup was finished", age(backups.newest_at)),
        ("elp_backup_restorable_age_seconds", "Since the newest restorable instant", age(backups.restorable_at)),
        ("elp_backup_check_age_seconds", "Since the backups were last looked at", age(backups.checked_at)),
        ("elp_backup_restore_seconds", "What the last proven restore took", (backups.restore_ms or 0) / 1_000),
        ("elp_backup_corrupt", "Backups that are damaged", backups.corrupt),
        ("elp_backup_wal_retained_bytes", "Log that the server keeps for the receiver", backups.retained_bytes or 0),
        ("elp_backup_slot_lost", "The receiver's slot is missing or lost", backups.slot_state in {"missing", "lost"}),
    )
    for name, text, value in gauges:
        yield GaugeMetricFamily(name, text, value=value)


def _job_families(state: DatabaseState, now: datetime) -> Iterator[Metric]:
    lag = _family("elp_job_lag_seconds", "Now less the last period the job succeeded for", "job")
    behind = _family("elp_job_periods_behind", "Periods since the last one it succeeded for, to 100", "job")
    failing = _family("elp_job_latest_run_failed", "The newest period's run failed", "job")
    paused = _family("elp_job_paused", "An operator paused it", "job")
    for job in state.jobs:
        paused.add_metric([job.job], job.is_paused)
        if (lagging := job.lag(now)) is not None:
            lag.add_metric([job.job], lagging.total_seconds())
        if job.last_period is not None:
            behind.add_metric([job.job], job.behind)
        failing.add_metric([job.job], job.latest_state == "failed")
    runs = _family("elp_job_runs", "Runs planned in the last day", "job", "state")
    for name, run_state, count in state.recent_runs:
        runs.add_metric([name, run_state], count)
    shards = _family("elp_job_open_shards", "Shards of unfinished runs", "job", "state")
    for name, doing, count in state.open_shards:
        shards.add_metric([name, doing], count)
    yield from (lag, behind, failing, paused, runs, shards)


def _inbox_families(state: DatabaseState, now: datetime) -> Iterator[Metric]:
    depth = _family("elp_inbox_attempts", "Attempts that wait to be graded, to 50,000", "lane")
    age = _family("elp_inbox_oldest_seconds", "Age of the oldest of them", "lane")
    for lane in state.lanes:
        depth.add_metric([str(lane.lane)], lane.attempts)
        age.add_metric([str(lane.lane)], _age(lane.oldest_at, now))
    yield depth
    yield age


def _outbox_families(state: DatabaseState, now: datetime) -> Iterator[Metric]:
    entries = _family("elp_outbox_entries", "Entries that are not done, to 50,000", "state")
    for name in ("waiting", "deferred", "sent", "parked"):
        entries.add_metric([name], getattr(state.outbox, name))
    yield entries
    yield GaugeMetricFamily(
        "elp_outbox_oldest_seconds",
        "How long the oldest entry that is not done has been due",
        value=_age(state.outbox.oldest_at, now),
    )


def _billing_families(state: DatabaseState, now: datetime) -> Iterator[Metric]:
    due = _family("elp_billing_due_subscriptions", "Subscriptions that are to be charged now, to 50,000", "gateway")
    oldest_due = _family("elp_billing_oldest_due_seconds", "How long the oldest of them has been due", "gateway")
    unknown = _family("elp_billing_unknown_payments", "Payments whose outcome is not known, to 50,000", "gateway")
    oldest = _family("elp_billing_oldest_unknown_seconds", "Since when the oldest of them is not known", "gateway")
    for each in state.billing:
        due.add_metric([each.gateway], each.due)
        oldest_due.add_metric([each.gateway], _age(each.oldest_due_at, now))
        unknown.add_metric([each.gateway], each.open)
        oldest.add_metric([each.gateway], _age(each.oldest_open_at, now))
    yield from (due, oldest_due, unknown, oldest)


def _reconciliation_families(state: DatabaseState, now: datetime) -> Iterator[Metric]:
    breaks = _family("elp_reconciliation_breaks", "Open breaks, to 50,000", "gateway", "kind")
    oldest = _family("elp_reconciliation_oldest_break_seconds", "Age of the oldest of them", "gateway", "kind")
    for gateway, kind, count, oldest_at in state.breaks:
        breaks.add_metric([gateway, kind], count)
        oldest.add_metric([gateway, kind], _age(oldest_at, now))
    reports = _family(
        "elp_settlement_report_age_days", "Days since the newest day of settlement that reports reach", "gateway"
    )
    for gateway, covered_until in state.settlement_reports:
        if covered_until is not None:
            reports.add_metric([gateway], (now.date() - covered_until).days)
    yield from (breaks, oldest, reports)


def _age(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max(0.0, (now - instant).total_seconds())


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)
