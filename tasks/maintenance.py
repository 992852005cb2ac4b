"""Jobs that keep the database in shape."""

from datetime import UTC, timedelta

from worker.jobs import Shard, job
from worker.jobs.outbox import prune
from worker.settings import get_settings

_MONTHS_AHEAD = 3


@job("attempts.ensure_partitions", schedule="10 1 * * *")
def ensure_attempt_partitions(shard: Shard) -> int:
    """Create the coming months' partitions of question_attempts."""
    first_day = shard.period.astimezone(UTC).date()
    row = shard.connection.execute(
        "SELECT ensure_question_attempts_partitions(%s, %s)", (first_day, _MONTHS_AHEAD)
    ).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


@job("jobs.prune_outbox", schedule="40 * * * *")
def prune_outbox(shard: Shard) -> int:
    """Delete the outbox entries that were done long enough ago."""
    return prune(shard.connection, shard.period - timedelta(hours=get_settings().outbox_keep_hours))
