"""What the search refresh has still to do, how far it has come, and the words that there are to be searched for."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import QUEUE_STORAGE, Base, TimeOrderedKey, check, one_of

Searchable = Literal["lesson", "question"]


class SearchDirty(Base):
    """A lesson or question whose search vector may be out of date.

    A row per mark, not per object: a unique key would make two editors whose edits touch the same dependent object wait
    for each other. The refresh takes a batch in order of the key and folds the marks of an object into one.
    """

    __tablename__ = "search_dirty"

    id: Mapped[TimeOrderedKey]
    object_type: Mapped[Searchable]
    object_id: Mapped[UUID]
    """No foreign key: the object may be gone by the time it is refreshed."""
    marked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        one_of("object_type", Searchable),
        {"postgresql_with": QUEUE_STORAGE},
    )


class SearchState(Base):
    """How far the vectors of a kind of object follow the present definition."""

    __tablename__ = "search_state"

    object_type: Mapped[Searchable] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default=text("0"))
    """The `search_vector_version()` by which all vectors were computed, or marked to be."""
    marked_through: Mapped[UUID | None]
    """While a new definition is rolled out: everything up to this id is marked."""
    words_due: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether so much was written that `search_words` must be counted anew."""

    __table_args__ = (one_of("object_type", Searchable), check("version", "version >= 0"))


class SearchWord(Base):
    """A word that learners can find something by: where misspelt ones are looked up, and beginnings completed."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    """In lower case and without accents, as it is written (not its stem)."""
    documents: Mapped[int] = mapped_column(server_default=text("1"))
    """Lessons and questions that have it, as of the last count; 1 for a word that came since."""

    __table_args__ = (
        check("documents", "documents > 0"),
        Index("idx_search_words_similar", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )
