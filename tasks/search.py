"""Jobs of search: the net under the refresher, the nightly check, and the count of words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from worker.jobs import Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.search import store
from worker.search.refresh import refresh

_log = get_logger(__name__)

LEFT_OVER: Final = timedelta(seconds=10)
"""Marks older than this were left by the refresher."""
TURN_S: Final = 30.0
"""Seconds after which a run of the net leaves the rest to the next minute's."""
ROWS: Final = 10_000
"""Rows in a shard of the check: two seconds where all are looked at."""
SAMPLE: Final = 0.02
SUNDAY: Final = 6
NIGHTLY: Final = (19, 0)
"""Hour and minute, UTC, at which words are counted in any case: those that went away are forgotten."""
_LOGGED: Final = 10


def plan_refresh(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if marks were left, or a new definition is not rolled out: most minutes neither is."""
    if store.is_any_left(planning.connection, marked_before=planning.period - LEFT_OVER):
        yield {}


@job("search.refresh", schedule="* * * * *", planner=plan_refresh, concurrency=1, parameters={})
def refresh_left_over(shard: Shard) -> int:
    """Work off the marks that no worker's refresher took, in small transactions of their own; count vectors written."""
    if shard.is_dry_run:
        shard.show({"marks": store.marks(shard.connection)})
        return 0
    done = refresh(max_seconds=TURN_S)
    if done.marks:
        _log.info("search_refreshed", marks=done.marks, written=done.written, held=done.held)
    return done.written


def plan_check(planning: Planning) -> Iterator[Bounds]:
    """Cut all lessons and questions into ranges of ids; none while a new definition is being rolled out."""
    if store.is_any_outdated(planning.connection):
        return
    for kind, first, last in store.id_ranges(planning.connection, ROWS):
        yield {"kind": kind, "first": str(first), "last": str(last)}


@job(
    "search.check",
    schedule="40 18 * * *",
    queue="batch",
    planner=plan_check,
    parameters={"all": "true: every vector, not only the day's fiftieth (as on Sundays)"},
)
def check(shard: Shard) -> int:
    """Compute vectors anew, report those that are not what they should be though no mark says so, and heal them.

    A fiftieth each day, another one each time, and all on Sundays; what counts as drift is a fault of ours.
    """
    everything = shard.parameters.get("all", shard.period.weekday() == SUNDAY)
    looked_at, drifted = store.check(
        shard.connection,
        shard.bounds["kind"],
        UUID(shard.bounds["first"]),
        UUID(shard.bounds["last"]),
        share=1.0 if everything else SAMPLE,
        salt=shard.period.toordinal(),
    )
    for object_id in drifted[:_LOGGED]:
        _log.error("search_vector_drifted", kind=shard.bounds["kind"], id=str(object_id))
        shard.show({"kind": shard.bounds["kind"], "id": str(object_id)})
    if drifted:
        _log.error("search_drift", kind=shard.bounds["kind"], looked_at=looked_at, drifted=len(drifted))
    return len(drifted)


def plan_words(planning: Planning) -> Iterator[Bounds]:
    """Yield the one shard if a bulk change left words uncounted, and at night."""
    is_nightly = (planning.period.hour, planning.period.minute) == NIGHTLY
    if is_nightly or store.are_words_due(planning.connection):
        yield {}


@job("search.count_words", schedule="*/10 * * * *", queue="batch", planner=plan_words, time_limit_s=1_800)
def count_words(shard: Shard) -> int:
    """Count the words of all lessons and questions: those that misspelt ones are corrected to."""
    return store.count_words(shard.connection)
