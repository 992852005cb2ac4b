"""Which achievements a learner's counters earn. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from worker.achievements.catalogue import Achievement, Catalogue, Tier
from worker.achievements.counters import Counters


class Learner(NamedTuple):
    """A learner as the rules see them.

    Attributes:
        user_id: the learner.
        held: codes awarded before, revoked ones included.
        counters: what counts.
    """

    user_id: UUID
    held: Collection[str]
    counters: Counters


class Award(NamedTuple):
    """An achievement that a learner has earned.

    Attributes:
        user_id: the learner.
        code: of the tier.
        evidence: the counters on which it rests, and the numbers they had to reach.
    """

    user_id: UUID
    code: str
    evidence: dict[str, dict[str, int]]


def earned(achievement: Achievement, counters: Counters) -> tuple[Tier, ...]:
    """Return the tiers of an achievement that counters earn, lowest first."""
    if any(getattr(counters, counter) < number for counter, number in achievement.at_least.items()):
        return ()
    value = getattr(counters, achievement.counter)
    return tuple(tier for tier in achievement.tiers if value >= tier.threshold)


def awards(catalogue: Catalogue) -> Callable[[Iterable[Learner]], Iterator[Award]]:
    """Return a function that yields what learners have earned and do not hold.

    Cost: one comparison an achievement and learner for whoever has earned nothing of it.
    """
    lowest = [(Counters._fields.index(each.counter), each.tiers[0].threshold, each) for each in catalogue.achievements]

    def find(learners: Iterable[Learner]) -> Iterator[Award]:
        for user_id, held, counters in learners:
            for position, threshold, achievement in lowest:
                if counters[position] >= threshold:
                    for tier in earned(achievement, counters):
                        if tier.code not in held:
                            yield Award(user_id, tier.code, evidence(achievement, tier, counters))

    return find


def evidence(achievement: Achievement, tier: Tier, counters: Counters) -> dict[str, dict[str, int]]:
    """Return what an award rests on: `counters` as they were, and the numbers that were `needed`."""
    needed = {**achievement.at_least, achievement.counter: tier.threshold}
    return {"counters": {name: getattr(counters, name) for name in needed}, "needed": needed}
