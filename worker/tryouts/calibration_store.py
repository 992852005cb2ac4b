"""SQL of calibration: the responses of all tryouts, what was found about each question, and abilities."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from worker.db import Connection
from worker.db.queries import load_query
from worker.tryouts.calibration import Finding, ResponseTable
from worker.tryouts.store import PACKAGE

MOST_SITTINGS: Final = 20_000
"""Newest sittings of a set that a calibration looks at: standard errors are small by then, memory is not endless."""
_CHUNK: Final = 5_000


def load_responses(connection: Connection) -> tuple[list[ResponseTable], dict[UUID, tuple[float, float]]]:
    """Return the responses of each set, and the present parameters (a, b) of the questions that have some."""
    by_set: dict[UUID, list[UUID]] = {}
    for session_id, set_id in connection.execute(load_query(PACKAGE, "sessions_to_calibrate"), {"most": MOST_SITTINGS}):
        by_set.setdefault(set_id, []).append(session_id)
    orders: dict[UUID, list[UUID]] = {set_id: [] for set_id in by_set}
    known: dict[UUID, tuple[float, float]] = {}
    for set_id, question_id, _, _, _, _, _, _, slope, difficulty in connection.execute(
        load_query(PACKAGE, "form_questions"), {"ids": list(by_set)}
    ):
        orders[set_id].append(question_id)
        if slope is not None and difficulty is not None:
            known[question_id] = (slope, difficulty)
    tables = [
        _responses(connection, orders[set_id], session_ids) for set_id, session_ids in by_set.items() if orders[set_id]
    ]
    return tables, known


def _responses(connection: Connection, order: Sequence[UUID], session_ids: Sequence[UUID]) -> ResponseTable:
    places = {question_id: place for place, question_id in enumerate(order)}
    values = np.zeros((len(session_ids), len(order)), dtype=np.int8)
    reached = np.zeros(len(session_ids), dtype=np.int64)
    rows = {session_id: row for row, session_id in enumerate(session_ids)}
    for start in range(0, len(session_ids), _CHUNK):
        cursor = connection.cursor(binary=True)
        for session_id, question_ids, are_right in cursor.execute(
            load_query(PACKAGE, "item_responses"), {"ids": list(session_ids[start : start + _CHUNK])}
        ):
            row = rows[session_id]
            for question_id, is_right in zip(question_ids, are_right, strict=True):
                place = places.get(question_id)
                if place is not None:
                    values[row, place] = is_right
                    reached[row] = max(reached[row], place + 1)
    # A question left out among answered ones is wrong; those after the last answer were not reached.
    values[np.arange(len(order))[None, :] >= reached[:, None]] = -1
    return ResponseTable(list(order), values)


def save_findings(connection: Connection, findings: Iterable[Finding], *, run_id: UUID | None, now: datetime) -> int:
    """Keep what was found, and take accepted parameters over into the questions; return how many questions changed."""
    kept = list(findings)
    found = msgspec.json.encode([each.shown() for each in kept]).decode()
    connection.execute(load_query(PACKAGE, "save_calibrations"), {"found": found, "run_id": run_id, "now": now})
    accepted = [each for each in kept if each.is_accepted]
    values = {
        "ids": [each.question_id for each in accepted],
        "discriminations": [each.item.slope for each in accepted],
        "difficulties": [each.difficulty for each in accepted],
    }
    return connection.execute(load_query(PACKAGE, "set_item_parameters"), values).rowcount


def sessions_without_ability(connection: Connection, set_id: UUID, limit: int) -> list[UUID]:
    """Return scored sittings of a set that have no ability estimate yet, this transaction's until it ends."""
    rows = connection.execute(load_query(PACKAGE, "sessions_without_ability"), {"set_id": set_id, "limit": limit})
    return [session_id for session_id, _ in rows]


def save_abilities(connection: Connection, estimates: Mapping[UUID, tuple[float, float, str, dict[str, Any]]]) -> None:
    """Write ability, error, level and what the result says of them, by sitting."""
    values = {
        "ids": list(estimates),
        "abilities": [each[0] for each in estimates.values()],
        "ability_errors": [each[1] for each in estimates.values()],
        "levels": [each[2] for each in estimates.values()],
        "additions": [msgspec.json.encode(each[3]).decode() for each in estimates.values()],
    }
    connection.execute(load_query(PACKAGE, "save_abilities"), values)
