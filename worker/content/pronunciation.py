"""Choosing one pronunciation to show out of the many that the dictionary lists in alphabetical order."""

from collections.abc import Sequence
from typing import Final

from rapidfuzz.distance import Levenshtein

MAX_SPREAD: Final = 0.45
"""Mean distance (0 equal, 1 nothing in common) beyond which the list holds different words of one spelling, such as the
two of `live`: none is shown then."""
_REGIONAL: Final = (
    ("ʊ", "ʌ"),
    ("uː", "ʊ"),
    ("a", "æ"),
    ("ʌʊ", "aʊ"),
    ("ɛʊ", "aʊ"),
    ("ɑʊ", "aʊ"),
    ("ʌɪ", "aɪ"),
    ("æɪ", "eɪ"),
    ("ʉ", "uː"),
    ("ɐ", "ɑ"),
    ("ɛ", "æ"),
    ("ə", "ɪ"),
)
"""Regional or reduced vowels and the general one beside which they are listed (run: ɹʊn beside ɹʌn)."""


def typical(pronunciations: Sequence[str]) -> str | None:
    """Return the pronunciation that is closest to all the others, or None if there is none to be trusted.

    The list mixes accents and narrow transcriptions (in square brackets, left out unless alone); what most of them
    share is what a learner should aim at. Ties go to the shorter, then the first in the alphabet. Cost grows with the
    square of the list's length, which is below 30.
    """
    broad = [spoken for spoken in pronunciations if not spoken.startswith("[")] or list(pronunciations)
    broad = [spoken for spoken in broad if not _is_regional(spoken, broad)]
    if not broad:
        return None
    plain = [spoken.replace(".", "").replace("(", "").replace(")", "") for spoken in broad]

    def spread(at: int) -> float:
        others = [Levenshtein.normalized_distance(plain[at], other) for other in plain]
        return sum(others) / max(1, len(others) - 1)

    best = min(range(len(broad)), key=lambda at: (round(spread(at), 6), len(broad[at]), broad[at]))
    if spread(best) > MAX_SPREAD:
        return None
    return broad[best].strip("[]")


def _is_regional(spoken: str, listed: Sequence[str]) -> bool:
    """Return whether the list also has the general form of this pronunciation, or the same with long vowels marked.

    Without the mark, sleep (slip beside sliːp) would look like slip.
    """
    return any(other != spoken and other.replace("ː", "") == spoken for other in listed) or any(
        regional in spoken and spoken.replace(regional, general) in listed for regional, general in _REGIONAL
    )
