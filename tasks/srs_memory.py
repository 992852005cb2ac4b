"""Jobs that keep what FSRS knows about learners."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from worker import clock
from worker.jobs import SAMPLES, Bounds, Planning, Shard, job
from worker.logging import get_logger
from worker.srs import memory_store
from worker.srs.fitting import MIN_REVIEWS, Fit, FittingError, fit
from worker.srs.memory_store import Target
from worker.srs.prediction import Review

_log = get_logger(__name__)

FITTED_TOGETHER: Final = 50
"""Learners in a shard: some seconds of fitting, and some 10 MB of answers."""
POPULATION: Final = 200
"""Learners whose reviews stand for everyone's."""
MIGRATED_TOGETHER: Final = 500
"""Learners in a shard whose cards change their scheduler in one transaction."""


def _lists(user_ids: Sequence[UUID], size: int) -> Iterator[Bounds]:
    for start in range(0, len(user_ids), size):
        yield {"user_ids": [str(each) for each in user_ids[start : start + size]]}


def plan_fits(planning: Planning) -> Iterator[Bounds]:
    """Yield the population's sample first, then the learners with enough reviews, some to a shard."""
    learners = memory_store.learners_to_fit(planning.connection, MIN_REVIEWS)
    if learners:
        step = -(-len(learners) // POPULATION)
        yield {"population": True, "user_ids": [str(each) for each in learners[::step]]}
    yield from _lists(learners, FITTED_TOGETHER)


@job("srs.fit_parameters", schedule="0 18 1 * *", queue="batch", planner=plan_fits, time_limit_s=900, parameters={})
def fit_parameters(shard: Shard) -> int:
    """Fit FSRS to each learner's reviews; what foresees their later reviews better is taken."""
    user_ids = [UUID(each) for each in shard.bounds["user_ids"]]
    own, population = memory_store.current_parameters(shard.connection, user_ids)
    reviews = memory_store.reviews(shard.connection, user_ids)
    fits: dict[UUID | None, Fit] = {}
    if shard.bounds.get("population"):
        _add_fit(fits, None, list(reviews.values()), population)
    else:
        for user_id, of_learner in reviews.items():
            _add_fit(fits, user_id, [of_learner], own.get(user_id, population))
    for learner, found in list(fits.items())[:SAMPLES]:
        whose = "population" if learner is None else str(learner)
        shard.show({"learner": whose, "is_accepted": found.is_accepted, "reviews": found.trained_on})
    memory_store.save_fits(shard.connection, fits, run_id=shard.run_id, now=clock.now())
    return len(fits)


def _add_fit(
    fits: dict[UUID | None, Fit], user_id: UUID | None, reviews: list[list[Review]], current: tuple[float, ...]
) -> None:
    try:
        found = fit(reviews, current)
    except FittingError as error:
        _log.warning("parameters_not_fitted", user_id=user_id and str(user_id), error=str(error))
        return
    if found is not None:
        fits[user_id] = found


def _target(parameters: dict[str, object]) -> Target:
    return "sm2" if parameters.get("to") == "sm2" else "fsrs"


def plan_migration(planning: Planning) -> Iterator[Bounds]:
    """Yield the learners on the other scheduler, or those of the parameter `user_ids` among them."""
    wanted = planning.parameters.get("user_ids")
    learners = memory_store.learners_to_migrate(planning.connection, _target(planning.parameters))
    chosen = learners if wanted is None else [each for each in learners if str(each) in set(wanted)]
    yield from _lists(chosen, MIGRATED_TOGETHER)


@job(
    "srs.migrate_state",
    queue="batch",
    planner=plan_migration,
    parameters={
        "to": "the scheduler to move to: fsrs (when left out) or sm2",
        "user_ids": "a list of learners; all on the other scheduler when left out",
    },
)
def migrate_state(shard: Shard) -> int:
    """Move learners from SM-2 to FSRS, or back with the parameter `to` = `sm2`; no card becomes due on another day."""
    user_ids = [UUID(each) for each in shard.bounds["user_ids"]]
    move = memory_store.move_to_sm2 if _target(shard.parameters) == "sm2" else memory_store.move_to_fsrs
    moved = move(shard.connection, user_ids)
    shard.show({"to": _target(shard.parameters), "learners": len(user_ids), "cards": moved})
    return moved
