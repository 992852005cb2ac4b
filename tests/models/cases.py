"""How the tables of cases are written: for each check, rows that it refuses and rows that it accepts."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from psycopg import Connection

from worker.models import Base

Values = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One check: values over the factory's row that break it alone, and values at its very boundary that keep it.

    A value may be a function of a connection that makes the row to refer to.
    """

    constraint: str
    refused: tuple[Values, ...]
    accepted: tuple[Values, ...]

    @property
    def table(self) -> str:
        tables = [name for name in Base.metadata.tables if self.constraint.startswith(f"ck_{name}_")]
        return max(tables, key=len)


def case(constraint: str, *, refused: Iterable[Values], accepted: Iterable[Values]) -> Case:
    return Case(constraint, tuple(refused), tuple(accepted))


def bounds(table: str, column: str, lowest: Any, highest: Any = None, step: Any = 1) -> Case:
    """A number from `lowest` to `highest` (None: no upper bound), refused one step outside."""
    edges = [(lowest, -step)] + ([(highest, step)] if highest is not None else [])
    return Case(
        f"ck_{table}_{column}",
        tuple({column: edge + outwards} for edge, outwards in edges),
        tuple({column: edge} for edge, _ in edges),
    )


def vocabulary(
    table: str,
    column: str,
    words: Any,
    *,
    needs: dict[str, Values] | None = None,
    outside: str = "other",
    stranger: Values | None = None,
) -> Case:
    """A text that must be one of a Literal's words, in their own case.

    Args:
        needs: what else a row with a certain word must have.
        outside: a word that is refused.
        stranger: what else a row with that word must have, to break no other rule.
    """
    refused = (outside, get_args(words)[0].swapcase())
    return Case(
        f"ck_{table}_{column}",
        tuple({column: word, **(stranger or {})} for word in refused),
        tuple({column: word, **(needs or {}).get(word, {})} for word in get_args(words)),
    )


def filled(table: str, column: str, longest: int) -> Case:
    """A text of 1 to `longest` characters, not only white space; characters, not bytes."""
    return Case(
        f"ck_{table}_{column}",
        ({column: ""}, {column: " \t\n"}, {column: "é" * (longest + 1)}),
        ({column: "x"}, {column: "é" * longest}),
    )


def json_object(table: str, column: str) -> Case:
    return Case(f"ck_{table}_{column}", ({column: []}, {column: "text"}), ({column: {}}, {column: {"key": [1]}}))


def money(table: str, column: str = "amount") -> list[Case]:
    """An amount above zero, without decimals in rupiah."""
    return [
        Case(
            f"ck_{table}_{column}",
            ({column: Decimal(0)}, {column: Decimal(-1)}),
            ({column: Decimal(1)}, {column: Decimal("0.01"), "currency": "USD"}),
        ),
        Case(
            f"ck_{table}_{column}_decimals",
            ({column: Decimal("99000.50"), "currency": "IDR"}, {column: Decimal("0.01"), "currency": "IDR"}),
            ({column: Decimal("99000.00"), "currency": "IDR"}, {column: Decimal("9.99"), "currency": "USD"}),
        ),
        Case(
            f"ck_{table}_currency",
            ({"currency": "idr"}, {"currency": "ID"}, {"currency": "R1D"}),
            ({"currency": "IDR"}, {"currency": "USD"}),
        ),
    ]


def resolve(connection: Connection[Any], values: Values) -> Values:
    """Make the rows that functions among the values stand for."""
    return {name: value(connection) if callable(value) else value for name, value in values.items()}
