"""What the routes of one learner share: who they are, and how an unknown one is answered."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from worker.api import problems
from worker.api.problems import ProblemError
from worker.srs import learner_store
from worker.srs.learner import LearnerRules


async def known_learner(connection: AsyncConnection, user_id: UUID) -> LearnerRules:
    """Return how a learner's cards are scheduled.

    Raises:
        ProblemError: the learner is unknown.
    """
    rules = await learner_store.learner_rules(connection, user_id)
    if rules is None:
        raise ProblemError(problems.UNKNOWN_LEARNER, "there is no learner with this id")
    return rules
