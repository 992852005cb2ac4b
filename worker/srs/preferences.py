"""A learner's wishes about their study, and which of them go together. Pure."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Weight = Annotated[int, Meta(ge=0, le=100)]
Steps = Annotated[list[Annotated[int, Meta(ge=1, le=31_536_000)]], Meta(max_length=10)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Limit = Annotated[int, Meta(ge=0, le=10_000)]
Scheduler = Literal["sm2", "fsrs"]
ReviewOrder = Literal["overdueness", "lowest_retrievability", "highest_retrievability"]
NewOrder = Literal["last", "mixed"]
Siblings = Literal["none", "word", "lesson"]


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner wishes; the columns of `user_preferences`, defaults included."""

    ui_language: Literal["id", "en"] = "id"
    daily_goal: Limit = 20
    new_limit: Limit = 10
    review_limit: Limit = 200
    day_start_hour: Annotated[int, Meta(ge=0, le=23)] = 4
    scheduler: Scheduler = "fsrs"
    desired_retention: Annotated[float, Meta(ge=0.70, le=0.99)] = 0.90
    learning_steps_s: Steps = msgspec.field(default_factory=lambda: [60, 600])
    relearning_steps_s: Steps = msgspec.field(default_factory=lambda: [600])
    minimum_interval: Days = 1
    maximum_interval: Days = 36_500
    review_order: ReviewOrder = "overdueness"
    new_order: NewOrder = "last"
    bury_siblings: Siblings = "none"
    leech_lapses: Annotated[int, Meta(ge=0, le=100)] = 8
    backlog_days: Annotated[int, Meta(ge=1, le=365)] = 7
    balance_load: bool = False
    weekday_weights: Annotated[list[Weight], Meta(min_length=7, max_length=7)] = msgspec.field(
        default_factory=lambda: [100] * 7
    )
    vacation_from: date | None = None
    vacation_until: date | None = None
    notifications: dict[str, Any] = {}


class PreferenceChanges(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some wishes to change; what is left out stays."""

    ui_language: Annotated[Literal["id", "en"], Meta(description="language of the app")] | UnsetType = UNSET
    daily_goal: Annotated[int, Meta(ge=0, le=10_000, description="answers a local day aimed at")] | UnsetType = UNSET
    new_limit: Annotated[int, Meta(ge=0, le=10_000, description="new cards a local day at most")] | UnsetType = UNSET
    review_limit: Annotated[int, Meta(ge=0, le=10_000, description="due cards a local day at most")] | UnsetType = UNSET
    day_start_hour: (
        Annotated[int, Meta(ge=0, le=23, description="hour of the wall clock at which the local day begins")]
        | UnsetType
    ) = UNSET
    scheduler: Annotated[Scheduler, Meta(description="who schedules answers from now on")] | UnsetType = UNSET
    desired_retention: (
        Annotated[float, Meta(ge=0.70, le=0.99, description="FSRS: share to be remembered, in whole hundredths")]
        | UnsetType
    ) = UNSET
    learning_steps_s: Annotated[Steps, Meta(description="FSRS: delays of a new card, in seconds")] | UnsetType = UNSET
    relearning_steps_s: Annotated[Steps, Meta(description="FSRS: the same of a forgotten card")] | UnsetType = UNSET
    minimum_interval: Annotated[Days, Meta(description="FSRS: days between reviews at least")] | UnsetType = UNSET
    maximum_interval: Annotated[Days, Meta(description="FSRS: days between reviews at most")] | UnsetType = UNSET
    review_order: Annotated[ReviewOrder, Meta(description="which reviews come first")] | UnsetType = UNSET
    new_order: Annotated[NewOrder, Meta(description="new cards after the reviews or among them")] | UnsetType = UNSET
    bury_siblings: Annotated[Siblings, Meta(description="of which siblings only one comes a day")] | UnsetType = UNSET
    leech_lapses: (
        Annotated[int, Meta(ge=0, le=100, description="lapses that make a leech, which is suspended; 0: never")]
        | UnsetType
    ) = UNSET
    backlog_days: Annotated[int, Meta(ge=1, le=365, description="days over which a backlog is spread")] | UnsetType = (
        UNSET
    )
    balance_load: Annotated[bool, Meta(description="move due days within the fuzz range")] | UnsetType = UNSET
    weekday_weights: (
        Annotated[
            list[Weight], Meta(min_length=7, max_length=7, description="share of a normal day in percent, Monday first")
        ]
        | UnsetType
    ) = UNSET
    vacation_from: Annotated[date, Meta(description="first local day without a queue")] | UnsetType | None = UNSET
    vacation_until: Annotated[date, Meta(description="the last such day")] | UnsetType | None = UNSET
    notifications: Annotated[dict[str, Any], Meta(description="switches of the app")] | UnsetType = UNSET


def changed(before: Preferences, wished: PreferenceChanges) -> Preferences:
    """Return the preferences with the changes."""
    given = {name: value for name, value in msgspec.structs.asdict(wished).items() if value is not UNSET}
    return msgspec.structs.replace(before, **given)


def faults(preferences: Preferences) -> list[tuple[str, str]]:
    """Return what no field's own type says: each field with the end of the sentence "<field> …"."""
    found = []
    if round(preferences.desired_retention, 2) != preferences.desired_retention:
        found.append(("desired_retention", "must have two decimals at most, such as 0.92"))
    if preferences.minimum_interval > preferences.maximum_interval:
        found.append(
            ("minimum_interval", f"must not be above maximum_interval, which is {preferences.maximum_interval}")
        )
    if not any(preferences.weekday_weights):
        found.append(
            ("weekday_weights", "must leave one day above 0; for a break use vacation_from and vacation_until")
        )
    first, last = preferences.vacation_from, preferences.vacation_until
    if (first is None) != (last is None):
        missing = "vacation_from" if first is None else "vacation_until"
        found.append((missing, "must be given (or null) together with the other end of the vacation"))
    elif first is not None and last is not None and first > last:
        found.append(("vacation_until", f"must not be before vacation_from, which is {first}"))
    return found
