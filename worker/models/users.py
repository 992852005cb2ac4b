"""People: accounts, their preferences, and the tokens of services and operators."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlalchemy import Index, Integer, Numeric, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from worker.models.base import (
    TIME_ZONE,
    Base,
    JsonObject,
    Language,
    Level,
    RandomKey,
    SmallInt,
    check,
    is_object,
    not_blank,
    one_of,
    references,
)

Role = Literal["learner", "teacher", "editor", "finance", "operator", "admin"]
Scheduler = Literal["sm2", "fsrs"]
ReviewOrder = Literal["overdueness", "lowest_retrievability", "highest_retrievability"]
NewOrder = Literal["last", "mixed"]
Siblings = Literal["none", "word", "lesson"]

STEPS = "cardinality({0}) <= 10 AND array_position({0}, NULL) IS NULL AND 1 <= ALL ({0}) AND 31536000 >= ALL ({0})"
"""Up to ten delays of a second to a year."""


class User(Base):
    """A person with an account."""

    __tablename__ = "users"

    id: Mapped[RandomKey]
    email: Mapped[str]
    """Unique whatever its case, by the index `uq_users_email` on lower(email)."""
    password_hash: Mapped[str | None]
    """bcrypt; the check refuses anything else, a plain password above all. NULL: no login by password."""
    full_name: Mapped[str]
    current_level: Mapped[Level] = mapped_column(server_default="A1")
    learning_goals: Mapped[list[str]] = mapped_column(server_default="{}")
    role: Mapped[Role] = mapped_column(server_default="learner")
    timezone: Mapped[str] = mapped_column(server_default="Asia/Jakarta")
    """IANA name. A trigger refuses one that the server does not know, under the name `ck_users_timezone`: an unknown
    zone would stop every set-based statement that computes local days."""
    locale: Mapped[Language] = mapped_column(server_default="id")
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_verified: Mapped[bool] = mapped_column(server_default=text("false"))
    """The e-mail address was confirmed."""
    is_premium: Mapped[bool] = mapped_column(server_default=text("false"))
    """What the subscriptions say, kept here for cheap reading."""

    __table_args__ = (
        check("email", "email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 254"),
        check("password_hash", "password_hash ~ '^\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}$'"),
        not_blank("full_name", 200),
        one_of("current_level", Level),
        one_of("role", Role),
        check("timezone", TIME_ZONE),
        one_of("locale", Language),
        Index("uq_users_email", text("lower(email)"), unique=True),
        Index("idx_users_active", "id", postgresql_where=text("is_active")),
    )


class UserPreferences(Base):
    """A learner's wishes; a learner without a row has the defaults."""

    __tablename__ = "user_preferences"

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"), primary_key=True)
    ui_language: Mapped[Language] = mapped_column(server_default="id")
    daily_goal: Mapped[int] = mapped_column(server_default=text("20"))
    """Attempts a local day that the learner aims at."""
    new_limit: Mapped[int] = mapped_column(server_default=text("10"))
    """New cards a local day at most."""
    review_limit: Mapped[int] = mapped_column(server_default=text("200"))
    """Due cards (learning and review) a local day at most."""
    day_start_hour: Mapped[SmallInt] = mapped_column(server_default=text("4"))
    """Hour of the wall clock (0–23) at which the learner's local day begins."""
    scheduler: Mapped[Scheduler] = mapped_column(server_default="fsrs")
    desired_retention: Mapped[Decimal] = mapped_column(Numeric(3, 2), server_default=text("0.90"))
    """Share of reviews that should be remembered; FSRS alone uses it."""
    learning_steps_s: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{60,600}")
    """FSRS: delays in seconds that a new card goes through before its first interval of days."""
    relearning_steps_s: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{600}")
    """FSRS: the same for a card that was forgotten."""
    minimum_interval: Mapped[int] = mapped_column(server_default=text("1"))
    """FSRS: days between reviews at least."""
    maximum_interval: Mapped[int] = mapped_column(server_default=text("36500"))
    """FSRS: days between reviews at most."""
    review_order: Mapped[ReviewOrder] = mapped_column(server_default="overdueness")
    new_order: Mapped[NewOrder] = mapped_column(server_default="last")
    """New cards after the reviews, or mixed in among them."""
    bury_siblings: Mapped[Siblings] = mapped_column(server_default="none")
    """Of cards of the same word (or word or lesson) only one comes a day."""
    leech_lapses: Mapped[SmallInt] = mapped_column(server_default=text("8"))
    """Lapses that make a card a leech, which is suspended; 0: never."""
    backlog_days: Mapped[SmallInt] = mapped_column(server_default=text("7"))
    """Days over which overdue cards are spread; 1: all at once."""
    balance_load: Mapped[bool] = mapped_column(server_default=text("false"))
    """Due dates move within the fuzz range to the days with the fewest cards."""
    weekday_weights: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), server_default="{100,100,100,100,100,100,100}"
    )
    """Easy days: share (0–100) of a normal day's cards that each weekday should have, Monday first."""
    vacation_from: Mapped[date | None]
    """First local day without a queue; NULL: no vacation."""
    vacation_until: Mapped[date | None]
    """Last local day without a queue."""
    notifications: Mapped[JsonObject] = mapped_column(server_default="{}")
    """Switches by channel and kind, as the app defines them."""

    __table_args__ = (
        one_of("ui_language", Language),
        check("daily_goal", "daily_goal BETWEEN 0 AND 10000"),
        check("new_limit", "new_limit BETWEEN 0 AND 10000"),
        check("review_limit", "review_limit BETWEEN 0 AND 10000"),
        check("day_start_hour", "day_start_hour BETWEEN 0 AND 23"),
        one_of("scheduler", Scheduler),
        check("desired_retention", "desired_retention BETWEEN 0.70 AND 0.99"),
        is_object("notifications"),
        check("learning_steps_s", STEPS.format("learning_steps_s")),
        check("relearning_steps_s", STEPS.format("relearning_steps_s")),
        check("minimum_interval", "minimum_interval BETWEEN 1 AND 36500"),
        check("maximum_interval", "maximum_interval BETWEEN 1 AND 36500"),
        check("intervals", "minimum_interval <= maximum_interval"),
        one_of("review_order", ReviewOrder),
        one_of("new_order", NewOrder),
        one_of("bury_siblings", Siblings),
        check("leech_lapses", "leech_lapses BETWEEN 0 AND 100"),
        check("backlog_days", "backlog_days BETWEEN 1 AND 365"),
        check(
            "weekday_weights",
            "cardinality(weekday_weights) = 7 AND array_position(weekday_weights, NULL) IS NULL"
            " AND 0 <= ALL (weekday_weights) AND 100 >= ALL (weekday_weights) AND 0 < ANY (weekday_weights)",
        ),
        check(
            "vacation",
            "num_nulls(vacation_from, vacation_until) IN (0, 2) AND vacation_from <= vacation_until",
        ),
    )


class ApiToken(Base):
    """A secret of a service or operator: shown once, stored as a digest."""

    __tablename__ = "api_tokens"

    id: Mapped[RandomKey]
    name: Mapped[str]
    """What the token is for, in its owner's words."""
    prefix: Mapped[str]
    """The token's first characters: enough to recognise it in a list or a log, useless to an intruder."""
    token_hash: Mapped[bytes]
    """SHA-256 of the whole token; a random token needs no slow hash."""
    user_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="CASCADE"))
    """Whose rights it carries; NULL: a service of its own."""
    scopes: Mapped[list[str]] = mapped_column(server_default="{}")
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    rotated_from_id: Mapped[UUID | None] = mapped_column(references("api_tokens.id", on_delete="SET NULL"))
    """The token that this one replaces."""

    __table_args__ = (
        not_blank("name", 200),
        check("prefix", "char_length(prefix) BETWEEN 4 AND 16"),
        check("token_hash", "octet_length(token_hash) = 32"),
        check("rotated_from", "rotated_from_id <> id"),
        UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
        Index("idx_api_tokens_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("idx_api_tokens_rotated_from", "rotated_from_id", postgresql_where=text("rotated_from_id IS NOT NULL")),
    )
