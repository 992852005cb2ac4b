"""Is our FSRS that of py-fsrs? Random histories through both, without fuzz: `python -m benchmarks.fsrs_equality`.

Memory states are compared relative to their size. Due dates must be the same; where they are not, the exact interval
is shown: the model computes in single precision, py-fsrs in double, so a due date may differ where the interval lies
within some millionths of half a day. The model in Rust ends stability at 36,500 days and py-fsrs does not: a history
that gets there is compared up to there.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

import fsrs as reference

from worker.srs import fsrs
from worker.srs.card import CardState
from worker.srs.sm2 import new_card

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
TOLERANCE: Final = 1e-4
_RATINGS: Final[tuple[fsrs.Rating, ...]] = (1, 2, 3, 3, 3, 4)
_RETENTIONS: Final = (0.7, 0.8, 0.9, 0.9, 0.9, 0.95, 0.99)
_LEARNING_STEPS: Final = ((60, 600), (60, 600), (), (600,), (60, 600, 3600), (600, 86_400))
_RELEARNING_STEPS: Final = ((600,), (600,), (), (60, 600))
_WAITS: Final = (
    timedelta(0),
    timedelta(seconds=30),
    timedelta(minutes=10),
    timedelta(hours=23),
    timedelta(1),
    timedelta(days=3, hours=7),
    timedelta(40),
)


@dataclass
class Comparison:
    """What a comparison found.

    Attributes:
        reviews: reviews compared.
        worst: largest relative difference of a stability or difficulty.
        wrong_states: reviews after which state or step differ.
        ended: histories cut short where stability passed a hundred years.
        due: reviews after which the due dates differ, each with both intervals and the exact one, in days.
    """

    reviews: int = 0
    worst: float = 0.0
    wrong_states: int = 0
    ended: int = 0
    due: list[tuple[float, float, float]] = field(default_factory=list)


def compare(histories: int, seed: int, longest: int = 20) -> Comparison:
    """Send random histories through both and return how far apart they are."""
    generator = Random(seed)
    found = Comparison()
    for _ in range(histories):
        _compare_one(generator, generator.randint(1, longest), found)
    return found


def _compare_one(generator: Random, length: int, found: Comparison) -> None:
    retention = generator.choice(_RETENTIONS)
    learning, relearning = generator.choice(_LEARNING_STEPS), generator.choice(_RELEARNING_STEPS)
    longest = generator.choice((36_500, 36_500, 365, 30))
    ours = fsrs.Scheduler(
        desired_retention=retention,
        learning_steps_s=learning,
        relearning_steps_s=relearning,
        maximum_interval=longest,
    )
    theirs = reference.Scheduler(
        desired_retention=retention,
        learning_steps=[timedelta(seconds=step) for step in learning],
        relearning_steps=[timedelta(seconds=step) for step in relearning],
        maximum_interval=longest,
        enable_fuzzing=False,
    )
    card, their_card = new_card(START.date()), reference.Card(card_id=1)
    at = START
    last: datetime | None = None
    delays: list[int] = []

    def note_delay(delay_s: int) -> date:
        delays.append(delay_s)
        return date.min

    for _ in range(length):
        rating = generator.choice(_RATINGS)
        elapsed = 0 if last is None else (at - last).days
        card = fsrs.review(card, rating, at.date(), elapsed_days=elapsed, scheduler=ours, day_after=note_delay)
        their_card, _ = theirs.review_card(their_card, reference.Rating(rating), at)
        assert their_card.stability is not None
        if their_card.stability > fsrs.MAX_INTERVAL:
            found.ended += 1
            return
        due_in = timedelta(card.interval) if card.interval else timedelta(seconds=delays[-1])
        _note(found, card, their_card, due_in, their_card.due - at, theirs)
        last = at
        at = their_card.due if generator.random() < 0.5 else at + generator.choice(_WAITS) + timedelta(seconds=1)


def _note(
    found: Comparison,
    card: CardState,
    their_card: reference.Card,
    due_in: timedelta,
    their_due_in: timedelta,
    theirs: reference.Scheduler,
) -> None:
    assert card.stability is not None and card.difficulty is not None  # noqa: PT018 - both or none
    assert their_card.stability is not None and their_card.difficulty is not None  # noqa: PT018
    found.reviews += 1
    differences = abs(card.stability / their_card.stability - 1), abs(card.difficulty / their_card.difficulty - 1)
    found.worst = max(found.worst, *differences)
    found.wrong_states += (card.state, card.step) != (their_card.state.name.lower(), their_card.step or 0)
    if due_in != their_due_in:
        factor = 0.9 ** (-1 / fsrs.DEFAULT_PARAMETERS[20]) - 1
        exact = their_card.stability / factor * (theirs.desired_retention ** (-1 / fsrs.DEFAULT_PARAMETERS[20]) - 1)
        found.due.append((due_in / timedelta(1), their_due_in / timedelta(1), exact))


def lines(found: Comparison) -> Iterator[str]:
    """Return what was found, as text."""
    yield f"{found.reviews:,} reviews, {found.ended:,} histories ended at {fsrs.MAX_INTERVAL:,} days"
    yield f"states and steps differ after {found.wrong_states}"
    yield f"largest relative difference of stability or difficulty: {found.worst:.1e} (allowed {TOLERANCE:.0e})"
    yield f"due dates differ after {len(found.due)}: ours, py-fsrs', exact interval in days"
    for ours, theirs, exact in found.due:
        yield f"  {ours:g}  {theirs:g}  {exact:.6f}"


def main() -> None:
    """Compare as many histories as the first argument says, 100,000 if there is none."""
    histories = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for line in lines(compare(histories, seed=4)):
        print(line)


if __name__ == "__main__":
    main()
