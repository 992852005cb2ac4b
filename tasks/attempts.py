"""The task that works on attempts."""

import time

import structlog

from worker import tracing
from worker.app import nudge, task
from worker.attempts.drain import DrainReport, drain_lane
from worker.logging import get_logger
from worker.metrics import metrics
from worker.settings import get_settings

_log = get_logger(__name__)


@task("attempts.drain", queue="attempts", acks_late=True)
def drain(lane: int) -> None:
    """Process what waits in a lane of the inbox; hand the rest over when others should have their turn."""
    with structlog.contextvars.bound_contextvars(lane=lane), tracing.span("drain", {"lane": lane}):
        _drain(lane)


def _drain(lane: int) -> None:
    started = time.perf_counter()
    report = drain_lane(lane, batch_size=get_settings().drain_batch_size)
    if report.taken:
        _count(report, time.perf_counter() - started)
        _log.info(
            "lane_drained",
            batches=report.batches,
            graded=report.graded,
            duplicates=report.duplicates,
            rejected=dict(report.rejected),
            retries=report.retries,
            is_empty=report.is_empty,
        )
    if not (report.is_empty or report.was_busy):
        nudge("attempts.drain", lane, queue="attempts")


def _count(report: DrainReport, seconds: float) -> None:
    counters = metrics()
    counters.drain_batches.inc(report.batches)
    counters.drain_retries.inc(report.retries)
    counters.drain_seconds.observe(seconds)
    counters.drained.labels("graded").inc(report.graded)
    counters.drained.labels("duplicate").inc(report.duplicates)
    counters.drained.labels("rejected").inc(report.rejected.total())
    for reason, attempts in report.rejected.items():
        counters.rejected.labels(reason).inc(attempts)
