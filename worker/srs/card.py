"""What the schedulers keep about one item of one learner. Pure."""

from datetime import date
from typing import Final, Literal

import msgspec

MATURE_DAYS: Final = 21
"""From this interval on a card counts as mature."""

State = Literal["new", "learning", "review", "relearning"]


class CardState(msgspec.Struct, frozen=True, gc=False):
    """A card as a scheduler leaves it: SM-2 fills the first six fields, FSRS all of them.

    Attributes:
        state: `new` until the first review; `learning` and `relearning` while it is being (re)learnt; else `review`.
        interval: days between the last review and the next; 0 for a new card and within FSRS's steps.
        ease: SM-2's E-Factor in hundredths, 130–500; FSRS leaves it alone, so that a learner can go back.
        repetitions: passed reviews in a row.
        lapses: how often the item was failed while in review.
        due_on: the learner's local day from which the item is due.
        step: which of FSRS's learning or relearning steps the card waits for.
        stability: FSRS: days until recall falls to 90 %; None as long as SM-2 schedules the card.
        difficulty: FSRS: 1–10; None as long as SM-2 schedules the card.
        delay_s: seconds from the last review to the end of the step it waits for; 0 outside of them.
    """

    state: State
    interval: int
    ease: int
    repetitions: int
    lapses: int
    due_on: date
    step: int = 0
    stability: float | None = None
    difficulty: float | None = None
    delay_s: int = 0

    @property
    def is_learning(self) -> bool:
        """Whether the item is being (re)learnt: such cards come first in a queue."""
        return self.state in ("learning", "relearning")
