"""Taking a gateway's report in: each line once, whatever report repeats it; the same report again is nothing.

Lines go in a few thousand at a time, so that memory stays flat, and all in the caller's transaction, so that a report
is there whole or not at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b, file_digest, sha256
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from worker.billing.errors import ReportError
from worker.billing.report_files import LineProblem, NumberedLine, read_report
from worker.billing.settlement import SettlementLine
from worker.db.engines import Connection
from worker.db.queries import load_query
from worker.ids import uuid7

Source = Literal["api", "file", "lookup"]

_query = partial(load_query, "worker.billing")
_BATCH: Final = 5_000
_PROBLEMS_KEPT: Final = 100


class Imported(msgspec.Struct, frozen=True):
    """What an import did."""

    import_id: UUID
    gateway: str
    is_new: bool
    """False: the same report was imported before, and nothing was done."""
    lines: int
    added: int
    rejected: int
    problems: list[LineProblem]
    """The first rejected lines."""


def import_file(
    connection: Connection,
    path: Path,
    *,
    gateway: str | None = None,
    layout: str | None = None,
    actor: str,
    now: datetime,
) -> Imported:
    """Import a CSV file in the caller's transaction.

    Lines that can't be read are reported and left out; once they are put right, the corrected file can be imported: it
    adds only what is missing.

    Raises:
        ReportError: the file can't be read as a whole, or has not a single line that can.
    """
    try:
        digest = _digest_of_file(path)
        with path.open(encoding="utf-8-sig", newline="") as text:
            entries = read_report(text, gateway=gateway, layout=layout)
            first, problems = _first_line(entries, path.name)
            return _take_in(
                connection,
                first,
                entries,
                problems,
                source="file",
                name=path.name,
                actor=actor,
                now=now,
                digest=digest,
            )
    except OSError as error:
        raise ReportError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ReportError(f"{path} is no UTF-8 text ({error.reason}): take the file as the gateway made it") from None


def import_lines(
    connection: Connection, lines: Iterable[SettlementLine], *, source: Source, name: str, actor: str, now: datetime
) -> Imported | None:
    """Import what an adapter listed, in the caller's transaction; None if nothing of it is new."""
    entries = (NumberedLine(number, line) for number, line in enumerate(lines, 1))
    first = next(entries, None)
    if first is None:
        return None
    found = _take_in(connection, first, entries, [], source=source, name=name, actor=actor, now=now)
    return found if found.added else None


def _first_line(entries: Iterator[NumberedLine | LineProblem], name: str) -> tuple[NumberedLine, list[LineProblem]]:
    problems: list[LineProblem] = []
    for entry in entries:
        if isinstance(entry, NumberedLine):
            return entry, problems
        problems.append(entry)
        if len(problems) == _PROBLEMS_KEPT:
            break
    if not problems:
        raise ReportError(f"{name} has no lines besides its header")
    first = problems[0]
    raise ReportError(
        f"{name}: none of its first lines can be read; line {first.number}, {first.field}: {first.problem}"
    )


def _take_in(
    connection: Connection,
    first: NumberedLine,
    entries: Iterator[NumberedLine | LineProblem],
    problems: list[LineProblem],
    *,
    source: Source,
    name: str,
    actor: str,
    now: datetime,
    digest: str | None = None,
) -> Imported:
    gateway = first.line.gateway
    import_id = uuid7(now)
    values = {"id": import_id, "gateway": gateway, "source": source, "name": name, "actor": actor, "now": now}
    # A report whose digest follows at the end has its id's until then.
    known = digest or sha256(import_id.bytes).hexdigest()
    if not connection.execute(_query("begin_import"), {**values, "digest": known}).rowcount:
        return _imported_before(connection, gateway, known)
    content = sha256()
    keys = _Keys()
    lines, added, rejected = 0, 0, len(problems)
    batch = [first]
    for entry in entries:
        if isinstance(entry, LineProblem):
            rejected += 1
            if len(problems) < _PROBLEMS_KEPT:
                problems.append(entry)
            continue
        batch.append(entry)
        if len(batch) == _BATCH:
            added += _add(connection, import_id, batch, keys, content.update)
            lines += len(batch)
            batch = []
    if batch:
        added += _add(connection, import_id, batch, keys, content.update)
        lines += len(batch)
    if digest is None and not added:
        connection.execute("DELETE FROM settlement_imports WHERE id = %s", (import_id,))
        return Imported(import_id, gateway, False, lines, 0, rejected, problems)
    connection.execute(
        "UPDATE settlement_imports SET digest = %s, lines = %s, added = %s, rejected = %s, problems = %s WHERE id = %s",
        (digest or content.hexdigest(), lines, added, rejected, Jsonb(msgspec.to_builtins(problems)), import_id),
    )
    if added:
        connection.execute(_query("set_standings"), {"import_id": import_id, "gateway": gateway})
    return Imported(import_id, gateway, True, lines, added, rejected, problems)


def _imported_before(connection: Connection, gateway: str, digest: str) -> Imported:
    row = connection.execute(
        "SELECT id, lines, rejected, problems FROM settlement_imports WHERE gateway = %s AND digest = %s",
        (gateway, digest),
    ).fetchone()
    assert row is not None, "its unique key was in the way"
    import_id, lines, rejected, problems = row
    return Imported(import_id, gateway, False, lines, 0, rejected, msgspec.convert(problems, list[LineProblem]))


class _Keys:
    """Makes the keys of one report's lines: equal lines have one, but fees and payouts, which may really be equal."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def of(self, line: SettlementLine) -> bytes:
        """Return the 16 bytes that stand for a line."""
        text = "\x1f".join(
            (
                line.gateway,
                line.kind,
                line.gateway_reference or "",
                line.order_id or "",
                f"{line.amount:f}",
                f"{line.fee:f}",
                line.currency,
                line.status,
                line.occurred_at.astimezone(UTC).isoformat(),
                line.settled_on.isoformat(),
            )
        ).encode()
        if line.kind in {"fee", "payout"}:
            self._seen[text] += 1
            text += b"\x1f%d" % self._seen[text]
        return blake2b(text, digest_size=16).digest()


def _add(
    connection: Connection,
    import_id: UUID,
    batch: Sequence[NumberedLine],
    keys: _Keys,
    digest: Callable[[bytes], object],
) -> int:
    """Add some lines and return how many were new."""
    line_keys = [keys.of(each.line) for each in batch]
    digest(b"".join(line_keys))
    lines = [each.line for each in batch]
    row = connection.execute(
        _query("add_lines"),
        {
            "import_id": import_id,
            "gateway": lines[0].gateway,
            "numbers": [each.number for each in batch],
            "keys": [UUID(bytes=key) for key in line_keys],
            "kinds": [line.kind for line in lines],
            "references": [line.gateway_reference for line in lines],
            "orders": [line.order_id for line in lines],
            "amounts": [line.amount for line in lines],
            "fees": [line.fee for line in lines],
            "currencies": [line.currency for line in lines],
            "statuses": [line.status for line in lines],
            "occurred": [line.occurred_at for line in lines],
            "settled": [line.settled_on for line in lines],
        },
    ).fetchone()
    return int(row[0]) if row else 0


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
