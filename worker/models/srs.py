"""Spaced repetition: the cards of a learner's deck and the queue of each local day."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Double, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import Base, JsonObject, SmallInt, TimeOrderedKey, check, is_object, one_of, references

ItemType = Literal["question"]
CardState = Literal["new", "learning", "review", "relearning"]


class SrsCard(Base):
    """A learner's memory of one item: when to show it next, and what the schedulers know about it."""

    __tablename__ = "srs_cards"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    item_type: Mapped[ItemType] = mapped_column(server_default="question")
    item_id: Mapped[UUID]
    """A question's id. No foreign key, since other kinds of item may follow; cards of a deleted question are removed by
    the trigger `questions_delete_cards`."""
    state: Mapped[CardState] = mapped_column(server_default="new")
    interval: Mapped[int] = mapped_column(server_default=text("0"))
    """Days from the last review to the next."""
    ease_factor: Mapped[Decimal] = mapped_column(Numeric(4, 2), server_default=text("2.50"))
    """SM-2's EF."""
    repetitions: Mapped[int] = mapped_column(server_default=text("0"))
    """Successful reviews in a row."""
    lapses: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it was forgotten after it had been learnt."""
    next_review_date: Mapped[date]
    """The learner's local day on which it is due."""
    is_learning: Mapped[bool] = mapped_column(server_default=text("false"))
    is_suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    """Never queued while true."""
    stability: Mapped[float | None]
    """FSRS: days until recall falls to 90 %; NULL while the card was scheduled by SM-2 alone."""
    difficulty: Mapped[float | None]
    """FSRS: 1–10; NULL while the card was scheduled by SM-2 alone."""
    step: Mapped[SmallInt] = mapped_column(server_default=text("0"))
    """FSRS: which learning or relearning step the card waits for; 0 outside of them."""
    last_reviewed_at: Mapped[datetime | None]
    """`attempted_at` of the newest attempt that moved the card; an older one never moves it."""
    due_at: Mapped[datetime | None]
    """When a card in a learning or relearning step is due; NULL: from the beginning of `next_review_date`."""
    introduced_at: Mapped[datetime | None]
    """When it was reviewed first; NULL: it is new, or was introduced before this was recorded."""
    buried_until: Mapped[date | None]
    """Not queued before this local day."""
    leech_at: Mapped[datetime | None]
    """When it became a leech: forgotten so often that it was suspended; NULL: it is none."""

    __table_args__ = (
        one_of("item_type", ItemType),
        one_of("state", CardState),
        check("interval", "interval >= 0"),
        check("ease_factor", "ease_factor BETWEEN 1.30 AND 5.00"),
        check("repetitions", "repetitions >= 0"),
        check("lapses", "lapses >= 0"),
        check("stability", "stability > 0 AND stability < 'Infinity'"),
        check("difficulty", "difficulty BETWEEN 1 AND 10"),
        check("step", "step >= 0"),
        UniqueConstraint("user_id", "item_type", "item_id", name="uq_srs_cards_item"),
        # What a queue needs, so that building one reads no rows.
        Index(
            "idx_srs_cards_due",
            "user_id",
            "next_review_date",
            postgresql_where=text("NOT is_suspended"),
            postgresql_include=["id", "interval", "is_learning", "state", "buried_until"],
        ),
        {"postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02}},
    )


class SrsDueQueue(Base):
    """What a learner is asked on one local day, in order, as it was when the day's queue was built."""

    __tablename__ = "srs_due_queues"

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"), primary_key=True)
    local_date: Mapped[date] = mapped_column(primary_key=True)
    card_ids: Mapped[list[UUID]]
    """Learning cards, then reviews, then new ones."""
    learning: Mapped[int]
    review: Mapped[int]
    new: Mapped[int]
    overdue_total: Mapped[int]
    """Cards due (learning and review) before the learner's limit cut the queue."""
    built_at: Mapped[datetime]
    run_id: Mapped[UUID | None]
    """The job run that built it; no foreign key, since runs are pruned earlier."""

    __table_args__ = (
        check("learning", "learning >= 0"),
        check("review", "review >= 0"),
        check("new", "new >= 0"),
        check("overdue_total", "overdue_total >= 0"),
        check("counts", "cardinality(card_ids) = learning + review + new"),
    )


class SrsFit(Base):
    """A fit of FSRS's parameters to the reviews of a learner or of everyone, and how well it foresaw later ones."""

    __tablename__ = "srs_fits"

    id: Mapped[TimeOrderedKey]
    user_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="CASCADE"))
    """NULL: fitted to many learners, for those without a fit of their own."""
    parameters: Mapped[list[float]] = mapped_column(ARRAY(Double))
    is_accepted: Mapped[bool]
    """The newest accepted fit is the one in use."""
    reviews: Mapped[int]
    """Reviews learnt from; those held out are not among them."""
    metrics: Mapped[JsonObject]
    """Log-loss, RMSE(bins) and AUC on the reviews held out: `fitted`, `current` and `sm2`."""
    run_id: Mapped[UUID | None]
    """The job run that made it; no foreign key, since runs are pruned earlier."""
    fitted_at: Mapped[datetime]

    __table_args__ = (
        check("parameters", "cardinality(parameters) = 21"),
        check("reviews", "reviews > 0"),
        is_object("metrics"),
        Index("idx_srs_fits_user", "user_id", "fitted_at"),
    )
