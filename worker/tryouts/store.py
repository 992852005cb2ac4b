"""SQL of scoring: claiming sittings, their forms and answers, writing scores, and the cohort's counts."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.db import Connection
from worker.db.queries import load_query
from worker.tryouts.errors import MalformedScheme, UnknownSetError
from worker.tryouts.scheme import Scheme, read_scheme
from worker.tryouts.scoring import Form, FormRow, Score

PACKAGE: Final = "worker.tryouts"


@dataclass(frozen=True, slots=True)
class Sitting:
    """A sitting that is to be scored."""

    id: UUID
    user_id: UUID
    set_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a scored sitting's score is before it is scored again."""

    raw: Decimal
    most: Decimal | None
    is_passed: bool | None
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """A sitting with its new score and what goes with it; `estimate` is ability and error."""

    sitting: Sitting
    score: Score
    estimate: tuple[float, float] | None
    level: str | None
    result: dict[str, Any]


def expire(connection: Connection, *, closed_before: datetime, limit: int) -> int:
    """Close up to `limit` sittings whose deadline lies before `closed_before`; return how many were."""
    values = {"closed_before": closed_before, "limit": limit}
    return len(connection.execute(load_query(PACKAGE, "expire_sessions"), values).fetchall())


def is_any_overdue(connection: Connection, *, closed_before: datetime) -> bool:
    """Return whether a sitting's deadline lies before `closed_before`; one probe of idx_tryout_sessions_overdue."""
    return _exists(connection, "state = 'in_progress' AND deadline_at < %s", closed_before)


def is_any_unscored(connection: Connection) -> bool:
    """Return whether a sitting is over and not scored; one probe of idx_tryout_sessions_unscored."""
    return _exists(connection, "state IN ('submitted', 'expired') AND started_at IS NOT NULL")


def _exists(connection: Connection, condition: str, *values: object) -> bool:
    statement = f"SELECT EXISTS (SELECT FROM tryout_sessions WHERE {condition})"  # noqa: S608 (constants)
    row = connection.execute(statement, values).fetchone()
    return row is not None and bool(row[0])


def claim_unscored(connection: Connection, limit: int, except_sets: Collection[UUID] = ()) -> list[Sitting]:
    """Return up to `limit` sittings that are over and not scored, this transaction's until it ends."""
    values = {"limit": limit, "except_sets": list(except_sets)}
    return [Sitting(*row) for row in connection.execute(load_query(PACKAGE, "claim_unscored"), values)]


def claim_scored(connection: Connection, set_id: UUID, first: UUID, last: UUID) -> dict[UUID, tuple[Sitting, Earlier]]:
    """Return the scored sittings of a set in a range of ids with their scores, this transaction's until it ends."""
    values = {"set_id": set_id, "first": first, "last": last}
    found = {}
    for session_id, user_id, of_set, state, raw, most, is_passed, _, result in connection.execute(
        load_query(PACKAGE, "claim_scored"), values
    ):
        earlier = Earlier(raw, most, is_passed, msgspec.json.decode(result))
        found[session_id] = (Sitting(session_id, user_id, of_set, state), earlier)
    return found


def load_forms(
    connection: Connection, set_ids: Collection[UUID], *, lock: bool = True
) -> tuple[dict[UUID, Form], dict[UUID, MalformedScheme]]:
    """Return the forms of some sets, and why those that cannot be scored cannot.

    Args:
        connection: where.
        set_ids: the sets.
        lock: hold the sets until the transaction ends, as writing scores needs it.
    """
    ids = sorted(set_ids)
    schemes = connection.execute(load_query(PACKAGE, "lock_sets" if lock else "schemes_of_sets"), {"ids": ids})
    read = {set_id: msgspec.json.decode(scheme) for set_id, scheme in schemes}
    rows: dict[UUID, list[FormRow]] = {set_id: [] for set_id in read}
    for set_id, row in _form_rows(connection, ids):
        rows[set_id].append(row)
    forms: dict[UUID, Form] = {}
    broken: dict[UUID, MalformedScheme] = {}
    for set_id, scheme in read.items():
        try:
            forms[set_id] = Form(rows[set_id], read_scheme(scheme))
        except MalformedScheme as error:
            broken[set_id] = error
    return forms, broken


def _form_rows(connection: Connection, ids: list[UUID]) -> Iterator[tuple[UUID, FormRow]]:
    for set_id, question_id, section, points, skill, kind, options, key, slope, difficulty in connection.execute(
        load_query(PACKAGE, "form_questions"), {"ids": ids}
    ):
        yield (
            set_id,
            FormRow(
                id=question_id,
                section=section,
                points=points,
                skill=skill,
                type=kind,
                options=msgspec.json.decode(options),
                answer_key=msgspec.json.decode(key),
                discrimination=slope,
                difficulty=difficulty,
            ),
        )


def load_graders(connection: Connection, set_ids: Collection[UUID]) -> dict[UUID, Form]:
    """Return the forms of some sets, only to tell right from wrong: their points don't matter, nor a broken scheme."""
    rows: dict[UUID, list[FormRow]] = {set_id: [] for set_id in set_ids}
    for set_id, row in _form_rows(connection, list(rows)):
        rows[set_id].append(row)
    return {set_id: Form(of_set, Scheme()) for set_id, of_set in rows.items()}


def load_answers(connection: Connection, session_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Return the answers of each sitting as `worker.tryouts.scoring.given` makes them."""
    answers: dict[UUID, list[str]] = {session_id: [] for session_id in session_ids}
    cursor = connection.cursor(binary=True)
    answers.update(cursor.execute(load_query(PACKAGE, "answers_of_sessions"), {"ids": list(answers)}))
    return answers


def count_cohort(connection: Connection, changes: Mapping[tuple[UUID, Decimal], int]) -> None:
    """Add to (or, below zero, take from) the counts of sittings by set and score; under the lock of the sets."""
    counted = sorted((set_id, score, change) for (set_id, score), change in changes.items() if change)
    if counted:
        sets, scores, sittings = (list(column) for column in zip(*counted, strict=True))
        connection.execute(load_query(PACKAGE, "count_cohort"), {"sets": sets, "scores": scores, "sittings": sittings})


def percentiles(connection: Connection, set_ids: Collection[UUID]) -> dict[tuple[UUID, Decimal], Decimal]:
    """Return the percentage of a set's sittings at or below each score that occurs."""
    rows = connection.execute(load_query(PACKAGE, "cohort_percentiles"), {"ids": sorted(set_ids)})
    return {(set_id, score): percentile for set_id, score, percentile in rows}


def save_scores(connection: Connection, scored: Sequence[Scored], now: datetime) -> None:
    """Write results with percentiles as the cohort's counts are now."""
    places = percentiles(connection, {each.sitting.set_id for each in scored})
    values = {
        **_columns(scored),
        "abilities": [each.estimate and each.estimate[0] for each in scored],
        "ability_errors": [each.estimate and each.estimate[1] for each in scored],
        "percentiles": [places[each.sitting.set_id, each.score.raw] for each in scored],
        "levels": [each.level for each in scored],
        "results": msgspec.json.encode([each.result for each in scored]).decode(),
        "now": now,
    }
    connection.execute(load_query(PACKAGE, "save_scores"), values)


def keep_earlier_scores(
    connection: Connection, scored: Sequence[Scored], *, run_id: UUID | None, reason: str, now: datetime
) -> None:
    """Keep the present scores of sittings in the history, beside what they are about to become."""
    values = {**_columns(scored), "run_id": run_id, "reason": reason, "now": now}
    connection.execute(load_query(PACKAGE, "keep_earlier_scores"), values)


def _columns(scored: Sequence[Scored]) -> dict[str, list[Any]]:
    return {
        "ids": [each.sitting.id for each in scored],
        "raw_scores": [each.score.raw for each in scored],
        "max_scores": [each.score.most for each in scored],
        "are_passed": [each.score.is_passed for each in scored],
    }


def rescore_ranges(connection: Connection, set_id: UUID, size: int) -> list[tuple[UUID, UUID]]:
    """Return ranges of ids that hold up to `size` scored sittings of a set each.

    Raises:
        UnknownSetError: there is no such set.
    """
    if connection.execute("SELECT FROM question_sets WHERE id = %s", (set_id,)).fetchone() is None:
        raise UnknownSetError(set_id)
    values = {"set_id": set_id, "size": size}
    return [(first, last) for first, last in connection.execute(load_query(PACKAGE, "rescore_ranges"), values)]
