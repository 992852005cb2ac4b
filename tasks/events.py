"""Jobs of the event feed."""

from datetime import timedelta
from typing import Final

from worker.events import store
from worker.jobs import Shard, job
from worker.settings import get_settings

_PRUNED_TOGETHER: Final = 50_000
"""Events that one run deletes at most: some seconds; the next run goes on."""


@job("events.prune", schedule="20 * * * *")
def prune_events(shard: Shard) -> int:
    """Delete app events that are older than what is kept."""
    before = shard.period - timedelta(days=get_settings().events_keep_days)
    return store.prune(shard.connection, before, _PRUNED_TOGETHER)
