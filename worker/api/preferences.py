"""A learner's wishes about their study."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, get, patch
from litestar.di import NamedDependency
from litestar.openapi.spec import Operation
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api.bodies import documented, invalid, read_body
from worker.api.documentation import ReadOperation, problem_responses, response
from worker.api.learners import known_learner
from worker.api.permissions import other_than
from worker.api.problems import FieldError
from worker.srs import preferences_store
from worker.srs.preferences import PreferenceChanges, Preferences
from worker.srs.preferences_store import FaultyPreferencesError

PATH = "/v1/users/{user_id:uuid}/preferences"


@dataclass
class _ChangeOperation(Operation):
    """Describes the body, which the route reads for itself, so that each wrong field is named."""

    def __post_init__(self) -> None:
        examples = {
            "FSRS, aiming at 92 %": {"scheduler": "fsrs", "desired_retention": 0.92},
            "A vacation": {"vacation_from": "2026-12-20", "vacation_until": "2027-01-03"},
        }
        self.request_body = documented(PreferenceChanges, examples)


@get(
    PATH,
    permission="study.read",
    operation_id="getPreferences",
    tags=["spaced repetition"],
    summary="A learner's wishes",
    description="All of them, the defaults where the learner never chose.",
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def preferences(user_id: FromPath[UUID], engine: NamedDependency[AsyncEngine]) -> Preferences:
    """Return a learner's wishes.

    Raises:
        ProblemError: the learner is unknown.
    """
    async with engine.connect() as connection:
        await known_learner(connection, user_id)
        return await preferences_store.load_preferences(connection, user_id)


@patch(
    PATH,
    operation_class=_ChangeOperation,
    permission="study.write",
    operation_id="changePreferences",
    tags=["spaced repetition"],
    summary="Change some of a learner's wishes",
    description=(
        "What is left out stays. All of it is taken or nothing. A change by anybody but the learner leaves a row in "
        "the audit log. Where today's queue depends on a change (limits, "
        "order, siblings, backlog, easy days, vacation, start of the day), it is built again within seconds; cards "
        "answered "
        "meanwhile don't come again. A new scheduler takes each card over at its next answer."
    ),
    responses={
        200: response(Preferences, "All wishes as they are now"),
        **problem_responses(400, 401, 404, 413, 415, 422, 503),
    },
)
async def change_preferences(
    request: Request[Any, Any, Any], user_id: FromPath[UUID], engine: NamedDependency[AsyncEngine]
) -> Preferences:
    """Change a learner's wishes in one transaction.

    Raises:
        ProblemError: the learner is unknown, or the body is not acceptable.
    """
    wished = await read_body(request, PreferenceChanges)
    async with engine.begin() as connection:
        await known_learner(connection, user_id)
        try:
            return await preferences_store.change_preferences(
                connection, user_id, wished, actor=other_than(request, user_id), now=clock.now()
            )
        except FaultyPreferencesError as error:
            raise invalid([FieldError(field, message) for field, message in error.faults]) from error
