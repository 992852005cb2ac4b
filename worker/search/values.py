"""What is asked of a search, and what it answers."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from worker.errors import ElpError

Kind = Literal["question", "lesson"]
Audience = Literal["learner", "editor"]
Matching = Literal["all", "corrected", "any"]

MOST_RANKED: Final = 50_000
"""Matches that are counted and ranked at most: some 0.1 s. Whoever finds more is better served by another word."""
MAX_LIMIT: Final = 100


class SearchTimeoutError(ElpError):
    """A search took longer than it may: its words are too common."""

    def __init__(self) -> None:
        super().__init__("this finds too much to be ranked in time: add a word or a filter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search.

    Attributes:
        text: the term, as typed.
        kind: what to look for.
        audience: learners find what is published, and never by what gives an answer away.
        as_you_type: whether the last word may be unfinished.
        levels: only these; likewise the next four. None: whatever it is.
        limit: hits on the page.
        after: `next` of the page before.
    """

    text: str
    kind: Kind = "question"
    audience: Audience = "learner"
    as_you_type: bool = False
    levels: tuple[str, ...] | None = None
    skills: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    topics: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    limit: int = 20
    after: str | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A question or lesson that was found; never with its answer."""

    id: UUID
    title: Annotated[str, msgspec.Meta(description="A question's stem")]
    title_id: str | None
    level: str
    skill: str
    topic: str
    status: str
    type: Annotated[str | None, msgspec.Meta(description="Of a question")] = None
    slug: Annotated[str | None, msgspec.Meta(description="Of a lesson")] = None
    rank: float
    highlight: Annotated[str, msgspec.Meta(description="HTML: what was found is in <mark>, all else is escaped")]
    highlight_id: str | None


class Facet(msgspec.Struct, frozen=True):
    """How many of the matches have a value."""

    value: str
    matches: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found."""

    kind: Kind
    hits: list[Hit]
    total: Annotated[int, msgspec.Meta(description=f"Matches, counted to {MOST_RANKED:,}")]
    is_total_exact: bool
    facets: Annotated[
        dict[str, list[Facet]],
        msgspec.Meta(description="By level, skill, type, topic, status: counts under all filters"),
    ]
    next: Annotated[str | None, msgspec.Meta(description="`after` for the next page; null: this was the last")]
    matching: Annotated[
        Matching,
        msgspec.Meta(description="all words as typed; nothing had them, so corrected ones; or, at last, any of them"),
    ]
    searched_for: Annotated[str, msgspec.Meta(description="What was looked for in the end")]
    completions: Annotated[list[str], msgspec.Meta(description="With as_you_type: words that the last one may become")]
