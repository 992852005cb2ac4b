"""SQL of calibration: the responses of all tryouts, what was found about each question, and abilities."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from worker.db import Connection
from worker.db.queries import load_query
from worker.tryouts import store
from worker.tryouts.calibration import Finding, ResponseTable
from worker.tryouts.scoring import Form
from worker.tryouts.store import PACKAGE

MOST_SITTINGS: Final = 20_000
"""Newest sittings of a set that a calibration looks at: standard errors are small by then, memory is not endless."""
_CHUNK: Final = 5_000


def load_responses(connection: Connection) -> tuple[list[ResponseTable], dict[UUID, tuple[float, float]]]:
    """Return the responses of each set, and the present parameters (a, b) of the questions that have some."""
    by_set: dict[UUID, list[UUID]] = {}
    for session_id, set_id in connection.execute(load_query(PACKAGE, "sessions_to_calibrate"), {"most": MOST_SITTINGS}):
        by_set.setdefault(set_id, []).append(session_id)
    forms = store.load_graders(connection, by_set)
    known = {
        question.id: (question.discrimination, question.difficulty)
        for form in forms.values()
        for question in form.counted
        if question.discrimination is not None and question.difficulty is not None
    }
    tables = [
        _responses(connection, forms[set_id], session_ids)
        for set_id, session_ids in by_set.items()
        if forms[set_id].counted
    ]
    return tables, known


def _responses(connection: Connection, form: Form, session_ids: Sequence[UUID]) -> ResponseTable:
    order = [question.id for question in form.counted]
    values = np.zeros((len(session_ids), len(order)), dtype=np.int8)
    reached = np.zeros(len(session_ids), dtype=np.int64)
    for start in range(0, len(session_ids), _CHUNK):
        answers = store.load_answers(connection, session_ids[start : start + _CHUNK])
        for row, given in enumerate(answers.values(), start):
            outcomes = [outcome for outcome in map(form.outcome, given) if outcome is not None]
            values[row, [outcome.number for outcome in outcomes if outcome.verdict == "right"]] = 1
            reached[row] = max((outcome.number + 1 for outcome in outcomes), default=0)
    # A question left out among answered ones is wrong; those after the last answer were not reached.
    values[np.arange(len(order))[None, :] >= reached[:, None]] = -1
    return ResponseTable(order, values)


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
