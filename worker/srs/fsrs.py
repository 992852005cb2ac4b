"""FSRS-6: what stands around the memory model. Pure: a card and a rating in, a card out.

The model itself (stability, difficulty, the interval for a desired retention) is `fsrs-rs-python`, the reference
implementation in Rust. Here is what it leaves to its users: steps, same-day reviews, rounding, bounds, fuzz and the way
from an attempt to a rating. Without fuzz it gives what py-fsrs 6.3 gives, https://github.com/open-spaced-repetition/py-fsrs;
docs/scheduling.md has the rules and how they were compared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

import fsrs_rs_python as rust

from worker.errors import ElpError
from worker.srs.card import CardState, State

Rating = Literal[1, 2, 3, 4]
"""Again, Hard, Good, Easy."""

AGAIN: Final = 1
HARD: Final = 2
GOOD: Final = 3
EASY: Final = 4

DEFAULT_PARAMETERS: Final = (
    *(0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796),
    *(1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542),
)
"""FSRS-6's weights for learners in general, fitted by its project to some hundred million reviews."""

RETENTION_MIN: Final = 0.70
RETENTION_MAX: Final = 0.99
MAX_INTERVAL: Final = 36_500
"""Days; a hundred years."""

_SECONDS_A_DAY: Final = 86_400
_RATINGS: Final[tuple[Rating, ...]] = (1, 1, 1, 2, 3, 4)
_FUZZ_BANDS: Final = ((2.5, 7.0, 0.15), (7.0, 20.0, 0.10), (20.0, float("inf"), 0.05))
"""From, to, share: how much of each part of an interval may be added or taken away; as Anki and py-fsrs have it."""


IntervalChoice = Callable[[int, int, int], int]
"""Returns the interval to take, from the shortest, the longest and the exact one, in days."""


class InvalidSchedulerError(ElpError):
    """A scheduler's settings are outside their ranges."""


@lru_cache(maxsize=10_000)
def _model(parameters: tuple[float, ...]) -> rust.FSRS:
    try:
        return rust.FSRS(parameters)
    except ValueError as error:
        raise InvalidSchedulerError(f"FSRS refuses these parameters: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """How FSRS schedules one learner's cards.

    Attributes:
        parameters: the model's 21 weights.
        desired_retention: the share of reviews that should be remembered, 0.70–0.99.
        learning_steps_s: delays in seconds that a new card goes through before its first interval of days.
        relearning_steps_s: the same for a card that was forgotten.
        minimum_interval: days between reviews at least, 1 or more.
        maximum_interval: days between reviews at most.

    Raises:
        InvalidSchedulerError: a value is outside its range.
    """

    parameters: tuple[float, ...] = DEFAULT_PARAMETERS
    desired_retention: float = 0.90
    learning_steps_s: tuple[int, ...] = (60, 600)
    relearning_steps_s: tuple[int, ...] = (600,)
    minimum_interval: int = 1
    maximum_interval: int = MAX_INTERVAL
    model: rust.FSRS = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.parameters) != len(DEFAULT_PARAMETERS):
            raise InvalidSchedulerError(f"FSRS-6 has {len(DEFAULT_PARAMETERS)} parameters, not {len(self.parameters)}")
        if not RETENTION_MIN <= self.desired_retention <= RETENTION_MAX:
            raise InvalidSchedulerError(f"desired retention must be {RETENTION_MIN}–{RETENTION_MAX}")
        if not 1 <= self.minimum_interval <= self.maximum_interval <= MAX_INTERVAL:
            raise InvalidSchedulerError(f"intervals must be 1 ≤ minimum ≤ maximum ≤ {MAX_INTERVAL} days")
        if any(step < 1 for step in (*self.learning_steps_s, *self.relearning_steps_s)):
            raise InvalidSchedulerError("steps must last a second or more")
        object.__setattr__(self, "model", _model(self.parameters))


def rating_of(quality: int) -> Rating:
    """Return the rating of an attempt from its SM-2 quality (0–5), so that both schedulers judge attempts alike.

    Not fully right is Again; right is Hard when slow, Easy when quick, else Good.
    """
    return _RATINGS[quality]


def is_practice(card: CardState, rating: Rating, elapsed_days: int) -> bool:
    """Return whether an answer leaves the card as it is: right, in review, on the day it was reviewed already.

    A learner who repeats a lesson in one evening shows short-term memory, which must not push its cards out by months.
    """
    return rating != AGAIN and card.state == "review" and elapsed_days <= 0


def review(
    card: CardState,
    rating: Rating,
    reviewed_on: date,
    *,
    elapsed_days: int,
    scheduler: Scheduler,
    choose: IntervalChoice | None = None,
    day_after: Callable[[int], date] | None = None,
) -> CardState:
    """Return the card after an answer.

    Args:
        card: with a memory state, or new; `conversion.from_sm2` gives others one.
        rating: Again, Hard, Good or Easy.
        reviewed_on: the learner's local day of the answer.
        elapsed_days: local days since the last review; anything below 1 is a same-day review.
        scheduler: how to schedule.
        choose: picks the interval within the fuzz range (`spread`); intervals are exact when it is left out.
        day_after: tells the learner's local day so many seconds after the answer; when left out, the answer counts as
            given when the day began.
    """
    memory = (
        None if card.stability is None or card.difficulty is None else rust.MemoryState(card.stability, card.difficulty)
    )
    states = scheduler.model.next_states(memory, scheduler.desired_retention, max(elapsed_days, 0))
    if rating == GOOD:
        chosen = states.good
    elif rating == AGAIN:
        chosen = states.again
    else:
        chosen = states.easy if rating == EASY else states.hard
    memory = chosen.memory

    state: State
    if card.state == "review":
        state, steps = "relearning", scheduler.relearning_steps_s
        waits = (0, steps[0]) if rating == AGAIN and steps else None
    else:
        state = "relearning" if card.state == "relearning" else "learning"
        steps = scheduler.relearning_steps_s if state == "relearning" else scheduler.learning_steps_s
        waits = next_step(steps, card.step, rating)
    lapses = card.lapses + (rating == AGAIN and card.state == "review")
    if waits is not None:
        step, delay_s = waits
        due_on = day_after(delay_s) if day_after else reviewed_on + timedelta(delay_s // _SECONDS_A_DAY)
        return CardState(state, 0, card.ease, 0, lapses, due_on, step, memory.stability, memory.difficulty, delay_s)

    interval = bounded_interval(chosen.interval, scheduler)
    if choose is not None:
        interval = choose(*fuzz_range(interval, scheduler), interval)
    return CardState(
        "review",
        interval,
        card.ease,
        0 if rating == AGAIN else card.repetitions + 1,
        lapses,
        reviewed_on + timedelta(interval),
        0,
        memory.stability,
        memory.difficulty,
    )


def next_step(steps: tuple[int, ...], step: int, rating: Rating) -> tuple[int, int] | None:
    """Return the step that a card in (re)learning waits for next, and its delay in seconds; None: it has done them all.

    Hard repeats the step; at the first one it waits for the mean of the first two, or one and a half of the only one.
    """
    if not steps or (step >= len(steps) and rating != AGAIN) or rating == EASY:
        return None
    if rating == AGAIN:
        return 0, steps[0]
    if rating == GOOD:
        return None if step + 1 == len(steps) else (step + 1, steps[step + 1])
    if step > 0:
        return step, steps[step]
    return 0, (steps[0] * 3 if len(steps) == 1 else steps[0] + steps[1]) // 2


def bounded_interval(days: float, scheduler: Scheduler) -> int:
    """Return an interval in whole days (half a day goes to the even one) within the scheduler's bounds."""
    whole = MAX_INTERVAL if days > MAX_INTERVAL else round(days)
    if whole < scheduler.minimum_interval:
        return scheduler.minimum_interval
    return min(whole, scheduler.maximum_interval)


def fuzz_range(interval: int, scheduler: Scheduler) -> tuple[int, int]:
    """Return the shortest and longest interval (days) that fuzz, or balancing the load, may turn `interval` into.

    Intervals below 2.5 days stay. Bounds as in py-fsrs and Anki: a day, 15 % of days 2.5–7, 10 % of days 7–20, 5 % of
    the rest, either way; not below 2 days.
    """
    return _fuzz_range(interval, scheduler.minimum_interval, scheduler.maximum_interval)


@lru_cache(maxsize=10_000)
def _fuzz_range(interval: int, minimum: int, maximum: int) -> tuple[int, int]:
    # Remembered, because it takes several times as long as the memory model.
    if interval < _FUZZ_BANDS[0][0]:
        return interval, interval
    delta = 1.0 + sum(share * max(min(interval, end) - start, 0.0) for start, end, share in _FUZZ_BANDS)
    last = min(round(interval + delta), maximum)
    return min(max(2, round(interval - delta), minimum), last), last


def retrievability(stability: float, elapsed_days: float, decay: float = DEFAULT_PARAMETERS[20]) -> float:
    """Return the probability of recall after so many days: (1 + factor · t / S)^−decay, 0.9 at t = S by `factor`.

    The curve of FSRS-6, https://github.com/open-spaced-repetition/awesome-fsrs/wiki/The-Algorithm; `decay` is the
    model's last parameter.
    """
    factor = 0.9 ** (-1 / decay) - 1
    return float((1 + factor * max(elapsed_days, 0.0) / stability) ** -decay)
