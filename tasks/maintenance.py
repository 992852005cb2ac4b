"""Jobs that keep the database in shape."""

from datetime import UTC

from worker.jobs import Shard, job

_MONTHS_AHEAD = 3


@job("attempts.ensure_partitions", schedule="10 1 * * *")
def ensure_attempt_partitions(shard: Shard) -> int:
    """Create the coming months' partitions of question_attempts."""
    first_day = shard.period.astimezone(UTC).date()
    row = shard.connection.execute(
        "SELECT ensure_question_attempts_partitions(%s, %s)", (first_day, _MONTHS_AHEAD)
    ).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
