"""SM-2, the scheduling algorithm of SuperMemo 2, as published. Pure: a card and an answer's quality in, a card out.

Source: P. A. Wozniak, "Application of a computer to improve the results obtained in working with the SuperMemo
method" (1990), https://super-memory.com/english/ol/sm2.htm, steps 2–6. What this product adds to it, and how an attempt
becomes a quality, is written down in docs/scheduling.md.
"""

from datetime import date, timedelta
from typing import Final

from worker.srs.card import CardState

EASE_START: Final = 250
"""Step 2: every item starts with an E-Factor of 2.5. Ease factors are whole hundredths, so they never drift."""
EASE_MIN: Final = 130
"""Step 5: below 1.3 items return annoyingly often."""
EASE_MAX: Final = 500
"""This product's upper bound; reached after 25 perfect answers."""
FIRST_INTERVAL: Final = 1
SECOND_INTERVAL: Final = 6
MAX_INTERVAL: Final = 36_500
"""Days; a hundred years. The published formula has no bound and would leave the calendar."""

EASE_CHANGE: Final = tuple(10 - (5 - q) * (8 + (5 - q) * 2) for q in range(6))
"""Step 5 in hundredths: EF' = EF + (0.1 − (5 − q) · (0.08 + (5 − q) · 0.02)), for q = 0 … 5."""

PASSING_QUALITY: Final = 3
"""Step 6: answers below it start the item from the beginning."""


def new_card(due_on: date) -> CardState:
    """Return a card that was never reviewed."""
    return CardState("new", 0, EASE_START, 0, 0, due_on)


def quality(score: float, is_blank: bool, time_spent_ms: int | None, usual_time_ms: int) -> int:  # noqa: FBT001
    """Return SM-2's quality (0–5) of a graded answer.

    Args:
        score: 0–1; 1 means right.
        is_blank: no answer was given.
        time_spent_ms: what the learner took; None if unknown.
        usual_time_ms: what the question usually takes, above 0.
    """
    if score < 1.0:
        if is_blank:
            return 0
        return 2 if score > 0.0 else 1
    if time_spent_ms is None:
        return 4
    if time_spent_ms > 2 * usual_time_ms:
        return 3
    return 5 if 2 * time_spent_ms <= usual_time_ms else 4


def review(card: CardState, q: int, reviewed_on: date) -> CardState:
    """Return the card after an answer of quality `q` (0–5) on the learner's local day `reviewed_on`.

    A passed answer before the card is due is practice: the same card comes back. A failed one always counts.
    """
    if q < PASSING_QUALITY:
        in_review = card.state in ("review", "relearning")
        return CardState(
            "relearning" if in_review else "learning",
            FIRST_INTERVAL,
            card.ease,
            0,
            card.lapses + (card.state == "review"),
            reviewed_on + timedelta(FIRST_INTERVAL),
        )
    if reviewed_on < card.due_on and card.state != "new":
        return card
    ease = min(max(card.ease + EASE_CHANGE[q], EASE_MIN), EASE_MAX)
    if card.repetitions == 0:
        interval = FIRST_INTERVAL
    elif card.repetitions == 1:
        interval = SECOND_INTERVAL
    else:
        # Step 3, "if interval is a fraction, round it up", with the ease that step 5 has just set.
        interval = min(-(-card.interval * ease // 100), MAX_INTERVAL)
    return CardState("review", interval, ease, card.repetitions + 1, card.lapses, reviewed_on + timedelta(interval))
