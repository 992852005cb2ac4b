"""The tsquery of a term: what all searches of the product ask the database for, in English and Indonesian at once."""

from collections.abc import Iterable
from functools import reduce
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, cast, func, literal, literal_column
from sqlalchemy.dialects.postgresql import REGCONFIG

from worker.db.search_terms import Item, Term

LANGUAGES: Final = ("english", "indonesian")
LENGTH_DAMPED: Final = 1
"""ts_rank's flag: divide by 1 + log(length), so that a long text does not win by repeating itself."""


def configuration(language: str) -> ColumnElement[Any]:
    """Return a text search configuration by its name, which is ours and never a user's."""
    return cast(literal_column(f"'{language}'"), REGCONFIG)


def wanted_query(term: Term) -> ColumnElement[Any]:
    """Return the tsquery of what a term looks for, without its exclusions: what an index can answer.

    Each part may be met in either language, so terms that mix them find texts that do.
    """
    return _all(_any(_item(item) for item in group) for group in term.wanted)


def whole_query(term: Term) -> ColumnElement[Any]:
    """Return the tsquery of a term: what it looks for in either language, and in neither what it excludes."""
    query = wanted_query(term)
    if not term.excluded:
        return query
    return func.tsquery_and(query, func.tsquery_not(_any(_item(item) for item in term.excluded)))


def _item(item: Item) -> ColumnElement[Any]:
    function = func.phraseto_tsquery if item.is_phrase else func.plainto_tsquery
    readings = [
        function(configuration(language), func.unaccent(literal(text, Text)))
        for text in (item.text, *item.also)
        for language in LANGUAGES
    ]
    if item.is_prefix:
        readings.append(func.to_tsquery(configuration("simple"), literal(f"{item.text}:*", Text)))
    return _any(readings)


def _any(queries: Iterable[ColumnElement[Any]]) -> ColumnElement[Any]:
    return reduce(func.tsquery_or, queries)


def _all(queries: Iterable[ColumnElement[Any]]) -> ColumnElement[Any]:
    return reduce(func.tsquery_and, queries)
