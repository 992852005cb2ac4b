"""Tolerant comparison of what a learner typed with the texts a question accepts.

Two texts count as the same when they differ only in Unicode form, case, white space, the style of quotes and dashes,
invisible characters, or trailing `.`, `!`, `?`. Where the answer key allows typos, texts of at least `TYPO_MIN_LETTERS`
letters may also differ by that many edits.
"""

import unicodedata
from collections.abc import Callable, Collection
from typing import Final

from rapidfuzz.distance import OSA

TYPO_MIN_LETTERS: Final = 5
"""Accepted texts with fewer letters are never compared with typos: one edit turns `cat` into `car`."""

_ENDING: Final = ".!? "
_APOSTROPHES: Final = "`\u00b4\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02bd"
_QUOTES: Final = "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033"
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_ONE_STYLE: Final = (
    {ord(character): "'" for character in _APOSTROPHES}
    | {ord(character): '"' for character in _QUOTES}
    | {ord(character): "-" for character in _DASHES}
    | {ord(character): None for character in _INVISIBLE}
)


def normalise(text: str) -> str:
    """Return the form in which two texts are compared; applying it again changes nothing.

    NFKC and full case folding (Unicode Standard, section 3.13), one style of quotes and dashes, invisible characters
    removed, white space collapsed and trimmed, trailing `.!?` dropped. Cost grows with the text's length.
    """
    if text.isascii():
        folded = text.lower().replace("`", "'")
    else:
        folded, previous = text, ""
        # One pass is not always a fixed point: case folding decomposes what NFKC composes, and NFKC yields new quotes.
        while folded != previous:
            previous = folded
            folded = unicodedata.normalize("NFKC", folded.translate(_ONE_STYLE)).casefold()
    return " ".join(folded.split()).rstrip(_ENDING)


def letters(text: str) -> int:
    """Return how many letters (of any script) a text has."""
    return sum(character.isalpha() for character in text)


def matcher(accepted: Collection[str], typos: int) -> Callable[[str], bool]:
    """Return a function that says whether a normalised text is one of the accepted ones.

    Args:
        accepted: normalised texts.
        typos: largest optimal-string-alignment distance (insertion, deletion, substitution, swap of neighbours) that
            still counts, for accepted texts of `TYPO_MIN_LETTERS` letters or more.
    """
    exact = frozenset(accepted)
    if typos == 0:
        return exact.__contains__
    tolerant = tuple(sorted(text for text in exact if letters(text) >= TYPO_MIN_LETTERS))

    def matches(text: str) -> bool:
        if text in exact:
            return True
        # With a cutoff the distance stops early and comes back as cutoff + 1.
        return any(OSA.distance(candidate, text, score_cutoff=typos) <= typos for candidate in tolerant)

    return matches
