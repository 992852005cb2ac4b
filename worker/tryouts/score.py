"""Scores sittings: a thousand in a transaction, which holds scores, the cohort's counts and the events to the app."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from worker import clock, db, events
from worker.achievements.store import mark
from worker.db import Connection
from worker.logging import get_logger
from worker.tryouts import store
from worker.tryouts.ability import MIN_ITEMS, describe, estimate_abilities, level_of
from worker.tryouts.irt import Items
from worker.tryouts.scoring import Form
from worker.tryouts.store import Earlier, Scored, Sitting

_log = get_logger(__name__)

BATCH_SIZE: Final = 1_000
"""Sittings in one transaction: some ten thousand answers, about 20 MB."""
KIND: Final = "tryout.scored"

Transaction = Callable[[], AbstractContextManager[Connection]]


class ScoreReport(msgspec.Struct):
    """What a scoring did.

    Attributes:
        scored: sittings scored.
        broken_sets: sets whose scheme cannot be used, with the reason: their sittings wait.
    """

    scored: int = 0
    broken_sets: dict[UUID, str] = {}


def score_waiting(
    *,
    transaction: Transaction = db.transaction,
    now: Callable[[], datetime] = clock.now,
    batch_size: int = BATCH_SIZE,
    go_on: Callable[[], bool] = lambda: True,
) -> ScoreReport:
    """Score the sittings that are over, oldest first, until none waits or `go_on` says no.

    Any number of scorers may run at once, here or elsewhere: each sitting is scored by one of them. A crash leaves a
    batch as it was.

    Args:
        transaction: opens a transaction on the database.
        now: tells `scored_at`.
        batch_size: sittings in a transaction.
        go_on: asked before each further batch.
    """
    report = ScoreReport()
    while True:
        with transaction() as connection:
            taken = score_batch(connection, report, batch_size, now())
        if taken < batch_size or not go_on():
            return report


def score_batch(connection: Connection, report: ScoreReport, limit: int, now: datetime) -> int:
    """Score up to `limit` sittings in the caller's transaction, add to its report, and return how many were taken."""
    sittings = store.claim_unscored(connection, limit, report.broken_sets)
    if not sittings:
        return 0
    forms, broken = store.load_forms(connection, {sitting.set_id for sitting in sittings})
    for set_id, error in broken.items():
        report.broken_sets[set_id] = str(error)
        _log.error("tryout_set_cannot_be_scored", question_set_id=str(set_id), error=str(error))
    scored = _score(connection, [sitting for sitting in sittings if sitting.set_id in forms], forms)
    store.count_cohort(connection, Counter((each.sitting.set_id, each.score.raw) for each in scored))
    if scored:
        store.save_scores(connection, scored, now)
        events.publish(connection, [_event(each) for each in scored], now=now)
        _mark_perfect(connection, scored)
    report.scored += len(scored)
    return len(sittings)


def rescore(
    connection: Connection, set_id: UUID, first: UUID, last: UUID, *, run_id: UUID | None, reason: str, now: datetime
) -> tuple[int, list[dict[str, Any]]]:
    """Score the scored sittings of a set within a range of ids again, in the caller's transaction.

    A sitting whose score, pass or breakdown changes keeps its earlier score in `tryout_score_changes` and the app hears
    of it; the others stay untouched.

    Returns:
        How many were looked at, and who changed: sitting, learner, from, to.

    Raises:
        MalformedScheme: the set cannot be scored.
    """
    claimed = store.claim_scored(connection, set_id, first, last)
    forms, broken = store.load_forms(connection, [set_id])
    if broken:
        raise broken[set_id]
    scored = _score(connection, [sitting for sitting, _ in claimed.values()], forms)
    changed = [each for each in scored if _differs(each, claimed[each.sitting.id][1])]
    if not changed:
        return len(claimed), []
    store.keep_earlier_scores(connection, changed, run_id=run_id, reason=reason, now=now)
    moved = Counter((set_id, each.score.raw) for each in changed)
    moved.subtract((set_id, claimed[each.sitting.id][1].raw) for each in changed)
    store.count_cohort(connection, moved)
    store.save_scores(connection, changed, now)
    key = str(run_id or now.isoformat())
    events.publish(connection, [_event(each, f":{key}", is_rescored=True) for each in changed], now=now)
    _mark_perfect(connection, changed)
    return len(claimed), [
        {
            "session_id": str(each.sitting.id),
            "user_id": str(each.sitting.user_id),
            "from": str(claimed[each.sitting.id][1].raw),
            "to": str(each.score.raw),
        }
        for each in changed
    ]


def _mark_perfect(connection: Connection, scored: Sequence[Scored]) -> None:
    """Have those who got everything right evaluated for achievements."""
    mark(connection, {each.sitting.user_id for each in scored if each.score.raw == each.score.most})


def _differs(scored: Scored, earlier: Earlier) -> bool:
    return (
        (scored.score.raw, scored.score.most, scored.score.is_passed)
        != (earlier.raw, earlier.most, earlier.is_passed)
        or any(earlier.result.get(name) != value for name, value in scored.score.breakdown.items())
    )  # fmt: skip


def _score(connection: Connection, sittings: Sequence[Sitting], forms: Mapping[UUID, Form]) -> list[Scored]:
    """Return the new scores of sittings."""
    answers = store.load_answers(connection, [sitting.id for sitting in sittings])
    scores = {sitting.id: forms[sitting.set_id].score(answers[sitting.id]) for sitting in sittings}
    estimates: dict[UUID, tuple[float, float]] = {}
    for set_id, form in forms.items():
        right = {sitting.id: scores[sitting.id].right for sitting in sittings if sitting.set_id == set_id}
        estimates |= estimate(form, right)
    scored = []
    for sitting in sittings:
        cuts = forms[sitting.set_id].scheme.cuts
        found = estimates.get(sitting.id)
        result = dict(scores[sitting.id].breakdown)
        if found:
            result |= describe(*found, cuts)
        level = level_of(found[0], cuts) if found else None
        scored.append(Scored(sitting, scores[sitting.id], found, level, result))
    return scored


def estimate(form: Form, right: Mapping[UUID, Sequence[int]]) -> dict[UUID, tuple[float, float]]:
    """Return ability and standard error of each sitting, from those questions of its form that are calibrated.

    A question without an answer counts as wrong: else leaving out the hard ones would pay. Fewer than `MIN_ITEMS`
    calibrated questions give no estimate.

    Args:
        form: what was sat.
        right: the questions answered right by each sitting, as in `Score.right`.
    """
    items = [question for question in form.counted if question.discrimination and question.difficulty is not None]
    if len(items) < MIN_ITEMS or not right:
        return {}
    responses = np.zeros((len(right), len(form.counted)), dtype=np.int8)
    for row, numbers in enumerate(right.values()):
        responses[row, numbers] = 1
    slopes = np.array([question.discrimination for question in items], dtype=np.float64)
    difficulties = np.array([question.difficulty for question in items], dtype=np.float64)
    calibrated = responses[:, [question.number for question in items]]
    found = estimate_abilities(calibrated, Items(slopes, -slopes * difficulties))
    return dict(zip(right, zip(found.estimate.tolist(), found.error.tolist(), strict=True), strict=True))


def _event(scored: Scored, suffix: str = "", *, is_rescored: bool = False) -> events.Event:
    sitting, score = scored.sitting, scored.score
    payload = {
        "tryout_session_id": str(sitting.id),
        "question_set_id": str(sitting.set_id),
        "raw_score": str(score.raw),
        "max_score": None if score.most is None else str(score.most),
        "is_passed": score.is_passed,
        "estimated_level": scored.level,
        "is_rescored": is_rescored,
    }
    return events.Event(KIND, sitting.user_id, payload, dedupe_key=f"{KIND}:{sitting.id}{suffix}")
