"""How much a learner will have to do on each of the coming days. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

DAYS: Final = 30
"""How far a forecast looks unless asked otherwise."""


class Due(NamedTuple):
    """Cards due on a day, and how many of them are overdue."""

    due: int
    overdue: int


NOTHING: Final = Due(0, 0)


class DayLoad(msgspec.Struct, frozen=True):
    """What awaits a learner on one local day, if they do what each day's limit allows."""

    on: date
    due: Annotated[int, Meta(description="cards whose day this is; on the first day the overdue ones, too")]
    overdue: Annotated[int, Meta(description="of them, those whose day was before the first")]
    backlog: Annotated[int, Meta(description="cards left over from the days before by the review limit")]
    review: Annotated[int, Meta(description="of both, what the review limit lets into the day's queue")]
    new: Annotated[int, Meta(description="new cards that the limit lets in, as far as the deck has them")]


def plan_load(
    due_on: Mapping[date, Due], new_cards: int, *, today: date, days: int, review_limit: int, new_limit: int
) -> list[DayLoad]:
    """Return the load of `days` days from `today` on.

    What is due is what is scheduled now: reviews that the coming answers will schedule within the time are not in it.

    Args:
        due_on: due cards by day; the overdue ones stand under `today`.
        new_cards: cards never reviewed.
        today: the learner's local day.
        days: how many.
        review_limit: due cards a day at most.
        new_limit: new cards a day at most.
    """
    found: list[DayLoad] = []
    backlog = 0
    for number in range(days):
        on = today + timedelta(number)
        due, overdue = due_on.get(on, NOTHING)
        review = min(due + backlog, review_limit)
        new = min(new_cards, new_limit)
        found.append(DayLoad(on, due, overdue, backlog, review, new))
        backlog += due - review
        new_cards -= new
    return found
