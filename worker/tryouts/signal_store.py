"""SQL of the signals: what to look at, and what was found."""

from collections.abc import Iterable
from datetime import datetime
from itertools import compress
from statistics import median
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.db import Connection
from worker.db.queries import load_query
from worker.tryouts import signals, store
from worker.tryouts.scoring import Form, Verdict
from worker.tryouts.store import PACKAGE

MOST_SITTINGS: Final = 10_000
"""Sittings of a set compared with one another; their pairs grow with the square."""
_CHUNK: Final = 1_000


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
    }
    findings = []
    for set_id, form in store.load_graders(connection, sets_scored(connection, after, until)).items():
        rows = connection.execute(load_query(PACKAGE, "timed_answers"), {"set_id": set_id, **values})
        for session_id, answers, times_ms, are_fast in rows:
            right = [_is(form, answer, "right") for answer in answers]
            timed = list(compress(times_ms, right))
            fast = sum(compress(are_fast, right))
            if fast < max(signals.FAST_LEAST, signals.FAST_SHARE * len(timed)):
                continue
            evidence = {"right_answers_timed": len(timed), "impossibly_fast": fast, "median_ms": round(median(timed))}
            findings.append(
                {
                    "session_id": session_id,
                    "other_id": None,
                    "kind": "impossible_speed",
                    "strength": round(fast / len(timed), 4),
                    "evidence": evidence,
                }
            )
    return findings


def similar_findings(connection: Connection, set_id: UUID, after: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return the pairs of a set's sittings with improbably many identical wrong answers, as findings to save."""
    values = {"set_id": set_id, "after": after, "until": until, "most": MOST_SITTINGS}
    ids = [session_id for (session_id,) in connection.execute(load_query(PACKAGE, "sittings_to_compare"), values)]
    form = store.load_graders(connection, [set_id])[set_id]
    numbers: dict[str, int] = {}
    wrong = []
    for start in range(0, len(ids), _CHUNK):
        for row, answers in enumerate(store.load_answers(connection, ids[start : start + _CHUNK]).values(), start):
            for answer in answers:
                outcome = form.outcome(answer)
                if outcome is not None and outcome.verdict == "wrong":
                    wrong.append((row, outcome.number, numbers.setdefault(answer, len(numbers))))
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


def _is(form: Form, answer: str, verdict: Verdict) -> bool:
    outcome = form.outcome(answer)
    return outcome is not None and outcome.verdict == verdict


def save(connection: Connection, findings: Iterable[dict[str, Any]], now: datetime) -> int:
    """Keep findings; one that is known gets its newest strength and evidence. Return how many were given."""
    kept = list(findings)
    if kept:
        found = msgspec.json.encode(kept).decode()
        connection.execute(load_query(PACKAGE, "save_signals"), {"found": found, "now": now})
    return len(kept)
