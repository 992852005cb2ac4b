"""SQL of the signals: what to look at, and what was found."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.db import Connection
from worker.db.queries import load_query
from worker.tryouts import signals
from worker.tryouts.store import PACKAGE

MOST_SITTINGS: Final = 10_000
"""Sittings of a set compared with one another; their pairs grow with the square."""


def sets_scored(connection: Connection, after: datetime, until: datetime) -> list[UUID]:
    """Return the sets with sittings scored after one instant and up to another."""
    rows = connection.execute(load_query(PACKAGE, "sets_scored_since"), {"after": after, "until": until})
    return [set_id for (set_id,) in rows]


def fast_findings(connection: Connection, after: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return the sittings scored in a span of time with improbably fast right answers, as findings to save."""
    values = {
        "after": after,
        "until": until,
        "below_ms": signals.FAST_BELOW_MS,
        "share_of_usual": signals.FAST_SHARE_OF_USUAL,
        "least": signals.FAST_LEAST,
        "share": signals.FAST_SHARE,
    }
    return [
        {
            "session_id": session_id,
            "other_id": None,
            "kind": "impossible_speed",
            "strength": round(fast / timed, 4),
            "evidence": {"right_answers_timed": timed, "impossibly_fast": fast, "median_ms": median_ms},
        }
        for session_id, timed, fast, median_ms in connection.execute(load_query(PACKAGE, "fast_sessions"), values)
    ]


def similar_findings(connection: Connection, set_id: UUID, after: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return the pairs of a set's sittings with improbably many identical wrong answers, as findings to save."""
    values = {"set_id": set_id, "after": after, "until": until, "most": MOST_SITTINGS}
    sessions: dict[UUID, int] = {}
    questions: dict[UUID, int] = {}
    answers: dict[tuple[UUID, str], int] = {}
    wrong = []
    cursor = connection.cursor(binary=True)
    for session_id, question_id, answer in cursor.execute(load_query(PACKAGE, "wrong_answers"), values):
        wrong.append(
            (
                sessions.setdefault(session_id, len(sessions)),
                questions.setdefault(question_id, len(questions)),
                answers.setdefault((question_id, answer), len(answers)),
            )
        )
    ids = list(sessions)
    findings = []
    for pair in signals.similar_pairs(len(ids), wrong):
        first, second = sorted((ids[pair.first], ids[pair.second]))
        findings.append(
            {
                "session_id": first,
                "other_id": second,
                "kind": "similar_answers",
                "strength": pair.strength,
                "evidence": {
                    "identical_wrong_answers": pair.identical,
                    "both_wrong": pair.both_wrong,
                    "expected_identical": pair.expected,
                },
            }
        )
    return findings


def save(connection: Connection, findings: Iterable[dict[str, Any]], now: datetime) -> int:
    """Keep findings; one that is known gets its newest strength and evidence. Return how many were given."""
    kept = list(findings)
    if kept:
        found = msgspec.json.encode(kept).decode()
        connection.execute(load_query(PACKAGE, "save_signals"), {"found": found, "now": now})
    return len(kept)
