"""The tsquery of a term: what all searches of the product ask the database for, in English and Indonesian at once."""

from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Text, cast, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, REGCONFIG

from worker.db.search_terms import Item, Term

LANGUAGES: Final = ("english", "indonesian")
LENGTH_DAMPED: Final = 1
"""ts_rank's flag: divide by 1 + log(length), so that a long text does not win by repeating itself."""


def configuration(language: str) -> ColumnElement[Any]:
    """Return a text search configuration by its name, which is ours and never a user's."""
    return cast(literal_column(f"'{language}'"), REGCONFIG)


def wanted_groups(term: Term) -> str:
    """Return what a term looks for, as the database's `search_tsquery` takes it."""
    return msgspec.json.encode([[_described(item) for item in group] for group in term.wanted]).decode()


def excluded_groups(term: Term) -> str:
    """Return what a term excludes, as one group: any of it is enough."""
    return msgspec.json.encode([[_described(item) for item in term.excluded]] if term.excluded else []).decode()


def wanted_query(term: Term) -> ColumnElement[Any]:
    """Return the tsquery of what a term looks for, without its exclusions: what an index can answer.

    Each part may be met in either language, so terms that mix them find texts that do.
    """
    return _query(wanted_groups(term))


def whole_query(term: Term) -> ColumnElement[Any]:
    """Return the tsquery of a term: what it looks for in either language, and in neither what it excludes."""
    if not term.excluded:
        return wanted_query(term)
    return func.tsquery_and(wanted_query(term), func.tsquery_not(_query(excluded_groups(term))))


def _query(groups: str) -> ColumnElement[Any]:
    # A subquery is computed once, a function for each row.
    return select(func.search_tsquery(cast(literal(groups, Text), JSONB))).scalar_subquery()


def _described(item: Item) -> dict[str, Any]:
    return {"text": item.text, "phrase": item.is_phrase, "prefix": item.is_prefix, "also": item.also}
