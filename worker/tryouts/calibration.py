"""From the responses of all tryouts to parameters on one scale, and to the questions editors should look at. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np

from worker.tryouts.errors import CalibrationError
from worker.tryouts.irt import Items, Responses, calibrate
from worker.tryouts.item_quality import MIN_EACH, MIN_RESPONSES, REFUSED, Flag, ItemFindings, flags_of, point_biserials
from worker.tryouts.linking import MIN_COMMON, components, link_scales

Scale = Literal["linked", "reference"]
_WIDEST: Final = 100.0
"""What the columns of parameters can hold; an item out there is flagged, and its number says no more than that."""


@dataclass(frozen=True, slots=True)
class ResponseTable:
    """The responses of one form: sittings × its questions in their order; 1 right, 0 wrong, −1 not reached."""

    question_ids: list[UUID]
    responses: Responses


@dataclass(frozen=True, slots=True)
class Finding:
    """What a calibration found about a question.

    Attributes:
        scale: `linked` to the earlier parameters, or `reference`: the examinees have mean 0 and deviation 1.
        is_accepted: whether the parameters are good enough for the question.
    """

    question_id: UUID
    scale: Scale
    item: ItemFindings
    flags: list[Flag]

    @property
    def difficulty(self) -> float:
        """B on the scale."""
        return -self.item.intercept / self.item.slope

    @property
    def is_accepted(self) -> bool:
        """Whether the parameters are taken over into the question."""
        return not REFUSED.intersection(self.flags)

    def shown(self) -> dict[str, Any]:
        """Return it as JSON for the table."""
        item = self.item
        return {
            "question_id": self.question_id,
            "scale": self.scale,
            "responses": item.responses,
            "right": item.right,
            "discrimination": item.slope,
            "discrimination_error": _known(item.slope_error),
            "difficulty": max(-_WIDEST, min(_WIDEST, self.difficulty)),
            "difficulty_error": _known(item.difficulty_error),
            "infit": item.infit,
            "outfit": item.outfit,
            "point_biserial": _known(item.point_biserial),
            "flags": self.flags,
            "is_accepted": self.is_accepted,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a calibration: findings, and how many questions had too few responses to say anything."""

    findings: list[Finding]
    too_few: int
    groups: int
    """Groups of forms that share no questions, each calibrated by itself."""


def calibrate_tables(
    tables: Sequence[ResponseTable],
    known: Mapping[UUID, tuple[float, float]],
    *,
    min_responses: int = MIN_RESPONSES,
    min_each: int = MIN_EACH,
) -> Outcome:
    """Calibrate all questions with enough responses.

    Forms with questions in common are calibrated together, which puts them on one scale; that scale is then moved onto
    the one of the earlier parameters, so that an ability means the same every night.

    Args:
        tables: the responses, a table a form.
        known: earlier parameters (a, b) of questions.
        min_responses: responses that a question needs.
        min_each: right ones and wrong ones that it needs.
    """
    groups: dict[int, list[ResponseTable]] = {}
    places = {question_id: place for place, question_id in enumerate({q: None for t in tables for q in t.question_ids})}
    linked = components([{places[question_id] for question_id in table.question_ids} for table in tables])
    for group, table in zip(linked, tables, strict=True):
        groups.setdefault(group, []).append(table)
    findings: list[Finding] = []
    for together in groups.values():
        findings += _calibrate_group(together, known, min_responses, min_each)
    return Outcome(findings, too_few=len(places) - len(findings), groups=len(groups))


def join(tables: Sequence[ResponseTable]) -> ResponseTable:
    """Return forms as one table over all their questions; what a form does not hold was not administered."""
    question_ids = list(dict.fromkeys(question_id for table in tables for question_id in table.question_ids))
    places = {question_id: place for place, question_id in enumerate(question_ids)}
    joined = np.full((sum(len(table.responses) for table in tables), len(question_ids)), -1, dtype=np.int8)
    row = 0
    for table in tables:
        columns = [places[question_id] for question_id in table.question_ids]
        joined[row : row + len(table.responses), columns] = table.responses
        row += len(table.responses)
    return ResponseTable(question_ids, joined)


def _calibrate_group(
    tables: Sequence[ResponseTable], known: Mapping[UUID, tuple[float, float]], min_responses: int, min_each: int
) -> list[Finding]:
    joined = join(tables)
    right = (joined.responses == 1).sum(axis=0)
    counts = (joined.responses >= 0).sum(axis=0)
    enough = (counts >= min_responses) & (right >= min_each) & (counts - right >= min_each)
    responses = joined.responses[:, enough]
    responses = responses[(responses >= 0).any(axis=1)]
    chosen = [question_id for question_id, is_enough in zip(joined.question_ids, enough, strict=True) if is_enough]
    if len(chosen) < 3:  # noqa: PLR2004  two items do not identify two slopes
        return []
    try:
        found = calibrate(responses)
    except CalibrationError:
        return []
    items, factor, scale = _on_scale(chosen, found.items, known)
    slope_error, difficulty_error = found.slope_error / factor, found.difficulty_error * factor
    correlations = point_biserials(responses)
    findings = []
    for place, question_id in enumerate(chosen):
        item = ItemFindings(
            responses=int(counts[enough][place]),
            right=int(right[enough][place]),
            slope=float(items.slope[place]),
            slope_error=float(slope_error[place]),
            intercept=float(items.intercept[place]),
            difficulty_error=float(difficulty_error[place]),
            infit=float(found.infit[place]),
            outfit=float(found.outfit[place]),
            point_biserial=float(correlations[place]),
        )
        findings.append(Finding(question_id, scale, item, flags_of(item)))
    return findings


def _on_scale(
    question_ids: Sequence[UUID], items: Items, known: Mapping[UUID, tuple[float, float]]
) -> tuple[Items, float, Scale]:
    """Return the items on the scale of the known parameters if enough are common, and what a unit of it measures."""
    common = [
        place
        for place, question_id in enumerate(question_ids)
        if question_id in known and known[question_id][0] > 0 and items.slope[place] > 0
    ]
    if len(common) < MIN_COMMON:
        return items, 1.0, "reference"
    slopes = np.array([known[question_ids[place]][0] for place in common])
    difficulties = np.array([known[question_ids[place]][1] for place in common])
    link = link_scales(Items(items.slope[common], items.intercept[common]), Items(slopes, -slopes * difficulties))
    return link.apply(items), link.slope, "linked"


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
