"""Tryouts: scoring what is submitted, and the jobs that close, score, rescore, calibrate and look for signals."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from worker import clock
from worker.app import nudge, task
from worker.errors import ElpError
from worker.jobs import Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.nudges import publish_scoring
from worker.settings import get_settings
from worker.tryouts import signal_store, store
from worker.tryouts.score import BATCH_SIZE, ScoreReport, rescore, score_batch, score_waiting

_log = get_logger(__name__)

CLOSED_TOGETHER: Final = 10_000
RESCORED_TOGETHER: Final = 1_000
SCORED_TOGETHER: Final = 20_000
"""Sittings that one run of `tryouts.score` takes at most; it commits them together."""
LOOK_BACK: Final = timedelta(days=7)
"""Sittings this far back are compared with those of the last day."""
_TURN_S: Final = 20.0
"""Seconds after which a scorer hands the rest over, so that other work of its queue gets a turn."""


class MissingParameterError(ElpError):
    """A run was started without what it needs to know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the run needs the parameter {name}: start it with `elp tryouts rescore`")


@task("tryouts.score_waiting", queue="attempts", acks_late=True)
def score() -> None:
    """Score what was submitted; hand the rest over when others should have their turn."""
    stop_at = time.monotonic() + _TURN_S
    report = score_waiting(go_on=lambda: time.monotonic() < stop_at)
    if report.scored:
        _log.info("tryouts_scored", scored=report.scored)
    if time.monotonic() >= stop_at:
        nudge("tryouts.score_waiting", queue="attempts")


def plan_scoring(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if a sitting waits: most minutes none does, and the run ends without a worker."""
    if store.is_any_unscored(planning.connection):
        yield {}


@job("tryouts.score", schedule="* * * * *", planner=plan_scoring)
def score_left_over(shard: Shard) -> int:
    """Score whatever is over and was not scored when it was submitted: the net under the nudges."""
    report = ScoreReport()
    while report.scored < SCORED_TOGETHER:
        if score_batch(shard.connection, report, BATCH_SIZE, clock.now()) < BATCH_SIZE:
            break
    return report.scored


def _closed_before(period: datetime) -> datetime:
    return period - timedelta(seconds=get_settings().tryout_grace_seconds)


def plan_expiry(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if a sitting's deadline and grace have passed."""
    if store.is_any_overdue(planning.connection, closed_before=_closed_before(planning.period)):
        yield {}


@job("tryouts.expire", schedule="* * * * *", planner=plan_expiry)
def expire(shard: Shard) -> int:
    """Close the sittings whose deadline and grace have passed, and have them scored."""
    closed_before = _closed_before(shard.period)
    closed = total = store.expire(shard.connection, closed_before=closed_before, limit=CLOSED_TOGETHER)
    while closed == CLOSED_TOGETHER:
        closed = store.expire(shard.connection, closed_before=closed_before, limit=CLOSED_TOGETHER)
        total += closed
    if total:
        shard.after_commit(publish_scoring)
    return total


def plan_rescore(planning: Planning) -> Iterator[Bounds]:
    """Cut the scored sittings of the parameter `question_set_id` into ranges of ids."""
    set_id = planning.parameters.get("question_set_id")
    if set_id is None:
        raise MissingParameterError("question_set_id")
    for first, last in store.rescore_ranges(planning.connection, UUID(set_id), RESCORED_TOGETHER):
        yield {"first": str(first), "last": str(last)}


@job("tryouts.rescore", queue="batch", planner=plan_rescore)
def rescore_set(shard: Shard) -> int:
    """Score a set's sittings again, after its answer key or scheme was corrected; earlier scores are kept."""
    seen, changed = rescore(
        shard.connection,
        UUID(shard.parameters["question_set_id"]),
        UUID(shard.bounds["first"]),
        UUID(shard.bounds["last"]),
        run_id=shard.run_id,
        reason=shard.parameters.get("reason", "rescored"),
        now=clock.now(),
    )
    for change in changed:
        shard.show(change)
    _log.info("tryouts_rescored", run_id=str(shard.run_id), seen=seen, changed=len(changed))
    return len(changed)


@job("tryouts.calibrate", schedule="30 19 * * *", queue="batch", time_limit_s=800)
def calibrate(shard: Shard) -> int:
    """Estimate each question's parameters from all tryouts, flag the bad ones, and add abilities that are missing."""
    from worker.tryouts.calibrate import calibrate_all  # noqa: PLC0415  no other task needs NumPy's matrices

    report = calibrate_all(shard.connection, run_id=shard.run_id, now=clock.now())
    _log.info(
        "tryouts_calibrated",
        questions=report.calibrated,
        changed=report.changed,
        flagged=report.flagged,
        too_few=report.too_few,
        groups=report.groups,
        abilities=report.abilities,
    )
    return report.calibrated


def plan_signals(planning: Planning) -> Iterator[Bounds]:
    """Yield one shard for speed, and one for each set with sittings scored within the last day."""
    yield {"kind": "impossible_speed"}
    for set_id in signal_store.sets_scored(planning.connection, planning.period - timedelta(days=1), planning.period):
        yield {"kind": "similar_answers", "question_set_id": str(set_id)}


@job("tryouts.find_signals", schedule="0 20 * * *", queue="batch", planner=plan_signals)
def find_signals(shard: Shard) -> int:
    """Look for impossibly fast and improbably similar sittings, for people to judge; nothing is decided by it."""
    after, until = shard.period - LOOK_BACK, shard.period
    if shard.bounds["kind"] == "impossible_speed":
        found = signal_store.fast_findings(shard.connection, until - timedelta(days=1), until)
    else:
        found = signal_store.similar_findings(shard.connection, UUID(shard.bounds["question_set_id"]), after, until)
    return signal_store.save(shard.connection, found, clock.now())
