"""A sitting as the app sees it, its answers, and what can be wrong with a call. Values only."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from worker.errors import ElpError
from worker.tryouts.life_cycle import Refusal, State

Wrong = Literal[
    "unknown_tryout", "foreign_tryout", "unknown_set", "unpublished_set", "empty_set", "unknown_user", "id_taken"
]
"""Why a call is refused; besides, a sitting takes no answers when it is `not_started` or `closed`."""


class SittingError(ElpError):
    """A call on a sitting that can't be done.

    Attributes:
        reason: a code for programs.
    """

    def __init__(self, reason: Wrong | Refusal) -> None:
        super().__init__(_TEXTS[reason])
        self.reason = reason


_TEXTS: Final[Mapping[str, str]] = {
    "unknown_tryout": "there is no tryout with this id: create it first",
    "foreign_tryout": "this tryout belongs to another learner",
    "unknown_set": "there is no question set with this id",
    "unpublished_set": "this question set is not published: it can't be sat yet, or no more",
    "empty_set": "this question set has no questions: an editor has to fill it",
    "unknown_user": "there is no learner with this id",
    "id_taken": "this id belongs to a tryout of another learner or question set: choose a new UUIDv7",
    "not_started": "this tryout has not begun: start it first",
    "closed": "this tryout is over: answers are taken until its deadline and a short grace for the network",
}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A learner's answer as the app sends it."""

    question_id: UUID
    answer: Any
    answered_at: datetime
    sequence: int = 0
    time_spent_ms: int | None = None


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """A sitting as the app sees it; what isn't known yet is null."""

    id: UUID
    user_id: UUID
    question_set_id: UUID
    state: State
    title: str
    title_id: str | None
    ui_language: str | None
    started_at: datetime | None
    deadline_at: datetime | None
    submitted_at: datetime | None
    is_late: bool
    scored_at: datetime | None
    raw_score: Decimal | None
    max_score: Decimal | None
    is_passed: bool | None
    ability: float | None
    ability_error: float | None
    estimated_level: str | None
    percentile: Decimal | None
    cohort: int
    result: dict[str, Any]


class Submitted(msgspec.Struct, frozen=True):
    """That a sitting was submitted: when, whether in time, and its state since then."""

    id: UUID
    state: State
    submitted_at: datetime
    is_late: bool


class AnswerFault(msgspec.Struct, frozen=True):
    """Why an answer was not taken; `index` counts from 0 in the request."""

    index: int
    question_id: UUID
    field: str
    message: str


class Saved(msgspec.Struct, frozen=True):
    """What became of the answers of a request.

    Attributes:
        saved: questions whose answer is now the one sent.
        kept: questions that have this very answer, or a later one, already.
        errors: answers that cannot be taken, with the reason; they don't stop the others.
    """

    saved: list[UUID]
    kept: list[UUID]
    errors: list[AnswerFault]
