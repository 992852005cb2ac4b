"""How well searches find, over the judged set: ours beside ILIKE and full text in one language.

All look at what learners may see of the same published content: stem, topic and options of a question; title, topic,
path, unit, description and sections of a lesson, in both languages. nDCG@10 (gain 2^grade - 1) says whether the best
comes first, recall@10 how much of what could be on the first page is there.
"""

import asyncio
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.report import Report, Table
from benchmarks.search_judgements import JUDGED
from worker.db.engines import driver_url
from worker.search.finder import Finder
from worker.search.values import Asked
from worker.settings import get_settings

DEPTH: Final = 10

_BASE: Final = """
    CREATE TABLE bench_{kind}_texts AS
    SELECT id, {shown} AS shown,
        setweight(to_tsvector('english', {a}), 'A') || setweight(to_tsvector('english', {b}), 'B')
            || setweight(to_tsvector('english', {d}), 'D') AS english,
        setweight(to_tsvector('indonesian', {a}), 'A') || setweight(to_tsvector('indonesian', {b}), 'B')
            || setweight(to_tsvector('indonesian', {d}), 'D') AS indonesian
    FROM {kind}s{more}
    WHERE status = 'published'
"""
_PARTS: Final = {
    "question": {
        "a": "unaccent(concat_ws(' ', stem, stem_id))",
        "b": "unaccent(topic)",
        "d": "unaccent(coalesce(array_to_string(array(SELECT option #>> '{}' FROM"
        " jsonb_path_query(options, 'strict $.**.text', '{}', true) AS option), ' '), ''))",
        "more": "",
    },
    "lesson": {
        "a": "unaccent(concat_ws(' ', title, title_id))",
        "b": "unaccent(concat_ws(' ', topic, path, unit))",
        "d": "unaccent(concat_ws(' ', description, description_id, texts.english, texts.indonesian))",
        "more": " CROSS JOIN LATERAL search_json_text(sections) AS texts",
    },
}
_ILIKE: Final = """
    SELECT id FROM bench_{kind}_texts
    WHERE NOT EXISTS (SELECT FROM unnest(string_to_array(:q, ' ')) AS word WHERE shown NOT ILIKE '%' || word || '%')
    ORDER BY shown ILIKE '%' || :q || '%' DESC, id LIMIT 10
"""
_FULL_TEXT: Final = """
    SELECT id FROM bench_{kind}_texts
    WHERE {language} @@ websearch_to_tsquery('{language}', unaccent(:q))
    ORDER BY ts_rank({language}, websearch_to_tsquery('{language}', unaccent(:q)), 1) DESC, id LIMIT 10
"""
METHODS: Final = {
    "ILIKE, all words": _ILIKE,
    "full text, English": _FULL_TEXT.replace("{language}", "english"),
    "full text, Indonesian": _FULL_TEXT.replace("{language}", "indonesian"),
}
OURS: Final = "ours"

Scores = dict[tuple[str, str, str], list[tuple[float, float]]]
"""Language, need, method → nDCG and recall of each search."""


def ndcg(found: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return how near the order of what was found is to the best one, 0–1."""

    def gain(grades: Sequence[int]) -> float:
        return math.fsum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:DEPTH]))

    return gain([relevant.get(each, 0) for each in found]) / gain(sorted(relevant.values(), reverse=True))


def recall(found: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return how much of what fits on the first page is on it, 0–1."""
    return sum(each in relevant for each in found[:DEPTH]) / min(DEPTH, len(relevant))


async def _score() -> Scores:
    rows = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    engine = create_async_engine(driver_url(get_settings().required_database_url(), "psycopg"), poolclass=NullPool)
    finder = Finder(engine)
    scores: Scores = defaultdict(list)
    async with engine.begin() as connection:
        for kind, parts in _PARTS.items():
            shown = f"concat_ws(' ', {parts['a']}, {parts['b']}, {parts['d']})"
            await connection.exec_driver_sql(f"DROP TABLE IF EXISTS bench_{kind}_texts")
            await connection.exec_driver_sql(_BASE.format(kind=kind, shown=shown, **parts))
    async with engine.connect() as connection:
        for row in rows:
            found = {name: await _baseline(connection, sql, row) for name, sql in METHODS.items()}
            ours = await finder.find(Asked(text=row["q"], kind=row["kind"], limit=DEPTH))
            found[OURS] = [str(hit.id) for hit in ours.hits]
            for name, ids in found.items():
                score = ndcg(ids, row["relevant"]), recall(ids, row["relevant"])
                scores[row["language"], row["need"], name].append(score)
    await engine.dispose()
    return scores


async def _baseline(connection: AsyncConnection, sql: str, row: dict[str, Any]) -> list[str]:
    found = await connection.execute(text(sql.replace("{kind}", row["kind"])), {"q": row["q"]})
    return [str(each) for each in found.scalars()]


def _means(scores: Scores, language: str, method: str, need: str | None = None) -> tuple[float, float]:
    chosen = [
        score
        for (of_language, of_need, of_method), each in scores.items()
        if (of_language, of_method) == (language, method) and need in {None, of_need}
        for score in each
    ]
    return sum(score[0] for score in chosen) / len(chosen), sum(score[1] for score in chosen) / len(chosen)


def add_quality(report: Report) -> bool:
    """Measure and add two tables; return whether ours is the best in both languages, by both measures."""
    scores = asyncio.run(_score())
    names = [*METHODS, OURS]
    whole, by_need = [], []
    is_best = True
    for language in ("en", "id"):
        means = {name: _means(scores, language, name) for name in names}
        searches = sum(len(each) for (lang, _, method), each in scores.items() if (lang, method) == (language, OURS))
        is_best &= all(means[OURS][at] > max(means[name][at] for name in METHODS) for at in (0, 1))
        whole += [[language, searches, name, round(means[name][0], 3), round(means[name][1], 3)] for name in names]
        for need in sorted({need for lang, need, _ in scores if lang == language}):
            each = {name: _means(scores, language, name, need) for name in names}
            by_need.append([language, need, *(round(each[name][0], 3) for name in names)])
    report.tables.append(Table("quality of searches", ["language", "searches", "way", "nDCG@10", "recall@10"], whole))
    report.tables.append(Table("nDCG@10 by need", ["language", "need", *names], by_need))
    return is_best
