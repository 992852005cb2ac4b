"""What a learner's study amounts to, and what awaits them."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api.documentation import ReadOperation, described, problem_responses
from worker.api.learners import known_learner
from worker.srs import forecast, learner_store, study
from worker.srs.forecast import DayLoad, plan_load
from worker.srs.learner_store import CardCounts
from worker.srs.study import DayOfWork, Retention, Streak

_DAYS_MAX: Final = 366


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """A learner's load of the coming days, from what is scheduled now."""

    user_id: UUID
    today: Annotated[dt.date, described("the learner's local day")]
    review_limit: int
    new_limit: int
    days: list[DayLoad]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner's study amounts to."""

    user_id: UUID
    today: Annotated[dt.date, described("the learner's local day")]
    streak: Streak
    retention: Annotated[Retention, described("of the days asked for")]
    retention_young: Annotated[Retention, described("the same of items last answered less than 21 days before")]
    retention_mature: Annotated[Retention, described("the same of items last answered 21 days before or more")]
    answers_per_day: Annotated[float, described("mean over the days asked for, those without answers included")]
    minutes_per_day: float
    workload: Annotated[list[DayOfWork], described("each of the days asked for, today last")]
    cards: CardCounts


@get(
    "/v1/users/{user_id:uuid}/forecast",
    permission="study.read",
    operation_id="getForecast",
    tags=["spaced repetition"],
    summary="A learner's load of the coming days",
    description=(
        "Due cards by local day, overdue ones today, with what the review limit leaves over to the next day, and the "
        "new cards that the limit lets in. Reviews that answers to come will schedule within the time are not in it."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
)
async def due_forecast(
    user_id: FromPath[UUID],
    engine: NamedDependency[AsyncEngine],
    days: Annotated[int, QueryParameter(description="how many, today included", ge=1, le=_DAYS_MAX)] = forecast.DAYS,
) -> Forecast:
    """Return the load; one statement over the learner's cards due within the time.

    Raises:
        ProblemError: the learner is unknown.
    """
    async with engine.connect() as connection:
        rules = await known_learner(connection, user_id)
        today = rules.local_day(clock.now())
        due_on, new_cards = await learner_store.due_forecast(connection, user_id, today=today, days=days)
    return Forecast(
        user_id=user_id,
        today=today,
        review_limit=rules.review_limit,
        new_limit=rules.new_limit,
        days=plan_load(
            due_on,
            new_cards,
            today=today,
            days=days,
            review_limit=rules.review_limit,
            new_limit=rules.new_limit,
        ),
    )


@get(
    "/v1/users/{user_id:uuid}/statistics",
    permission="study.read",
    operation_id="getStatistics",
    tags=["spaced repetition"],
    summary="What a learner's study amounts to",
    description=(
        "True retention, work per local day, streak, and cards by state. True retention counts the first answer of a "
        "local day to an item answered on an earlier day: repeating on the same evening tells nothing of memory."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 422, 503),
)
async def statistics(
    user_id: FromPath[UUID],
    engine: NamedDependency[AsyncEngine],
    days: Annotated[int, QueryParameter(description="how many, up to today", ge=1, le=_DAYS_MAX)] = study.DAYS,
) -> Statistics:
    """Return the statistics; two statements, over the learner's attempts and cards.

    Raises:
        ProblemError: the learner is unknown.
    """
    async with engine.connect() as connection:
        rules = await known_learner(connection, user_id)
        today = rules.local_day(clock.now())
        studied = await learner_store.study_days(connection, user_id)
        cards = await learner_store.card_counts(connection, user_id, today)
    first = today - dt.timedelta(days - 1)
    within = [day for day in studied if first <= day.on_day <= today]
    return Statistics(
        user_id=user_id,
        today=today,
        streak=study.streak([day.on_day for day in studied], today),
        retention=study.retention(within),
        retention_young=study.retention(within, mature=False),
        retention_mature=study.retention(within, mature=True),
        answers_per_day=round(sum(day.answers for day in within) / days, 2),
        minutes_per_day=round(sum(day.time_spent_ms for day in within) / 60_000 / days, 2),
        workload=study.workload(within, today=today, last=days),
        cards=cards,
    )
