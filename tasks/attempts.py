"""The task that works on attempts."""

from worker.app import nudge, task
from worker.attempts.drain import drain_lane
from worker.logging import get_logger
from worker.settings import get_settings

_log = get_logger(__name__)


@task("attempts.drain", queue="attempts", acks_late=True)
def drain(lane: int) -> None:
    """Process what waits in a lane of the inbox; hand the rest over when others should have their turn."""
    report = drain_lane(lane, batch_size=get_settings().drain_batch_size)
    if report.taken:
        _log.info(
            "lane_drained",
            lane=lane,
            batches=report.batches,
            graded=report.graded,
            duplicates=report.duplicates,
            rejected=dict(report.rejected),
            retries=report.retries,
            is_empty=report.is_empty,
        )
    if not (report.is_empty or report.was_busy):
        nudge("attempts.drain", lane, queue="attempts")
