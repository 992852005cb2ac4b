"""Jobs of spaced repetition."""

from collections.abc import Iterator
from uuid import UUID

from worker import clock
from worker.jobs import SAMPLES, Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.settings import get_settings
from worker.srs import store
from worker.srs.due_queue import local_days
from worker.srs.due_queue_cache import cache_queues

_log = get_logger(__name__)


def plan_due_queues(planning: Planning) -> Iterator[Bounds]:
    """Cut the learners who lack a queue for their local day into ranges of ids."""
    days = local_days(store.day_rules(planning.connection), planning.period)
    if days.learners_in_unknown_zones:
        _log.warning("unknown_time_zones", learners=days.learners_in_unknown_zones)
    for first, last in store.due_queue_ranges(planning.connection, days, get_settings().due_queue_shard_users):
        yield {"first": str(first), "last": str(last)}


@job("srs.build_due_queues", schedule="*/15 * * * *", queue="batch", planner=plan_due_queues, parameters={})
def build_due_queues(shard: Shard) -> int:
    """Build the day's queue of each learner whose local day has begun.

    Which day that is follows from the run's period, so a late or repeated run builds what it would have built in time.
    """
    first, last = UUID(shard.bounds["first"]), UUID(shard.bounds["last"])
    days = local_days(store.day_rules(shard.connection, first, last), shard.period)
    built = store.build_due_queues(shard.connection, days, first, last, run_id=shard.run_id, now=clock.now())
    for user_id, local_date, _ in built[:SAMPLES]:
        shard.show({"user_id": str(user_id), "local_date": local_date.isoformat()})
    shard.after_commit(lambda: cache_queues(built))
    return len(built)
