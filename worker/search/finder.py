"""Finds lessons and questions: the query, the ladder of second tries, the page with its facets and highlights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from worker.db.cursors import decode_cursor, encode_cursor
from worker.db.queries import load_query
from worker.db.search_query import excluded_groups, wanted_groups
from worker.db.search_terms import Term, parse_term
from worker.db.statements import as_text
from worker.search.correction import MIN_LETTERS, best_correction
from worker.search.highlight import EXCHANGED, NEUTRAL, OPTIONS, marked
from worker.search.values import MOST_RANKED, Asked, Facet, Found, Hit, Matching, SearchTimeoutError


def _compact(query: str) -> str:
    """Return a statement without comments and indentation: psycopg keeps its reading of those up to 4,096 bytes."""
    lines = (line.strip() for line in query.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))


_FIND: Final = {
    kind: as_text(_compact(load_query("worker.search", f"find_{kind}s"))) for kind in ("question", "lesson")
}
_SIMILAR: Final = as_text(load_query("worker.search", "similar_words"))
_COMPLETIONS: Final = as_text(load_query("worker.search", "completions"))
_COMPLETED: Final = 8
_FACET_VALUES: Final = 50
_CANCELED: Final = "57014"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page ended: the last hit's rank and id, and what was searched for in the end."""

    rank: float
    id: UUID
    matching: Matching


class Finder:
    """Searches on one engine, whose statement time-out is a search's; shared by all requests of a process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, asked: Asked) -> Found:
        """Return a page of what a term finds, the best first.

        One statement; where nothing has all the words, two to four more for the second tries. A term without a word to
        look for finds nothing.

        Raises:
            SearchError: the term is too long.
            CursorError: `after` is not of this search.
            SearchTimeoutError: it finds too much to be ranked in time.
        """
        term = parse_term(asked.text, as_you_type=asked.as_you_type)
        after = None
        if asked.after:
            after = _Place(*decode_cursor(_ordering(asked), (float, UUID, Matching), asked.after))  # type: ignore[arg-type]
        if term.is_empty:
            return _found(asked, [], "all", term, [])
        try:
            async with self._engine.connect() as connection:
                return await self._find(connection, asked, term, after)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _CANCELED:
                raise SearchTimeoutError from error
            raise

    async def _find(self, connection: AsyncConnection, asked: Asked, term: Term, after: _Place | None) -> Found:
        completions = await self._completions(connection, term) if asked.as_you_type else []
        typed = term.completed(tuple(completions)) if completions else term
        if after is None or after.matching == "all":
            rows = await self._hits(connection, asked, typed, after)
            if rows or after is not None:
                return _found(asked, rows, "all", typed, completions)
        # A word that is known nowhere was misspelt. When that doesn't help, any of the words beats nothing.
        better = await self._corrections(connection, term)
        tries: list[tuple[Matching, Term]] = [("corrected", term.with_words(better))] if better else []
        if len(term.words()) > 1:
            tries.append(("any", term.with_also(better).as_any()))
        for matching, other in tries:
            if after is None or after.matching == matching:
                rows = await self._hits(connection, asked, other, after)
                if rows:
                    return _found(asked, rows, matching, other, completions)
        return _found(asked, [], "all", term, completions)

    async def _hits(
        self, connection: AsyncConnection, asked: Asked, term: Term, after: _Place | None
    ) -> Sequence[Row[Any]]:
        """Return the rows of a page, one more than asked for if there is more."""
        values = {
            "wanted": wanted_groups(term),
            "excluded": excluded_groups(term),
            "is_editor": asked.audience == "editor",
            "levels": _listed(asked.levels),
            "skills": _listed(asked.skills),
            "types": _listed(asked.types),
            "topics": _listed(asked.topics),
            "statuses": _listed(asked.statuses) if asked.audience == "editor" else ["published"],
            "most": MOST_RANKED,
            "limit": asked.limit + 1,
            "after_rank": after.rank if after else None,
            "after_id": after.id if after else None,
            "options": OPTIONS,
            "typography": EXCHANGED,
            "neutral": NEUTRAL,
        }
        return (await connection.execute(_FIND[asked.kind], values)).all()

    async def _corrections(self, connection: AsyncConnection, term: Term) -> dict[str, str]:
        """Return the known word that was likely meant, for each of a term's words that is known nowhere."""
        words = {word: word.lower() for word in term.words() if len(word) >= MIN_LETTERS}
        if not words:
            return {}
        unaccented = select(func.unaccent(func.unnest(array([*words.values()]))))
        plain = dict(zip(words, (await connection.execute(unaccented)).scalars(), strict=True))
        known: dict[str, list[tuple[str, int]]] = {}
        for word, similar, documents in await connection.execute(_SIMILAR, {"words": [*plain.values()]}):
            known.setdefault(word, []).append((similar, documents))
        better = {}
        for typed, word in plain.items():
            meant = best_correction(word, known.get(word, ()))
            if meant is not None and meant != word:
                better[typed] = meant
        return better

    async def _completions(self, connection: AsyncConnection, term: Term) -> list[str]:
        if term.is_empty:
            return []
        prefix = term.wanted[-1][-1].text.lower()
        if len(prefix) < 2 or not prefix.isascii() or not prefix.isalnum():  # noqa: PLR2004  one letter begins too much
            return []
        values = {"prefix": prefix, "beyond": prefix[:-1] + chr(ord(prefix[-1]) + 1), "limit": _COMPLETED}
        return list((await connection.execute(_COMPLETIONS, values)).scalars())


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _ordering(asked: Asked) -> str:
    """Return what a cursor is bound to: all of a search but the page."""
    search = msgspec.json.encode(replace(asked, after=None, limit=1))
    return f"search {blake2b(search, digest_size=16).hexdigest()}"


def _found(asked: Asked, rows: Sequence[Row[Any]], matching: Matching, term: Term, completions: list[str]) -> Found:
    facets: dict[str, list[Facet]] = {}
    for facet, value, matches in rows[0].facets if rows else ():
        values = facets.setdefault(facet, [])
        if len(values) < _FACET_VALUES:
            values.append(Facet(value, matches))
    following = None
    if len(rows) > asked.limit:
        last = rows[asked.limit - 1]
        following = encode_cursor(_ordering(asked), (last.rank, last.id, matching))
    total = rows[0].total if rows else 0
    return Found(
        kind=asked.kind,
        hits=[_hit(row) for row in rows[: asked.limit]],
        total=total,
        is_total_exact=total < MOST_RANKED,
        facets=facets,
        next=following,
        matching=matching,
        searched_for=term.text(),
        completions=completions,
    )


def _hit(row: Row[Any]) -> Hit:
    shown = row._asdict()
    for other in ("total", "facets"):
        del shown[other]
    headline, headline_id = shown.pop("headline"), shown.pop("headline_id")
    highlight_id = None if shown["title_id"] is None else marked(headline_id)
    return Hit(**shown, highlight=marked(headline), highlight_id=highlight_id)
