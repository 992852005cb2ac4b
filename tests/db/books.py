"""A small table of the tests' own, with each type that a key may have."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric, Text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    shelf: Mapped[str] = mapped_column(Text)
    rating: Mapped[int]
    note: Mapped[str | None] = mapped_column(Text)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    bought_on: Mapped[date]
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    owner_id: Mapped[UUID]
    lent: Mapped[bool]


def book(number: int, **overrides: object) -> Book:
    """Return a book whose columns repeat in different periods, so that orders have ties."""
    values: dict[str, object] = {
        "id": number,
        "shelf": "ABCab"[number % 5],
        "rating": number % 3,
        "note": None,
        "price": Decimal(number % 4) / 4,
        "bought_on": date(2026, 1, 1) + timedelta(days=number % 6),
        "read_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=number % 7),
        "owner_id": UUID(int=number % 3),
        "lent": number % 2 == 0,
    }
    return Book(**values | overrides)


async def shelve(session: AsyncSession, books: list[Book]) -> None:
    """Create the table with these books in it."""
    await session.run_sync(lambda sync: Base.metadata.create_all(sync.connection()))
    session.add_all(books)
    await session.commit()
