"""Full-text search over one table, in English and Indonesian at once: the seam that callers use."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, String, func, inspect, literal_column, select
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from worker.db.filters import columns_of, conditions
from worker.db.pagination import MAX_PER_PAGE, check_count
from worker.db.search_query import LANGUAGES, LENGTH_DAMPED, configuration, wanted_query, whole_query
from worker.db.search_terms import MAX_TERM_CHARACTERS, SearchError, parse_term

__all__ = ["MAX_TERM_CHARACTERS", "SearchError", "search_full_text"]

Entity = TypeVar("Entity", bound=DeclarativeBase)

_EXPLAINED: Final = "explanation"
"""A model with this column explains answers, and its vector holds that with weight C."""
_WITHOUT_EXPLANATIONS: Final = """CAST('{a,b,d}' AS "char"[])"""


async def search_full_text(
    *,
    session: AsyncSession,
    model: type[Entity],
    search_term: str,
    search_fields: Sequence[str] | None = None,
    filters: Mapping[str, Any] | None = None,
    limit: int = 20,
    for_editors: bool = False,
) -> list[Entity]:
    """Return the rows of `model` whose text matches `search_term`, the best first.

    The term reads as people write to search engines (`"exact phrase"`, `or`, `-without`), accents and case aside, each
    word reduced to its stem by the English and by the Indonesian rules; a row matches if either reading does. A term
    without a word to look for (empty, stop words only, exclusions only) finds nothing. Explanations of questions give
    answers away, so only editors find by them.

    A model with a `search_vector` is searched by that, through its GIN index: cost grows with the matching rows, each
    of which is ranked. Others are searched by the texts in `search_fields`, which reads the whole table.

    Args:
        session: where to ask.
        model: the mapped class.
        search_term: at most 1,000 characters; NUL and other control characters count as spaces.
        search_fields: names of text columns; used (and needed) where the model has no `search_vector`.
        filters: values by column name; a list or set means one of them, None means NULL.
        limit: rows at most, 1–1000.
        for_editors: search the explanations of questions, too.

    Raises:
        SearchError: the term is too long, or a field isn't a text column of the model.
        PageError: `limit` is out of range.
        FilterError: a filter names no column, or a value that cannot be one of its values.
    """
    check_count("limit", limit, MAX_PER_PAGE)
    vector = _vector(columns_of(model), search_fields)
    wanted = conditions(model, filters or {})
    term = parse_term(search_term)
    if term.is_empty:
        return []
    query = whole_query(term)
    searched = vector
    if not for_editors and "search_vector" in columns_of(model) and _EXPLAINED in columns_of(model):
        searched = func.ts_filter(vector, literal_column(_WITHOUT_EXPLANATIONS), type_=TSVECTOR)
    rank = func.ts_rank(searched, wanted_query(term), LENGTH_DAMPED).desc()
    statement = (
        # The index answers what is wanted. The rest is asked of what may be seen: an exclusion that were met by an
        # explanation would tell what stands in it. A query of stop words has no word to look up ('').
        select(model)
        .where(vector.op("@@")(wanted_query(term)), searched.op("@@")(query), *wanted)
        .order_by(rank, *inspect(model).primary_key)
        .limit(limit)
    )
    return list(await session.scalars(statement))


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
    english, indonesian = (func.to_tsvector(configuration(language), text, type_=TSVECTOR) for language in LANGUAGES)
    return english.op("||", return_type=TSVECTOR())(indonesian)
