"""How long the ledger remembers: old runs become a line a job and day, and are deleted."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from worker.db import Connection
from worker.db.queries import load_query


def days_to_prune(connection: Connection, before: datetime) -> Iterator[date]:
    """Yield the days (UTC) that ended before an instant, from that of the oldest run on; two looks into an index."""
    row = connection.execute("SELECT min(finished_at) FROM job_runs WHERE finished_at IS NOT NULL").fetchone()
    if row is None or row[0] is None:
        return
    day, end = row[0].astimezone(UTC).date(), before.astimezone(UTC).date()
    while day < end:
        yield day
        day += timedelta(days=1)


def prune_day(connection: Connection, day: date) -> int:
    """Summarise and delete the runs that ended on a day (UTC); return how many."""
    first = datetime.combine(day, time(), tzinfo=UTC)
    values = {"first": first, "last": first + timedelta(days=1)}
    row = connection.execute(load_query("worker.jobs", "prune_runs"), values).fetchone()
    assert row is not None, "a count is always returned"
    return int(row[0])
