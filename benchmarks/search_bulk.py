"""The refresh after a bulk import, beside one UPDATE that computes the vectors of as many questions (the limit).

Both on the same table, the UPDATE first, so that the refresh works on the larger index.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.due_queue_tables import autocommit
from benchmarks.report import Figure, Report, Table, measured
from benchmarks.search import EDITS_PER_SECOND, seed, spread
from worker.search.refresh import refresh

COLUMNS: Final = "type, stem, stem_id, options, answer_key, explanation, explanation_id, level, skill, topic, status"
COPY: Final = f"""
    INSERT INTO questions ({COLUMNS}, source{{more}})
    SELECT {COLUMNS}, %(source)s{{more}} FROM questions CROSS JOIN generate_series(1, %(copies)s::int) AS copy
    WHERE source <> ALL (ARRAY['bulk', 'single', 'filled']) LIMIT %(rows)s
"""
"""Copies of the seeded questions under another source, perhaps with more columns."""
_SINGLE: Final = """
    UPDATE questions SET search_vector = question_search_vector(questions, topics)
    FROM (SELECT id AS found, topics FROM questions
          LEFT JOIN question_topics(ARRAY(SELECT id FROM questions WHERE source = 'single')) ON question_id = id
          WHERE source = 'single') AS placed
    WHERE id = found
"""


@dataclass
class Edits:
    """What edits took, each in milliseconds."""

    lock_ms: list[float] = field(default_factory=list)
    """Until the row was the editor's: what others' locks cost them."""
    whole_ms: list[float] = field(default_factory=list)
    """From BEGIN to COMMIT: besides, the row's entries in all indexes, and the disk."""


@contextmanager
def editing() -> Iterator[Edits]:
    """Edit imported questions, one after the other, until the end of the block; yield what each edit took.

    An edit changes no text, so it marks nothing; it needs the lock of a row that the refresh may be writing.
    """
    edits = Edits()
    stopped = threading.Event()
    with autocommit() as connection:
        rows = connection.execute(
            "SELECT id FROM questions WHERE source = 'bulk' ORDER BY hashtext(id::text)"
        ).fetchall()

    def edit() -> None:
        with autocommit() as own:
            for (object_id,) in rows:
                started = time.perf_counter()
                with own.transaction():
                    own.execute("SELECT FROM questions WHERE id = %s FOR NO KEY UPDATE", [object_id])
                    edits.lock_ms.append((time.perf_counter() - started) * 1_000)
                    own.execute("UPDATE questions SET difficulty = 2 WHERE id = %s", [object_id])
                edits.whole_ms.append((time.perf_counter() - started) * 1_000)
                if stopped.wait(1 / EDITS_PER_SECOND):
                    return

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        yield edits
    finally:
        stopped.set()
        thread.join()


def bulk(report: Report, rows: int) -> None:
    """Import twice so many rows; compute half of the vectors by one UPDATE, half by the refresh; add the figure."""
    with autocommit() as connection:
        connection.execute("SET session_replication_role = replica")  # no marks
        copies = rows // 17_000 + 1
        connection.execute(COPY.format(more=""), {"source": "single", "copies": copies, "rows": rows})
        connection.execute("SET session_replication_role = DEFAULT")
        connection.execute("VACUUM ANALYZE questions")
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        connection.execute(_SINGLE)
        single_s = time.perf_counter() - started
        started = time.perf_counter()
        connection.execute(COPY.format(more=""), {"source": "bulk", "copies": copies, "rows": rows})
        import_s = time.perf_counter() - started
        connection.execute("VACUUM ANALYZE questions")
        connection.execute("CHECKPOINT")
    longest = 0.0
    before = time.perf_counter()

    def between(_: object) -> None:
        nonlocal longest, before
        longest = max(longest, time.perf_counter() - before)
        before = time.perf_counter()

    started = time.perf_counter()
    with editing() as edits:
        written = 0
        while written < rows:  # a row that was edited just then keeps its mark for the next time
            written += refresh(max_seconds=3_600, between=between).written
    refresh_s = time.perf_counter() - started
    report.add(
        Figure(
            f"refresh after a bulk import of {rows:,} questions",
            "questions/s",
            ours=measured([rows / refresh_s]),
            limit=measured([rows / single_s]),
            least_of_limit=1 / 1.5,
        )
    )
    table: list[list[str | float]] = [
        ["an editor gets the lock of one of the rows", *spread(edits.lock_ms)],
        ["the whole edit, BEGIN to COMMIT", *spread(edits.whole_ms)],
    ]
    report.tables.append(Table("meanwhile", ["ms", "median", "99 %", "longest"], table))
    report.note(
        f"bulk: one UPDATE {single_s:.1f} s, the refresh {refresh_s:.1f} s = {refresh_s / single_s:.2f} × (wanted 1.5);"
        f" the import itself, with its marks, {import_s:.1f} s; longest batch of the refresh {longest * 1_000:.0f} ms"
    )


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figure; `quick` is small, for the shape of the output only."""
    seed()
    bulk(report, 5_000 if quick else 200_000)
