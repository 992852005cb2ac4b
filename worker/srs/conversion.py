"""From SM-2 to FSRS and back: a card that changes its scheduler goes on where it is. Pure."""

from typing import Final

import msgspec

from worker.srs.card import CardState
from worker.srs.fsrs import Scheduler

SM2_RETENTION: Final = 0.90
"""What SM-2 is taken to have reached at the end of its intervals: the value FSRS's project takes."""

_STABILITY_MIN: Final = 0.001
"""Where the model's own stability ends."""


def from_sm2(card: CardState, scheduler: Scheduler, *, sm2_retention: float = SM2_RETENTION) -> CardState:
    """Return a card of SM-2 with the memory state that its interval and ease stand for; due when it was due before.

    The conversion is the library's, `memory_state_from_sm2`: stability is the interval at whose end `sm2_retention` is
    reached; difficulty is the one with which a Good answer would multiply stability by the ease. A new card, and one
    that has a memory state, comes back as it is.

    Args:
        card: its interval is taken for a day at least.
        scheduler: whose parameters the state is for.
        sm2_retention: share of reviews that SM-2's intervals let remember, above 0 and below 1.
    """
    if card.state == "new" or card.stability is not None:
        return card
    memory = scheduler.model.memory_state_from_sm2(card.ease / 100, max(card.interval, 1), sm2_retention)
    return with_memory(card, memory.stability, memory.difficulty)


def to_sm2(card: CardState) -> CardState:
    """Return a card of FSRS as SM-2 goes on with it: interval and ease as they stand, no memory state.

    A card in review with more than a day counts as passed twice at least: SM-2 multiplies its interval.
    """
    if card.stability is None:
        return card
    repetitions = max(card.repetitions, 2) if card.state == "review" and card.interval > 1 else card.repetitions
    return msgspec.structs.replace(card, repetitions=repetitions, step=0, delay_s=0, stability=None, difficulty=None)


def with_memory(card: CardState, stability: float, difficulty: float) -> CardState:
    """Return the card with a memory state, kept within the bounds of its columns."""
    return msgspec.structs.replace(
        card, stability=max(stability, _STABILITY_MIN), difficulty=min(max(difficulty, 1.0), 10.0)
    )
