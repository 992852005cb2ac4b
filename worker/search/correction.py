"""What a misspelt word may mean. Pure."""

from collections.abc import Iterable
from typing import Final

from rapidfuzz.distance import OSA

MIN_LETTERS: Final = 4
"""Shorter words are not corrected: one edit turns `cat` into `car`."""
_LETTERS_AN_EDIT: Final = 3
"""A word may have an edit for each so many letters, two at most."""
_MOST_EDITS: Final = 2


def best_correction(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """Return the known word that was most likely meant, or None.

    The fewest edits (insertion, deletion, substitution, swap of neighbours) win, then the same first letter, which is
    seldom mistyped, then the word in more documents.

    Args:
        word: as it was typed, in lower case and without accents.
        known: words to choose from, and in how many documents each is.
    """
    if len(word) < MIN_LETTERS:
        return None
    allowed = min(_MOST_EDITS, len(word) // _LETTERS_AN_EDIT)
    found = []
    for candidate, documents in known:
        edits = OSA.distance(word, candidate, score_cutoff=allowed)
        if edits <= allowed:
            found.append((edits, candidate[0] != word[0], -documents, candidate))
    return min(found)[-1] if found else None
