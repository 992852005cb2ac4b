"""One card of a learner: what each grade would do to it, and what may be done to it beside answering."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Operation
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api import problems
from worker.api.bodies import documented, invalid, read_body
from worker.api.documentation import ReadOperation, described, problem_responses, response
from worker.api.learners import known_learner
from worker.api.permissions import principal_of
from worker.api.problems import FieldError, ProblemError
from worker.srs import card_store
from worker.srs.card import State
from worker.srs.card_actions import Action, InvalidActionError
from worker.srs.card_store import LearnersCard
from worker.srs.preview import SchedulerPreview, preview


class CardPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What each grade would do to a card if it were answered now."""

    card_id: UUID
    item_type: str
    item_id: UUID
    state: State
    local_date: Annotated[dt.date, described("the learner's local day that the answer would count for")]
    schedulers: Annotated[list[SchedulerPreview], described("the learner's own first")]


class CardAction(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to a card."""

    action: Annotated[
        Action,
        described(
            "suspend: out of all queues until unsuspend; bury: out of the queues until a day; unbury takes that back; "
            "reset: as if never seen"
        ),
    ]
    until: Annotated[
        dt.date | None, described("bury: the learner's local day on which it comes back, tomorrow when left out")
    ] = None


class ChangedCard(msgspec.Struct, frozen=True, kw_only=True):
    """The card after an action."""

    changed: Annotated[bool, described("false: it was so already, and nothing was written")]
    card: LearnersCard


@dataclass
class _ActionOperation(Operation):
    """Describes the body, which the route reads for itself, so that each wrong field is named."""

    def __post_init__(self) -> None:
        examples = {"Suspend": {"action": "suspend"}, "Bury until a day": {"action": "bury", "until": "2026-11-26"}}
        self.request_body = documented(CardAction, examples)


@get(
    "/v1/users/{user_id:uuid}/cards/{card_id:uuid}/preview",
    permission="study.read",
    operation_id="previewAnswer",
    tags=["spaced repetition"],
    summary="What each grade would do to a card",
    description=(
        "The next interval and due day after again, hard, good and easy, under the learner's scheduler and the other "
        "one, if the card were answered now. Nothing is stored. FSRS may move a due day within its fuzz range."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def preview_answer(
    user_id: FromPath[UUID], card_id: FromPath[UUID], engine: NamedDependency[AsyncEngine]
) -> CardPreview:
    """Return what the grades would do; two index look-ups, the rest is arithmetic.

    Raises:
        ProblemError: learner or card are unknown.
    """
    async with engine.connect() as connection:
        rules = await known_learner(connection, user_id)
        card = await card_store.load_card(connection, user_id, card_id)
    if card is None:
        raise _unknown_card()
    now = clock.now()
    today = rules.local_day(now)
    return CardPreview(
        card_id=card.card_id,
        item_type=card.item_type,
        item_id=card.item_id,
        state=card.state,
        local_date=today,
        schedulers=preview(
            card.as_scheduled(),
            today,
            last_on=rules.local_day(card.last_reviewed_at) if card.last_reviewed_at and card.state != "new" else None,
            scheduler=rules.fsrs(),
            used=rules.scheduler,
            day_after=lambda delay_s: rules.local_day(now + dt.timedelta(seconds=delay_s)),
        ),
    )


@post(
    "/v1/users/{user_id:uuid}/cards/{card_id:uuid}/actions",
    status_code=200,
    operation_class=_ActionOperation,
    permission="study.write",
    operation_id="changeCard",
    tags=["spaced repetition"],
    summary="Suspend, bury or reset a card",
    description=(
        "Sent again, it changes nothing more. Each change leaves a row in the audit log. It waits for attempts on the "
        "card that are being graded, and they for it. Queues built before keep their places: the cards of a queue "
        "tell which have left it."
    ),
    responses={
        200: response(ChangedCard, "The card as it is now"),
        **problem_responses(400, 401, 404, 413, 415, 422, 503),
    },
)
async def change_card(
    request: Request[Any, Any, Any],
    user_id: FromPath[UUID],
    card_id: FromPath[UUID],
    engine: NamedDependency[AsyncEngine],
) -> ChangedCard:
    """Change a card in one transaction.

    Raises:
        ProblemError: learner or card are unknown, or the body is not acceptable.
    """
    asked = await read_body(request, CardAction)
    now = clock.now()
    async with engine.begin() as connection:
        rules = await known_learner(connection, user_id)
        try:
            changed = await card_store.change_card(
                connection,
                user_id,
                card_id,
                asked.action,
                today=rules.local_day(now),
                until=asked.until,
                actor=principal_of(request).actor,
                now=now,
            )
        except InvalidActionError as error:
            raise invalid([FieldError(error.field, error.message)]) from error
        card = await card_store.load_card(connection, user_id, card_id)
    if changed is None or card is None:
        raise _unknown_card()
    return ChangedCard(changed=changed, card=card)


def _unknown_card() -> ProblemError:
    return ProblemError(problems.UNKNOWN_CARD, "the learner has no card with this id")
