"""What every table shares: names of constraints, column types, keys, time stamps and the vocabularies of the checks.

The models describe the schema for queries, for Alembic's comparison and for readers; rows are written in bulk by SQL.
They carry no relationships on purpose: a lazy load in a loop is the row-by-row work this product avoids.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "idx_%(table_name)s_%(column_0_N_name)s",
}

Level = Literal["A1", "A2", "B1", "B2"]
Skill = Literal["grammar", "vocabulary", "reading", "listening", "writing", "speaking"]
Language = Literal["id", "en"]
Status = Literal["draft", "published", "archived"]

QUEUE_STORAGE = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 20_000,
    "autovacuum_vacuum_cost_delay": 0,
    "autovacuum_analyze_scale_factor": 0,
    "autovacuum_analyze_threshold": 20_000,
}
"""For tables whose rows come and go: vacuum by count of dead rows, at full speed, so that claims stay quick."""

TIME_ZONE = "timezone ~ '^(UTC|[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){1,2})$'"
"""UTC or Area/Place in its own capitals: what Python's zoneinfo finds whatever the file system, and PostgreSQL does not
mistake for an abbreviation or a POSIX rule."""

SmallInt = Annotated[int, mapped_column(SmallInteger)]
BigInt = Annotated[int, mapped_column(BigInteger)]
JsonObject = dict[str, Any]
Json = Annotated[Any, mapped_column(JSONB, nullable=False)]
"""Any JSON value."""
JsonText = Annotated[Any, mapped_column(JSON, nullable=False)]
"""JSON whose text is kept as it was sent (type json: key order, white space and number forms survive)."""
Currency = Annotated[str, mapped_column(CHAR(3))]
"""ISO 4217 code in capitals."""
Money = Annotated[Decimal, mapped_column(Numeric(14, 2))]
"""An amount in whole units of its currency (not cents), two decimals, never float."""


class Base(DeclarativeBase):
    """Declarative base: every table has `created_at` and `updated_at`; the latter is kept true by a trigger."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy
        str: Text,
        bool: Boolean,
        int: Integer,
        float: Double,
        bytes: LargeBinary,
        Literal: Text,
        UUID: Uuid,
        date: Date,
        datetime: DateTime(timezone=True),
        JsonObject: JSONB,
        list[str]: ARRAY(Text),
        list[UUID]: ARRAY(Uuid),
        list[Any]: JSONB,
    }

    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"), sort_order=1_000)
    """When the row was inserted (the transaction's start)."""
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"), sort_order=1_001)
    """When the row last changed, set by the trigger `<table>_set_updated_at` whatever the statement says."""


RandomKey = Annotated[UUID, mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))]
"""Primary key of a table of moderate size."""
TimeOrderedKey = Annotated[UUID, mapped_column(primary_key=True, server_default=text("uuidv7()"))]
"""Primary key of a high-volume table: UUIDv7, so that its index grows at the right edge."""


def one_of(column: str, values: object) -> CheckConstraint:
    """Return the check that `column` holds one of a Literal type's values."""
    listed = ", ".join(f"'{value}'" for value in get_args(values))
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def check(rule: str, condition: str) -> CheckConstraint:
    """Return the check `ck_<table>_<rule>`."""
    return CheckConstraint(condition, name=rule)


def not_blank(column: str, longest: int) -> CheckConstraint:
    """Return the check that a text has 1 to `longest` characters, at least one of them visible."""
    return CheckConstraint(f"{column} ~ '\\S' AND char_length({column}) <= {longest}", name=column)


def is_object(column: str) -> CheckConstraint:
    """Return the check that a jsonb column holds an object."""
    return CheckConstraint(f"jsonb_typeof({column}) = 'object'", name=column)


def money_checks(amount: str, currency: str = "currency") -> tuple[CheckConstraint, CheckConstraint]:
    """Return the checks that an amount is above zero and has the decimals its currency knows (IDR: none).

    PostgreSQL's numeric knows NaN and holds it to be greater than any number, so it is refused by name.
    """
    return (
        CheckConstraint(f"{amount} > 0 AND {amount} <> 'NaN'", name=amount),
        CheckConstraint(f"{currency} <> 'IDR' OR {amount} = trunc({amount})", name=f"{amount}_decimals"),
    )


def currency_code() -> CheckConstraint:
    """Return the check that a currency is three capital letters."""
    return CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency")


def references(column: str, *, on_delete: Literal["CASCADE", "RESTRICT", "SET NULL"]) -> ForeignKey:
    """Return a foreign key to `table.column`; what deletion does is always said."""
    return ForeignKey(column, ondelete=on_delete)
