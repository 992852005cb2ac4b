"""What a learner's days of study amount to: true retention, workload, streak. Pure."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

MATURE_DAYS: Final = 21
"""An item not seen for so long tells of long-term memory; the border that Anki draws."""
DAYS: Final = 30
"""How far statistics look back unless asked otherwise."""


class StudyDay(NamedTuple):
    """What was done on a local day; see `queries/study_days.sql`."""

    on_day: date
    learners: int
    answers: int
    time_spent_ms: int
    new: int
    reviews: int
    recalled: int
    mature_reviews: int
    mature_recalled: int


class Retention(msgspec.Struct, frozen=True):
    """True retention: the share of reviews that were recalled."""

    reviews: Annotated[int, Meta(description="first answers of a local day to items answered on an earlier day")]
    recalled: Annotated[int, Meta(description="of them, fully right")]
    retention: Annotated[float, Meta(description="recalled ÷ reviews; null without reviews")] | None


class DayOfWork(msgspec.Struct, frozen=True):
    """A learner's work on one local day."""

    on: date
    answers: int
    reviews: int
    new: Annotated[int, Meta(description="items answered for the first time")]
    minutes: Annotated[float, Meta(description="time spent on answers; those above an hour are not counted")]


class Streak(msgspec.Struct, frozen=True):
    """Local days in a row with an answer."""

    current: Annotated[int, Meta(description="up to today, or up to yesterday while today has none yet")]
    longest: int
    last_studied_on: date | None


def retention(days: Iterable[StudyDay], *, mature: bool | None = None) -> Retention:
    """Return the true retention of some days; of mature items only (True), of the others (False), or of all (None)."""
    reviews = recalled = 0
    for day in days:
        if mature is not False:
            reviews += day.mature_reviews
            recalled += day.mature_recalled
        if mature is not True:
            reviews += day.reviews - day.mature_reviews
            recalled += day.recalled - day.mature_recalled
    return Retention(reviews, recalled, round(recalled / reviews, 4) if reviews else None)


def workload(days: Sequence[StudyDay], *, today: date, last: int) -> list[DayOfWork]:
    """Return the work of the `last` days up to and including today; a day without answers is one of zeros."""
    by_day = {day.on_day: day for day in days}
    found = []
    for back in range(last - 1, -1, -1):
        on = today - timedelta(back)
        day = by_day.get(on)
        found.append(
            DayOfWork(on, day.answers, day.reviews, day.new, round(day.time_spent_ms / 60_000, 1))
            if day
            else DayOfWork(on, 0, 0, 0, 0.0)
        )
    return found


def streak(studied_on: Collection[date], today: date) -> Streak:
    """Return the streak of a learner who answered on these local days.

    A learner who travelled over the date line may have answers on a day that is `today`'s tomorrow: it counts.
    """
    if not studied_on:
        return Streak(0, 0, None)
    ordered = sorted(set(studied_on))
    longest = run = 1
    for before, after in itertools.pairwise(ordered):
        run = run + 1 if (after - before).days == 1 else 1
        longest = max(longest, run)
    last = ordered[-1]
    return Streak(run if last >= today - timedelta(1) else 0, longest, last)
