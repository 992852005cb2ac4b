"""Two-word searches with filters over 1,000,000 questions, beside the bare `@@` query that returns the ids (the limit).

Ours comes with its ranking, facets, page and highlights. The rows beyond the seeded ones are copies of them, so that
words keep their frequencies: each search finds some hundred questions.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.due_queue_tables import autocommit
from benchmarks.report import Figure, Report, Table, measured
from benchmarks.search import seed, spread
from benchmarks.search_bulk import COPY
from worker.api.reading import create_engine, create_search_engine
from worker.db.engines import transaction
from worker.search.finder import Finder
from worker.search.values import Asked
from worker.settings import get_settings

RARE: Final = 0.01
"""The share of questions below which a word tells something; others belong to the patterns that stems are made of."""
_RAW: Final = """
    SELECT id FROM questions
    WHERE search_vector
          @@ (websearch_to_tsquery('english', unaccent(:q)) || websearch_to_tsquery('indonesian', unaccent(:q)))
      AND level = :level AND status = 'published'
"""

_WORDS: Final = """
    WITH seeded AS MATERIALIZED (
        SELECT id, level, question_words(questions) AS words FROM questions
        WHERE source <> ALL (ARRAY['bulk', 'single', 'filled'])
    ),
    known AS MATERIALIZED (
        SELECT word FROM (SELECT unnest(tsvector_to_array(words)) AS word FROM seeded) AS each
        WHERE word ~ '^[a-z]{4,}$' AND to_tsvector('english', word) <> ''
        GROUP BY word HAVING count(*) < %(rarest)s * (SELECT count(*) FROM seeded)
    )
    SELECT level, array(SELECT word FROM unnest(tsvector_to_array(words)) AS word JOIN known USING (word) ORDER BY word)
    FROM seeded ORDER BY hashtext(id::text) LIMIT %(count)s
"""
"""The words of some questions, with their levels."""


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
        connection.execute(COPY.format(more=", search_vector"), values)
        connection.execute(
            "CREATE INDEX idx_questions_search ON questions USING gin (search_vector) WITH (fastupdate = off)"
        )
        connection.execute("VACUUM ANALYZE questions")


def searches(count: int, rarest: float = 1.0) -> list[tuple[str, str]]:
    """Return two-word searches that find something, each with the level of a question that has both words.

    Args:
        count: how many.
        rarest: only words that fewer than this share of the seeded questions have.
    """
    chance = random.Random(7)  # reproducible
    with transaction() as connection:
        rows = connection.execute(_WORDS, {"count": count * 3, "rarest": rarest}).fetchall()
    found = [(" ".join(chance.sample(words, 2)), level) for level, words in rows if len(words) > 1]
    return found[:count]


async def _timed(
    search_engine: AsyncEngine, engine: AsyncEngine, asked: Sequence[tuple[str, str]]
) -> tuple[list[float], list[float], list[int]]:
    """Return milliseconds of ours and of the bare query, in turns, and how many each search found."""
    finder = Finder(search_engine)
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

    async def timed(asked: Sequence[tuple[str, str]]) -> tuple[list[float], list[float], list[int]]:
        search_engine, engine = create_search_engine(get_settings()), create_engine(get_settings())
        try:
            return await _timed(search_engine, engine, asked)
        finally:
            await search_engine.dispose()
            await engine.dispose()

    with transaction() as connection:
        row = connection.execute("SELECT count(*) FROM questions").fetchone()
        assert row is not None
    table: list[list[str | float]] = []
    for what, asked in (
        (f"{count} of words in less than 1 % of the questions", searches(count, RARE)),
        (f"{count // 15} of any words, those of the stems' patterns included", searches(count // 15)),
    ):
        ours, raw, totals = asyncio.run(timed(asked))
        found = f"median {statistics.median(totals):,.0f} matches, most {max(totals):,}"
        table.append([f"{what}: ours ({found})", *spread(ours), round(sum(ours) / sum(raw), 2)])
        table.append([f"{what}: bare @@, ids only", *spread(raw), 1])
        report.note(
            f"{what}: median {statistics.median(ours):.1f} ms (wanted 10), 99 % {spread(ours)[1]:.1f} ms (wanted 50),"
            f" {statistics.median(ours) / statistics.median(raw):.2f} × the bare query by medians,"
            f" {sum(ours) / sum(raw):.2f} × by sums (wanted 1.5)"
        )
        if not report.figures:
            report.add(
                Figure(
                    "two-word filtered searches",
                    "searches/s",
                    ours=measured([1_000 * len(ours) / sum(ours)]),
                    limit=measured([1_000 * len(raw) / sum(raw)]),
                    least_of_limit=1 / 1.5,
                )
            )
    columns = ["ms", "median", "99 %", "longest", "sum, of the bare query's"]
    report.tables.append(Table(f"two-word filtered searches over {row[0]:,} questions", columns, table))


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add all; `quick` is small, for the shape of the output only."""
    total, count = (40_000, 60) if quick else (1_000_000, 300)
    seed()
    fill(total)
    speed(report, count)
