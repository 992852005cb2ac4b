"""Jobs that keep the database in shape."""

from datetime import UTC

from worker.jobs import Shard, job

_MONTHS_AHEAD = 3


@job("attempts.ensure_partitions", schedule="10 1 * * *", parameters={})
def ensure_attempt_partitions(shard: Shard) -> int:
    """Create the coming months' partitions of question_attempts."""
    first_day = shard.period.astimezone(UTC).date()
    row = shard.connection.execute(
        "SELECT ensure_question_attempts_partitions(%s, %s)", (first_day, _MONTHS_AHEAD)
    ).fetchone()
    created = 0 if row is None or row[0] is None else int(row[0])
    shard.show({"partitions": created, "from": first_day.isoformat(), "months_ahead": _MONTHS_AHEAD})
    return created
