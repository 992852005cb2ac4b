"""Search: how fresh, how fast, and how well it finds.

On one database, in this order:

* quality over the judged set (benchmarks/search_quality.py), on the seeded content;
* freshness: edits at 100/s, each from its COMMIT to the refresh's COMMIT, by the server's own commit time stamps; and
  how long editors waited for their statement, with the refresh at work and without;
* bulk: the refresh of 200,000 imported questions beside one UPDATE that computes the vectors of as many (the limit);
* speed: two-word searches with filters over 1,000,000 questions, each with its ranking, facets, page and highlights,
  beside the bare `@@` query that returns the ids (the limit). The rows beyond the seeded ones are copies of them, so
  that words keep their frequencies.
"""

import asyncio
import random
import statistics
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.due_queue_tables import autocommit
from benchmarks.report import Figure, Report, Table, measured
from benchmarks.search_quality import add_quality
from worker.content.seed import seed_content
from worker.db.engines import driver_url, transaction
from worker.search.finder import Finder
from worker.search.refresh import refresh
from worker.search.refresher import Refresher
from worker.search.store import count_words
from worker.search.throttle import Limits
from worker.search.values import Asked
from worker.settings import get_settings

if TYPE_CHECKING:
    from datetime import datetime

EDITS_PER_SECOND: Final = 100
EDITORS: Final = 4
_COLUMNS: Final = "type, stem, stem_id, options, answer_key, explanation, explanation_id, level, skill, topic, status"
_COPY: Final = f"""
    INSERT INTO questions ({_COLUMNS}, source{{more}})
    SELECT {_COLUMNS}, %(source)s{{more}} FROM questions CROSS JOIN generate_series(1, %(copies)s::int) AS copy
    WHERE source <> ALL (ARRAY['bulk', 'single', 'filled']) LIMIT %(rows)s
"""
_SINGLE: Final = """
    UPDATE questions SET search_vector = question_search_vector(questions, topics)
    FROM (SELECT id AS found, topics FROM questions
          LEFT JOIN question_topics(ARRAY(SELECT id FROM questions WHERE source = 'single')) ON question_id = id
          WHERE source = 'single') AS placed
    WHERE id = found
"""
_RAW: Final = """
    SELECT id FROM questions
    WHERE search_vector
          @@ (websearch_to_tsquery('english', unaccent(:q)) || websearch_to_tsquery('indonesian', unaccent(:q)))
      AND level = :level AND status = 'published'
"""


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
    rows = [
        ["COMMIT to searchable", *_spread(waits)],
        ["an editor's statement, refresh at work", *_spread([s * 1_000 for s in with_refresh.took_s])],
        ["an editor's statement, no refresh", *_spread([s * 1_000 for s in alone.took_s])],
    ]
    columns = ["ms", "median", "99 %", "longest"]
    report.tables.append(Table(f"freshness: {edits:,} edits at {EDITS_PER_SECOND}/s", columns, rows))
    median, late, _ = _spread(waits)
    report.note(f"freshness: median {median:.0f} ms (wanted 200), 99 % {late:.0f} ms (wanted 1,000)")


def bulk(report: Report, rows: int) -> None:
    """Import twice so many rows; compute half of the vectors by one UPDATE, half by the refresh; add the figure."""
    with autocommit() as connection:
        connection.execute("SET session_replication_role = replica")  # no marks
        copies = rows // 17_000 + 1
        connection.execute(_COPY.format(more=""), {"source": "single", "copies": copies, "rows": rows})
        connection.execute("SET session_replication_role = DEFAULT")
        connection.execute("VACUUM ANALYZE questions")
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        connection.execute(_SINGLE)
        single_s = time.perf_counter() - started
        started = time.perf_counter()
        connection.execute(_COPY.format(more=""), {"source": "bulk", "copies": copies, "rows": rows})
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
    done = refresh(max_seconds=3_600, between=between)
    refresh_s = time.perf_counter() - started
    assert done.written == rows
    report.add(
        Figure(
            f"refresh after a bulk import of {rows:,} questions",
            "questions/s",
            ours=measured([rows / refresh_s]),
            limit=measured([rows / single_s]),
            least_of_limit=1 / 1.5,
        )
    )
    report.note(
        f"bulk: one UPDATE {single_s:.1f} s, the refresh {refresh_s:.1f} s = {refresh_s / single_s:.2f} × (wanted 1.5);"
        f" the import itself, with its marks, {import_s:.1f} s; longest batch of the refresh {longest * 1_000:.0f} ms"
    )


def fill(rows: int) -> None:
    """Bring the questions to so many, as copies with their vectors."""
    with autocommit() as connection:
        row = connection.execute("SELECT count(*) FROM questions").fetchone()
        assert row is not None
        missing = rows - row[0]
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("DROP INDEX idx_questions_search")
        values = {"source": "filled", "copies": missing // 17_000 + 1, "rows": missing}
        connection.execute(_COPY.format(more=", search_vector"), values)
        connection.execute(
            "CREATE INDEX idx_questions_search ON questions USING gin (search_vector) WITH (fastupdate = off)"
        )
        connection.execute("VACUUM ANALYZE questions")


def searches(count: int) -> list[tuple[str, str]]:
    """Return two-word searches that find something, each with the level of a question that has both words."""
    chance = random.Random(7)  # reproducible
    with transaction() as connection:
        rows = connection.execute(
            "SELECT level, array(SELECT word FROM unnest(tsvector_to_array(question_words(questions))) AS word"
            " WHERE word ~ '^[a-z]{4,}$' AND to_tsvector('english', word) <> '')"
            " FROM questions WHERE source <> ALL (ARRAY['bulk', 'single', 'filled'])"
            " ORDER BY hashtext(id::text) LIMIT %s",
            [count * 2],
        ).fetchall()
    found = [(" ".join(chance.sample(words, 2)), level) for level, words in rows if len(words) > 1]
    return found[:count]


async def _timed(engine: AsyncEngine, asked: Sequence[tuple[str, str]]) -> tuple[list[float], list[float], list[int]]:
    """Return milliseconds of ours and of the bare query, in turns, and how many each search found."""
    finder = Finder(engine, 60_000)
    ours, raw, totals = [], [], []
    for term, level in asked:
        for is_measured in (False, True):  # once to bring pages into memory
            started = time.perf_counter()
            found = await finder.find(Asked(text=term, levels=(level,)))
            between = time.perf_counter()
            async with engine.connect() as connection:
                ids: Sequence[Any] = (await connection.execute(text(_RAW), {"q": term, "level": level})).all()
            ended = time.perf_counter()
            if is_measured:
                ours.append((between - started) * 1_000)
                raw.append((ended - between) * 1_000)
                totals.append(found.total)
        del ids
    return ours, raw, totals


def speed(report: Report, count: int) -> None:
    """Time searches beside the bare query; add a table and the figure."""
    asked = searches(count)

    async def timed() -> tuple[list[float], list[float], list[int]]:
        engine = create_async_engine(driver_url(get_settings().required_database_url(), "psycopg"), pool_size=1)
        try:
            await _timed(engine, asked[:20])
            return await _timed(engine, asked)
        finally:
            await engine.dispose()

    ours, raw, totals = asyncio.run(timed())
    with transaction() as connection:
        row = connection.execute("SELECT count(*) FROM questions").fetchone()
        assert row is not None
    columns = ["ms", "median", "99 %", "longest"]
    rows = [["ours: rank, facets, page, highlights", *_spread(ours)], ["bare @@, ids only", *_spread(raw)]]
    report.tables.append(Table(f"{len(asked)} two-word filtered searches over {row[0]:,} questions", columns, rows))
    report.note(
        f"speed: median {statistics.median(ours):.1f} ms (wanted 10), 99 % {_spread(ours)[1]:.1f} ms (wanted 50),"
        f" {statistics.median(ours) / statistics.median(raw):.2f} × the bare query by medians,"
        f" {sum(ours) / sum(raw):.2f} × by sums (wanted 1.5); matches: median {statistics.median(totals):,.0f},"
        f" most {max(totals):,}"
    )
    report.add(
        Figure(
            "two-word filtered searches",
            "searches/s",
            ours=measured([1_000 * len(ours) / sum(ours)]),
            limit=measured([1_000 * len(raw) / sum(raw)]),
            least_of_limit=1 / 1.5,
        )
    )


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(len(ordered) * 0.99))
    return round(statistics.median(ordered), 2), round(ordered[at], 2), round(ordered[-1], 2)


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add all; `quick` is small, for the shape of the output only."""
    seconds, rows, total, count = (3, 5_000, 40_000, 60) if quick else (20, 200_000, 1_000_000, 300)
    seed()
    is_best = add_quality(report)
    report.note(f"ours is {'' if is_best else 'NOT '}the best in both languages, by both measures")
    freshness(report, seconds)
    bulk(report, rows)
    fill(total)
    speed(report, count)
