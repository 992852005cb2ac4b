"""Reading the whole log and checking it, in a snapshot and with flat memory."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg import sql

from worker.audit.chain import Block, Entry, Finding, check, read_blocks
from worker.audit.errors import InvalidAnchorError
from worker.db import Connection
from worker.db.queries import load_query

_PACKAGE: Final = "worker.audit"
_PAGE: Final = 5_000
_DIGEST_HEX: Final = 64

FINDINGS_MAX: Final = 1_000
"""More are counted, not listed."""


class Verification(msgspec.Struct):
    """What a check of the audit log found."""

    blocks: int
    entries: int
    last: str | None
    """The last block as an anchor, `NUMBER:DIGEST`: kept elsewhere it shows later that nothing up to it was altered."""
    alterations: int
    findings: list[Finding]
    """The first `FINDINGS_MAX` of them."""


class Recorded(msgspec.Struct):
    """An entry as people read it."""

    occurred_at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    before: Any
    after: Any


def read_anchor(text: str) -> tuple[int, bytes]:
    """Return number and digest of an anchor.

    Raises:
        InvalidAnchorError: the text is none.
    """
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != _DIGEST_HEX:
        raise InvalidAnchorError
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError:
        raise InvalidAnchorError from None


def verify(connection: Connection, anchor: tuple[int, bytes] | None = None) -> Verification:
    """Check every entry and block.

    Args:
        connection: in a transaction; of level REPEATABLE READ while others write.
        anchor: a block as it was noted elsewhere.
    """
    result = Verification(blocks=0, entries=0, last=None, alterations=0, findings=[])
    with connection.cursor("audit_chain") as cursor:
        cursor.itersize = _PAGE
        cursor.execute(load_query(_PACKAGE, "read_chain"))
        for finding in check(_counted(read_blocks(cursor), result), anchor):
            result.alterations += 1
            if len(result.findings) < FINDINGS_MAX:
                result.findings.append(finding)
    return result


def list_entries(
    connection: Connection,
    *,
    actor: str | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    limit: int,
) -> Sequence[Recorded]:
    """Return the newest entries, newest first."""
    values = {"actor": actor, "object_type": object_type, "object_id": object_id, "limit": limit}
    return [Recorded(*row) for row in connection.execute(load_query(_PACKAGE, "list_entries"), values)]


def take_snapshot(connection: Connection) -> None:
    """Have the transaction that just began see one moment, and change nothing."""
    connection.execute(sql.SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def _counted(chain: Iterable[Block | Entry], result: Verification) -> Iterator[Block | Entry]:
    for part in chain:
        if isinstance(part, Block):
            result.blocks += 1
            result.entries += len(part.entries)
            result.last = f"{part.number}:{part.digest.hex()}"
        else:
            result.entries += 1
        yield part
