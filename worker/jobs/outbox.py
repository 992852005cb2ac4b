"""The outbox: tasks written into the transaction that makes them necessary. They run after it commits, or never.

An entry is handed to the broker by the relay (`worker.jobs.relay`) and is done when its task has committed that it is
(`worker.jobs.delivery`); until then it is sent again, so neither Redis nor any process can lose it: docs/outbox.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.db import Connection
from worker.db.queries import load_query
from worker.ids import uuid7

PACKAGE: Final = "worker.jobs"
_encode: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task to be run."""

    task: str
    payload: Mapping[str, Any]
    """Its parameters by name, as JSON values: ids, not data."""
    dedupe_key: str | None = None
    """At most one entry of a key waits at a time; None: no such limit."""
    not_before: datetime | None = None
    """None: at once."""
    id: UUID | None = None
    """The sender's own, for entries that may be sent twice and must count once; None: a new one."""


def enqueue(
    connection: Connection,
    task: str,
    payload: Mapping[str, Any],
    *,
    dedupe_key: str | None = None,
    not_before: datetime | None = None,
    now: datetime,
) -> UUID | None:
    """Have a task run after the caller's transaction commits, and never if it rolls back.

    Args:
        connection: in the transaction that makes the task necessary.
        task: its name, such as `jobs.start`.
        payload: its parameters by name, as JSON values.
        dedupe_key: nothing is added while an entry of this key waits; that one then runs after this transaction, too,
            with its own payload, at the earlier of both times.
        not_before: when it may run at the earliest; None: at once.
        now: the present instant.

    Returns:
        The entry's id, which is also its Celery task id; None: an entry of this key waits already.

    Raises:
        psycopg.errors.CheckViolation: there is no such task, or it does not take such a payload; the error's hint is
            the remedy, and the caller's transaction is over.
    """
    return enqueue_many(
        connection, [Entry(task=task, payload=payload, dedupe_key=dedupe_key, not_before=not_before)], now=now
    )[0]


def enqueue_many(connection: Connection, entries: Iterable[Entry], *, now: datetime) -> list[UUID | None]:
    """Do what `enqueue` does for each entry, with one statement; return for each its id, or None.

    Raises:
        psycopg.errors.CheckViolation: as `enqueue`; none of them is written.
    """
    identified = [entry if entry.id else replace(entry, id=uuid7(now)) for entry in entries]
    if not identified:
        return []
    values = enqueue_values(identified, now)
    written = {row[0] for row in connection.execute(load_query(PACKAGE, "enqueue"), values)}
    return new_ids(identified, written)


def enqueue_values(entries: Sequence[Entry], now: datetime) -> dict[str, Any]:
    """Return the parameters of `queries/enqueue.sql` for entries that have ids.

    Of those that share an id or a dedupe key only the first is kept, at the earliest of their times: one statement
    cannot touch a row twice.
    """
    kept: dict[object, Entry] = {}
    ids: set[UUID | None] = set()
    for entry in entries:
        if entry.id in ids:
            continue
        ids.add(entry.id)
        key = entry.id if entry.dedupe_key is None else entry.dedupe_key
        first = kept.setdefault(key, entry)
        if first is not entry and first.not_before is not None:
            earlier = None if entry.not_before is None else min(first.not_before, entry.not_before)
            kept[key] = replace(first, not_before=earlier)
    return {
        "ids": [entry.id for entry in kept.values()],
        "tasks": [entry.task for entry in kept.values()],
        "payloads": [_encode.encode(entry.payload).decode() for entry in kept.values()],
        "dedupe_keys": [entry.dedupe_key for entry in kept.values()],
        "not_before": [entry.not_before for entry in kept.values()],
        "now": now,
    }


def new_ids(entries: Sequence[Entry], written: set[UUID]) -> list[UUID | None]:
    """Return for each entry its id if it was written, else None; `written` is what the statement returned."""
    unseen = set(written)
    result: list[UUID | None] = []
    for entry in entries:
        is_new = entry.id in unseen
        result.append(entry.id if is_new else None)
        unseen.discard(entry.id)  # type: ignore[arg-type]  # a set of ids may be asked for None
    return result
