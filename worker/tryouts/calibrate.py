"""Runs a calibration in the caller's transaction: responses in, parameters, flags and missing abilities out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from worker.db import Connection
from worker.tryouts import calibration_store, store
from worker.tryouts.ability import describe, level_of
from worker.tryouts.calibration import calibrate_tables
from worker.tryouts.score import estimate

ESTIMATED_TOGETHER: Final = 1_000


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What a calibration did, in questions; `abilities` counts sittings."""

    calibrated: int
    changed: int
    flagged: int
    too_few: int
    groups: int
    abilities: int


def calibrate_all(connection: Connection, *, run_id: UUID | None, now: datetime) -> CalibrationReport:
    """Calibrate the questions of all tryouts and placement tests."""
    tables, known = calibration_store.load_responses(connection)
    outcome = calibrate_tables(tables, known)
    changed = calibration_store.save_findings(connection, outcome.findings, run_id=run_id, now=now)
    calibrated = {finding.question_id for finding in outcome.findings if finding.is_accepted}
    return CalibrationReport(
        calibrated=len(outcome.findings),
        changed=changed,
        flagged=sum(bool(finding.flags) for finding in outcome.findings),
        too_few=outcome.too_few,
        groups=outcome.groups,
        abilities=_estimate_missing(connection) if calibrated else 0,
    )


def _estimate_missing(connection: Connection) -> int:
    """Estimate the abilities of sittings scored before their questions were calibrated; return how many were."""
    sets = connection.execute(
        "SELECT DISTINCT question_set_id FROM tryout_sessions WHERE state = 'scored' AND ability IS NULL"
    )
    set_ids = [set_id for (set_id,) in sets]
    forms, _ = store.load_forms(connection, set_ids, lock=False)
    total = 0
    for set_id, form in forms.items():
        while session_ids := calibration_store.sessions_without_ability(connection, set_id, ESTIMATED_TOGETHER):
            answers = store.load_answers(connection, session_ids)
            found = estimate(form, {session_id: form.score(each).right for session_id, each in answers.items()})
            if not found:  # too few of the form's questions are calibrated
                break
            cuts = form.scheme.cuts
            calibration_store.save_abilities(
                connection,
                {
                    session_id: (*pair, level_of(pair[0], cuts), describe(*pair, cuts))
                    for session_id, pair in found.items()
                },
            )
            total += len(found)
    return total
