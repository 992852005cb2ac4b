"""A settlement report as a CSV file: recognised by its header, read a line at a time, wrong lines named.

A wrong line never stops the others, and memory does not grow with the file.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from worker.billing.errors import ReportError
from worker.billing.report_fields import (
    JAKARTA,
    FieldError,
    amount_of,
    currency_of,
    day_of,
    instant_of,
    plain_name,
    reference_of,
)
from worker.billing.report_layouts import LAYOUTS, Layout, Names
from worker.billing.settlement import LineKind, LineStatus, SettlementLine

_WITH_REFERENCE: Final = ("charge", "refund", "chargeback")


class LineProblem(msgspec.Struct, frozen=True):
    """A line that can't be read."""

    number: int
    """The line in the file, the header being 1 (as an editor counts)."""
    field: str
    """The column, as the header names it."""
    problem: str
    """What is wrong, and what to do about it."""


class NumberedLine(msgspec.Struct, frozen=True):
    """A line that could be read, and where it stands."""

    number: int
    line: SettlementLine


def read_report(
    text: Iterable[str], *, gateway: str | None = None, layout: str | None = None
) -> Iterator[NumberedLine | LineProblem]:
    """Yield each line of a report, or what is wrong with it; empty lines are passed over.

    Args:
        text: the file's lines (opened with `newline=""` and encoding `utf-8-sig`).
        gateway: whose report it is; None: as the layout or the file's column says.
        layout: its layout; None: recognised by the header.

    Raises:
        ReportError: the file as a whole can't be read: no header, an unknown layout, a needed column missing.
    """
    lines = iter(text)
    header = next(lines, "")
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(_again(header, lines), delimiter=delimiter)
    try:
        columns = [name.strip() for name in next(rows, [])]
        reader = _Reader(columns, _layout_of(columns, layout), gateway)
        for row in rows:
            if any(cell.strip() for cell in row):
                try:
                    yield NumberedLine(rows.line_num, reader.line(row))
                except FieldError as error:
                    yield LineProblem(rows.line_num, error.field, error.problem)
    except csv.Error as error:
        raise ReportError(f"line {rows.line_num}: {error}: take the file as the gateway made it") from None


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _layout_of(columns: Sequence[str], wanted: str | None) -> Layout:
    names = {plain_name(column) for column in columns}
    if not names - {""}:
        raise ReportError("the file is empty: the first line must name the columns")
    if wanted is not None:
        if wanted not in LAYOUTS:
            raise ReportError(f"there is no layout {wanted!r}: {', '.join(LAYOUTS)}")
        return LAYOUTS[wanted]
    for layout in LAYOUTS.values():
        if names.issuperset(layout.marks):
            return layout
    known = "; ".join(f"{layout.name}: {', '.join(layout.marks)}" for layout in LAYOUTS.values())
    raise ReportError(
        f"columns {', '.join(columns)[:500]} are of no known report. Columns that tell the layouts apart: {known}."
        " Export with these columns, or name the layout"
    )


class _Reader:
    """Reads rows of one file: which column is what is looked up once."""

    def __init__(self, columns: Sequence[str], layout: Layout, gateway: str | None) -> None:
        self.columns = columns
        self.layout = layout
        self.gateway = gateway or (None if layout.gateway else layout.name)
        names: dict[str, int] = {}
        for index, column in enumerate(columns):
            names.setdefault(plain_name(column), index)
        self.names = names
        # Of columns that may stand for one another a row takes the first that it fills.
        self.amounts = self._found(layout.amount, needed=True)
        self.occurred = self._found(layout.occurred_at, needed=True)
        self.settled = self._found(layout.settled_on)
        self.references = self._found(layout.reference)
        self.refund_references = self._found(layout.refund_reference)
        if not layout.refunds_share_reference:
            self.refund_references += self.references
        self.refund_amounts = self._found(layout.refund_amount) + self.amounts
        self.refund_occurred = self._found(layout.refund_occurred_at) + self.occurred
        self.orders = self._found(layout.order_id)
        self.kinds = self._found(layout.kind)
        self.statuses = self._found(layout.status)
        self.currencies = self._found(layout.currency)
        self.gateways = self._found(layout.gateway)
        self.fees = [found for each in layout.fees if (found := self._found(each))]
        if not self.kinds and not layout.kinds_by_status:
            raise ReportError(f"the column {layout.kind[0]!r} is missing: export with it")

    def _found(self, names: Names, *, needed: bool = False) -> tuple[int, ...]:
        found = tuple(self.names[name] for name in names if name in self.names)
        if needed and not found:
            raise ReportError(f"the column {names[0]!r} is missing: export with it (also known as {', '.join(names)})")
        return found

    def line(self, row: Sequence[str]) -> SettlementLine:
        """Return what a row says.

        Raises:
            FieldError: a field can't be read.
        """
        if len(row) != len(self.columns):
            raise FieldError(
                self.columns[min(len(row), len(self.columns)) - 1],
                f"the line has {len(row)} fields, the header {len(self.columns)}: quote fields that hold the delimiter",
            )
        field, text = self._first(row, self.currencies)
        currency = currency_of(field, text) if text else "IDR"
        status_field, status_word = self._first(row, self.statuses)
        kind = self._kind(row, status_word)
        takes_back = kind in {"refund", "chargeback"}
        field, text = self._first(row, self.refund_amounts if takes_back else self.amounts)
        amount = amount_of(field, text, currency)
        if not amount:
            raise FieldError(field, "is 0: leave out lines that move no money")
        field, text = self._first(row, self.refund_occurred if takes_back else self.occurred)
        occurred_at = instant_of(field, text)
        field, text = self._first(row, self.settled)
        settled_on = day_of(field, text) if text and text != "-" else None
        reference = self._reference(row, self.refund_references if takes_back else self.references)
        order_id = self._reference(row, self.orders)
        if kind in _WITH_REFERENCE and reference is None and order_id is None:
            index = (self.references or self.orders or (0,))[0]
            raise FieldError(self.columns[index], "is empty, as is the order's id: nothing tells whose payment it is")
        return SettlementLine(
            gateway=self._gateway(row),
            gateway_reference=reference,
            order_id=order_id,
            kind=kind,
            amount=amount,
            fee=self._fee(row, currency) if kind in _WITH_REFERENCE else Decimal(0),
            currency=currency,
            status=self._status(status_field, status_word, is_settled=settled_on is not None),
            occurred_at=occurred_at,
            settled_on=settled_on or occurred_at.astimezone(JAKARTA).date(),
        )

    def _first(self, row: Sequence[str], indexes: tuple[int, ...]) -> tuple[str, str]:
        """Return the first of some columns that the row fills, and its text; an empty text if none is filled."""
        for index in indexes:
            if text := row[index].strip():
                return self.columns[index], text
        return (self.columns[indexes[0]] if indexes else "?"), ""

    def _reference(self, row: Sequence[str], indexes: tuple[int, ...]) -> str | None:
        return reference_of(*self._first(row, indexes))

    def _gateway(self, row: Sequence[str]) -> str:
        field, text = self._first(row, self.gateways)
        if text and self.gateway and text != self.gateway:
            raise FieldError(
                field, f"is {text!r}, the file's gateway {self.gateway!r}: import each gateway's by itself"
            )
        self.gateway = self.gateway or text
        if not self.gateway:
            raise FieldError(field, "is missing: name the gateway in this column or when importing")
        return self.gateway

    def _kind(self, row: Sequence[str], status_word: str) -> LineKind:
        field, word = self._first(row, self.kinds)
        if not word:
            return self.layout.kinds_by_status.get(_word(status_word), "charge")
        try:
            return self.layout.kinds[_word(word)]
        except KeyError:
            known = ", ".join(self.layout.kinds)
            raise FieldError(
                field, f"{word!r} is no movement that is reconciled ({known}): nothing to do, unless it is ours"
            ) from None

    def _status(self, field: str, word: str, *, is_settled: bool) -> LineStatus:
        try:
            status = self.layout.statuses[_word(word)] if word else "settled"
        except KeyError:
            raise FieldError(field, f"unknown status {word!r}: known are {', '.join(self.layout.statuses)}") from None
        return "pending" if status == "settled" and self.layout.needs_settlement and not is_settled else status

    def _fee(self, row: Sequence[str], currency: str) -> Decimal:
        fee = Decimal(0)
        for indexes in self.fees:
            field, text = self._first(row, indexes)
            if text and text != "-":
                fee += amount_of(field, text, currency)
        return fee


def _word(text: str) -> str:
    return text.strip().upper().replace(" ", "_").replace("-", "_")
