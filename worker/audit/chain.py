"""Whether the chain holds: digests computed anew from what the tables say, never by the database's own functions. Pure.

An intruder who may do everything in the database can still compute the whole chain anew from some entry on. Only a copy
of a block's digest kept elsewhere (an anchor) shows that: `elp audit verify` prints the last one.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec

_NOTHING: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is stored; instants in µs since 1970, JSON as PostgreSQL writes it."""

    id: UUID
    block_id: UUID
    occurred_us: int
    created_us: int
    texts: Sequence[str | None]
    """Actor, action, type and id of the object, before, after."""
    digest: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it is stored, with the entries that say they are in it."""

    number: int
    block_id: UUID
    count: int
    digest: bytes
    entries: Sequence[Entry]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it was recorded."""

    kind: str
    """`entry_changed`, `entry_unsealed`, `block_broken`, `block_missing` or `anchor_differs`."""
    block: int | None
    entry: UUID | None
    message: str


def entry_digest(entry: Entry) -> bytes:
    """Return an entry's digest, as the SQL function `audit_digest` defines it."""
    whole = hashlib.sha256(entry.id.bytes + entry.block_id.bytes)
    whole.update(struct.pack(">qq", entry.occurred_us, entry.created_us))
    for text in entry.texts:
        whole.update(_NOTHING if text is None else hashlib.sha256(text.encode()).digest())
    return whole.digest()


def block_digest(before: bytes, block: Block) -> bytes:
    """Return a block's digest: over that of the block before, its number, its id and its entries' digests."""
    whole = hashlib.sha256(before + struct.pack(">q", block.number) + block.block_id.bytes)
    for entry in sorted(block.entries, key=lambda each: each.id.bytes):
        whole.update(entry.digest)
    return whole.digest()


def read_blocks(rows: Iterable[tuple[Any, ...]]) -> Iterator[Block | Entry]:
    """Yield the blocks, then the entries that belong to none, of the rows of `read_chain.sql`."""
    for (number, block_id, count, digest), group in groupby(rows, key=lambda row: row[:4]):
        entries = (
            Entry(row[4], row[5], row[6], row[7], row[8:14], bytes(row[14])) for row in group if row[4] is not None
        )
        if number is None:
            yield from entries
        else:
            yield Block(number, block_id, count, bytes(digest), list(entries))


def check(chain: Iterable[Block | Entry], anchor: tuple[int, bytes] | None = None) -> Iterator[Finding]:
    """Yield what does not fit, in the order of the chain; a broken block breaks itself alone.

    Args:
        chain: what `read_blocks` yields.
        anchor: number and digest of a block as they were noted elsewhere.
    """
    before, expected = b"", 1
    for part in chain:
        if isinstance(part, Entry):
            yield Finding("entry_unsealed", None, part.id, "the entry is in no block: it was put in past the trigger")
            continue
        if part.number != expected:
            missing = f"block {expected}" if part.number == expected + 1 else f"blocks {expected} to {part.number - 1}"
            yield Finding("block_missing", expected, None, f"{missing} missing")
        changed = [entry for entry in part.entries if entry_digest(entry) != entry.digest]
        for entry in changed:
            yield Finding("entry_changed", part.number, entry.id, "the entry does not say what it said when recorded")
        if block_digest(before, part) != part.digest and part.number == expected:
            count = len(part.entries)
            held = "" if count == part.count else f": it had {part.count:,} entries and has {count:,}"
            yield Finding("block_broken", part.number, None, f"the block's digest is not that of its entries{held}")
        if anchor is not None and part.number == anchor[0] and part.digest != anchor[1]:
            yield Finding("anchor_differs", part.number, None, "the block's digest is not the one noted elsewhere")
        before, expected = part.digest, part.number + 1
    if anchor is not None and anchor[0] >= expected:
        yield Finding("block_missing", anchor[0], None, "the block noted elsewhere is not there any more")
