"""A learner's achievements."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from worker.achievements.reader import AchievementReader, LearnerAchievements
from worker.api import problems
from worker.api.documentation import ReadOperation, problem_responses
from worker.api.problems import ProblemError


@get(
    "/v1/users/{user_id:uuid}/achievements",
    permission="study.read",
    operation_id="getAchievements",
    tags=["achievements"],
    summary="A learner's achievements, and how far the next ones are",
    description=(
        "Every achievement of the catalogue with its tiers, their texts in Indonesian and English, and `next`: the "
        "first tier not awarded yet. Awarded within five minutes after it was earned; as an event, see `/v1/events`."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 404, 503),
)
async def achievements(
    user_id: FromPath[UUID], achievement_reader: NamedDependency[AchievementReader]
) -> LearnerAchievements:
    """Return a learner's achievements.

    Raises:
        ProblemError: there is no such learner.
    """
    found = await achievement_reader.load(user_id)
    if found is None:
        raise ProblemError(problems.UNKNOWN_LEARNER, "there is no learner with this id")
    return found
