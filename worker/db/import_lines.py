"""Lines of CSV and JSON Lines, read into values by column; what cannot be read is reported by its line."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from worker.errors import ElpError


class ImportRefusedError(ElpError):
    """A file cannot be imported at all.

    Attributes:
        errors: the bad lines found so far, if that is why.
    """

    def __init__(self, message: str, errors: Sequence["LineError"] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class LineError:
    """Why one line was not imported."""

    line: int
    """From 1; of several lines that make one CSV record, the first."""
    field: str | None
    """The column at fault, or several with commas; None: the line as a whole."""
    message: str


@dataclass(frozen=True, slots=True)
class Column:
    """What the import must know about a column."""

    name: str
    holds_json: bool
    holds_text: bool
    may_be_null: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One row to import."""

    line: int
    values: dict[str, Any]
    """JSON values by column, as PostgreSQL's json_populate_recordset takes them."""
    size: int
    """Its text, in characters."""


def read_csv(lines: Iterable[bytes], columns: Mapping[str, Column]) -> Iterator[Record | LineError]:
    """Yield each record of a CSV file with a header, or why it cannot be read.

    An empty field is NULL; where the column does not allow NULL it is the empty text, or, in a column that isn't text,
    left to the column's default.

    Raises:
        ImportRefusedError: the header is missing, or names a column twice or one that isn't in `columns`.
    """
    reader = csv.reader(_decoded(lines))
    header = [name.strip() for name in next(reader, [])]
    _check_header(header, columns)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield LineError(line, None, f"not CSV: {error}")
            continue
        if not fields:
            continue
        if len(fields) != len(header):
            yield LineError(line, None, f"has {len(fields)} fields, the header {len(header)}")
            continue
        yield _csv_record(line, zip((columns[name] for name in header), fields, strict=True))


def read_json_lines(lines: Iterable[bytes], columns: Mapping[str, Column]) -> Iterator[Record | LineError]:
    """Yield each record of a JSON Lines file, or why it cannot be read; columns left out take their defaults."""
    # Raw: values stay as they are written, so no number loses digits on the way.
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    for number, text in enumerate(_decoded(lines), start=1):
        if not text.strip():
            continue
        if _has_surrogate(text):
            yield LineError(number, None, "is not UTF-8")
            continue
        try:
            values = decoder.decode(text)
        except msgspec.MsgspecError as error:
            yield LineError(number, None, f"is not a JSON object: {error}")
            continue
        except RecursionError:
            yield LineError(number, None, "is nested too deeply")
            continue
        unknown = next((name for name in values if name not in columns), None)
        if unknown is not None:
            yield LineError(number, unknown[:80], "there is no such column")
        else:
            yield Record(number, dict(values), len(text))


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Decode lines, leaving out the byte order mark that spreadsheets put before the first.

    Bytes that are no UTF-8 become lone surrogates, so that the field which has them can be named.
    """
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _check_header(header: Sequence[str], columns: Mapping[str, Column]) -> None:
    if not any(header):
        raise ImportRefusedError("line 1: a CSV file begins with a header that names its columns")
    if unknown := [name for name in header if name not in columns]:
        raise ImportRefusedError(f"line 1: there is no column {', '.join(map(repr, unknown))}")
    if repeated := {name for name in header if header.count(name) > 1}:
        raise ImportRefusedError(f"line 1: more than one column is called {', '.join(sorted(repeated))}")


def _csv_record(line: int, fields: Iterable[tuple[Column, str]]) -> Record | LineError:
    values: dict[str, Any] = {}
    size = 0
    for column, field in fields:
        size += len(field)
        if _has_surrogate(field):
            return LineError(line, column.name, "is not UTF-8")
        if not field:
            if column.may_be_null:
                values[column.name] = None
            elif column.holds_text:
                values[column.name] = ""
        elif column.holds_json:
            try:
                msgspec.json.decode(field)
            except (msgspec.MsgspecError, RecursionError) as error:
                return LineError(line, column.name, f"is not JSON: {error}")
            values[column.name] = msgspec.Raw(field.encode())
        else:
            values[column.name] = field
    return Record(line, values, size)
