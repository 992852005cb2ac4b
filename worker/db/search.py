"""Full-text search over one table, in English and Indonesian at once: the seam that callers use."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    String,
    Text,
    cast,
    func,
    inspect,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import REGCONFIG, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from worker.db.filters import columns_of, conditions
from worker.db.pagination import MAX_PER_PAGE, check_count
from worker.errors import ElpError

Entity = TypeVar("Entity", bound=DeclarativeBase)

MAX_TERM_CHARACTERS: Final = 1_000
"""Beyond this nobody searches, somebody attacks; a term of 200,000 exhausts the server's stack depth."""
_LANGUAGES: Final = ("english", "indonesian")
_LENGTH_DAMPED: Final = 1
"""ts_rank's flag: divide by 1 + log(length), so that a long text does not win by repeating itself."""

_PARTS: Final = re.compile(r'-?"[^"]*"?|\S+')
"""A phrase in quotes, a word, or either after a minus."""

_HYPHEN: Final = re.compile(r"(?<=\w)-(?=\w)")


class SearchError(ElpError):
    """A search cannot be done as asked.

    Attributes:
        field: the argument at fault: search_term or search_fields.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


async def search_full_text(
    *,
    session: AsyncSession,
    model: type[Entity],
    search_term: str,
    search_fields: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    limit: int = 20,
) -> list[Entity]:
    """Return the rows of `model` whose text matches `search_term`, the best first.

    The term reads as people write to search engines (`"exact phrase"`, `or`, `-without`), accents and case aside, each
    word reduced to its stem by the English and by the Indonesian rules; a row matches if either reading does. A term
    without a word to look for (empty, stop words only, exclusions only) finds nothing.

    A model with a `search_vector` is searched by that, through its GIN index: cost grows with the matching rows, each
    of which is ranked. Others are searched by the texts in `search_fields`, which reads the whole table.

    Args:
        session: where to ask.
        model: the mapped class.
        search_term: at most 1,000 characters; NUL and other control characters count as spaces.
        search_fields: names of text columns; used (and needed) where the model has no `search_vector`.
        filters: values by column name; a list or set means one of them, None means NULL.
        limit: rows at most, 1–1000.

    Raises:
        SearchError: the term is too long, or a field isn't a text column of the model.
        PageError: `limit` is out of range.
        FilterError: a filter names no column, or a value that cannot be one of its values.
    """
    check_count("limit", limit, MAX_PER_PAGE)
    vector = _vector(columns_of(model), search_fields)
    wanted = conditions(model, filters or {})
    term = _clean(search_term)
    if not term:
        return []
    query = _query(term)
    statement = (
        # A query that is all exclusions has no word to look up in an index ('T'), and one of stop words none at all.
        select(model)
        .where(vector.op("@@")(query), func.querytree(query).not_in(["", "T"]), *wanted)
        .order_by(func.ts_rank(vector, query, _LENGTH_DAMPED).desc(), *inspect(model).primary_key)
        .limit(limit)
    )
    return list(await session.scalars(statement))


def _clean(search_term: str) -> str:
    """Return the term without what PostgreSQL's text cannot hold (NUL, lone surrogates) or people cannot see."""
    if not isinstance(search_term, str):
        raise SearchError("search_term", f"must be text, not {type(search_term).__name__}")
    if len(search_term) > MAX_TERM_CHARACTERS:
        raise SearchError("search_term", f"must have at most {MAX_TERM_CHARACTERS} characters, not {len(search_term)}")
    visible = "".join(character if character.isprintable() else " " for character in search_term)
    # A hyphen would demand the parts side by side: “buku-buku” shall find “buku”.
    return " ".join(_HYPHEN.sub(" ", visible).split())


def _configuration(language: str) -> ColumnElement[Any]:
    return cast(literal_column(f"'{language}'"), REGCONFIG)


def _query(term: str) -> ColumnElement[Any]:
    """Return the tsquery of a term: what it looks for in either language, and in neither what it excludes.

    Left to websearch_to_tsquery, an exclusion would hold in one language only, and so let through whatever the other
    one's stems tell apart.
    """
    wanted: list[str] = []
    excluded: list[str] = []
    for part in _PARTS.findall(term):
        (excluded if part.startswith("-") else wanted).append(part)
    query = _either(" ".join(wanted))
    if not excluded:
        return query
    unwanted = _either(" or ".join(part.lstrip("-") for part in excluded))
    return func.tsquery_and(query, func.tsquery_not(unwanted))


def _either(term: str) -> ColumnElement[Any]:
    unaccented = func.unaccent(literal(term, Text))
    english, indonesian = (func.websearch_to_tsquery(_configuration(language), unaccented) for language in _LANGUAGES)
    return func.tsquery_or(english, indonesian)


def _vector(columns: Mapping[str, ColumnElement[Any]], search_fields: Sequence[str] | None) -> ColumnElement[Any]:
    for field in search_fields or ():
        if field not in columns or not isinstance(columns[field].type, String):
            texts = ", ".join(sorted(name for name, column in columns.items() if isinstance(column.type, String)))
            raise SearchError("search_fields", f"{field!r:.80} is not a text column; there are {texts}")
    if "search_vector" in columns:
        return columns["search_vector"]
    if not search_fields:
        raise SearchError("search_fields", "name at least one: the model has no search_vector")
    text = func.unaccent(func.concat_ws(" ", *(columns[field] for field in search_fields)))
    english, indonesian = (func.to_tsvector(_configuration(language), text, type_=TSVECTOR) for language in _LANGUAGES)
    return english.op("||", return_type=TSVECTOR())(indonesian)
