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


def awards(catalogue: Catalogue) -> Callable[[Iterable[Learner]], Iterator[Award]]:
    """Return a function that yields what learners have earned and do not hold.

    Cost: a comparison an achievement and learner, and one more for each tier that is reached.
    """
    position_of = Counters._fields.index
    rules = [
        (
            position_of(each.counter),
            [(tier.threshold, tier.code, tier) for tier in each.tiers],
            [(position_of(counter), number) for counter, number in each.at_least.items()],
            each,
        )
        for each in catalogue.achievements
    ]

    def find(learners: Iterable[Learner]) -> Iterator[Award]:
        for user_id, held, counters in learners:
            for position, tiers, conditions, achievement in rules:
                value = counters[position]
                for threshold, code, tier in tiers:
                    if value < threshold:
                        break
                    if code not in held and all(counters[other] >= number for other, number in conditions):
                        yield Award(user_id, code, evidence(achievement, tier, counters))

    return find


def evidence(achievement: Achievement, tier: Tier, counters: Counters) -> dict[str, dict[str, int]]:
    """Return what an award rests on: `counters` as they were, and the numbers that were `needed`."""
    needed = {**achievement.at_least, achievement.counter: tier.threshold}
    return {"counters": {name: getattr(counters, name) for name in needed}, "needed": needed}
