"""What the search refresh has still to do."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import QUEUE_STORAGE, Base, TimeOrderedKey, one_of

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
