"""Search: how well it finds, and how fresh it is.

On one database, in this order:

* quality over the judged set (benchmarks/search_quality.py), on the seeded content;
* freshness: edits at 100/s, each from its COMMIT to the refresh's COMMIT, by the server's own commit time stamps; and
  how long editors waited for their statement, with the refresh at work and without.
"""

import statistics
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from benchmarks.due_queue_tables import autocommit
from benchmarks.report import Report, Table
from benchmarks.search_quality import add_quality
from worker.content.seed import seed_content
from worker.db.engines import transaction
from worker.search.refresh import refresh
from worker.search.refresher import Refresher
from worker.search.store import count_words
from worker.search.throttle import Limits
from worker.settings import get_settings

if TYPE_CHECKING:
    from datetime import datetime

EDITS_PER_SECOND: Final = 100
EDITORS: Final = 4


def seed() -> None:
    """Make the seeded content, its vectors and words."""
    with transaction() as connection:
        seed_content(connection, 1)
    refresh(max_seconds=600)
    with transaction() as connection:
        count_words(connection)
    with autocommit() as connection:
        connection.execute("VACUUM ANALYZE questions, lessons, lesson_questions, search_words")


class Edits:
    """Editors at work: each statement a commit, at a steady rate."""

    def __init__(self, ids: Sequence[UUID]) -> None:
        self._ids = ids
        self.took_s: list[float] = []

    def run(self) -> None:
        """Edit each question once."""
        threads = [threading.Thread(target=self._edit, args=[number]) for number in range(EDITORS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _edit(self, number: int) -> None:
        with autocommit() as connection:
            begun_at = time.perf_counter()
            for step, object_id in enumerate(self._ids[number::EDITORS]):
                due = begun_at + step * EDITORS / EDITS_PER_SECOND
                time.sleep(max(0.0, due - time.perf_counter()))
                started = time.perf_counter()
                connection.execute(
                    "UPDATE questions SET stem = stem || ' edited', source = %s WHERE id = %s",
                    [f"edit {step}", object_id],
                )
                self.took_s.append(time.perf_counter() - started)


def freshness(report: Report, seconds: int) -> None:
    """Edit for so many seconds with the refresher at work, and again without it; add a table."""
    edits = seconds * EDITS_PER_SECOND
    with autocommit() as connection:
        rows = connection.execute("SELECT id FROM questions ORDER BY hashtext(id::text) LIMIT %s", [edits]).fetchall()
        ids = [object_id for (object_id,) in rows]
        refresher = Refresher(get_settings().required_database_url(), Limits(0, 0))
        refresher.start()
        while not refresher.is_leader:
            time.sleep(0.1)
        # The edit's own commit is kept in a row version of another table: the question's is replaced by the refresh.
        connection.execute("CREATE TABLE bench_edits (id uuid PRIMARY KEY)")
        connection.execute(
            "CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO bench_edits VALUES (NEW.id); RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE TRIGGER bench_note AFTER UPDATE OF stem ON questions FOR EACH ROW EXECUTE FUNCTION bench_note()"
        )
        with_refresh = Edits(ids)
        with_refresh.run()
        while connection.execute("SELECT count(*) FROM search_dirty").fetchone() != (0,):
            time.sleep(0.1)
        refresher.stop()
        pairs: list[tuple[datetime, datetime]] = connection.execute(
            "SELECT pg_xact_commit_timestamp(edit.xmin), pg_xact_commit_timestamp(question.xmin)"
            " FROM bench_edits AS edit JOIN questions AS question USING (id)"
        ).fetchall()
        connection.execute("DROP TRIGGER bench_note ON questions")
        alone = Edits(ids)
        alone.run()
    refresh(max_seconds=600)
    waits = [(fresh - edited).total_seconds() * 1_000 for edited, fresh in pairs]
    assert len(waits) == edits
    table: list[list[str | float]] = [
        ["COMMIT to searchable", *spread(waits)],
        ["an editor's statement, refresh at work", *spread([s * 1_000 for s in with_refresh.took_s])],
        ["an editor's statement, no refresh", *spread([s * 1_000 for s in alone.took_s])],
    ]
    columns = ["ms", "median", "99 %", "longest"]
    report.tables.append(Table(f"freshness: {edits:,} edits at {EDITS_PER_SECOND}/s", columns, table))
    median, late, _ = spread(waits)
    report.note(f"freshness: median {median:.0f} ms (wanted 200), 99 % {late:.0f} ms (wanted 1,000)")


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(len(ordered) * 0.99))
    return round(statistics.median(ordered), 2), round(ordered[at], 2), round(ordered[-1], 2)


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add all; `quick` is small, for the shape of the output only."""
    seed()
    is_best = add_quality(report)
    report.note(f"ours is {'' if is_best else 'NOT '}the best in both languages, by both measures")
    freshness(report, 3 if quick else 20)
