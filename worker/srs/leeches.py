"""Leeches: cards forgotten so often that more reviews are a waste; the item needs another lesson. Pure."""

from typing import Final

DEFAULT_LAPSES: Final = 8
"""As in Anki."""


def becomes_leech(lapses: int, threshold: int) -> bool:
    """Return whether a card's newest lapse, its `lapses`-th, makes it a leech.

    The lapse that reaches the threshold does, and, for a card that was taken up again, each half threshold (rounded up)
    after it: https://docs.ankiweb.net/leeches.html. A threshold of 0 means never.
    """
    if threshold <= 0 or lapses < threshold:
        return False
    return (lapses - threshold) % -(-threshold // 2) == 0
