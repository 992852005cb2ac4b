"""Indonesian as the questions need it: meanings fit to be shown, and whether two of them mean much the same."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MAX_WORDS: Final = 4
"""A longer translation explains the word instead of naming it."""
_PARENTHESES = re.compile(r"\([^)]*\)")
_MEANING = re.compile(r"(?=..)[A-Za-z']+(?:[ -][A-Za-z']+)*")
_PREFIXES: Final = ("meng", "meny", "men", "mem", "me", "ber", "be", "ter", "per", "peng", "peny", "pen", "pem", "pe")
_PREFIXES_SHORT: Final = ("di", "se", "ke")
_SUFFIXES: Final = ("kan", "an", "i", "nya")
_NASALS: Final = {"meng": "k", "peng": "k", "meny": "s", "peny": "s", "men": "t", "pen": "t", "mem": "p", "pem": "p"}
"""The sound that a prefix swallows: menulis is meN- and tulis."""
_MIN_ROOT: Final = 3


def clean_meaning(translation: str) -> str | None:
    """Return a translation as it can be shown, or None if it cannot.

    Dropped are notes in parentheses and punctuation at the end; unfit are affixes (`ke- -an`), letters that Indonesian
    does not use, abbreviations, signs, and explanations of more than `MAX_WORDS` words.
    """
    plain = " ".join(_PARENTHESES.sub("", translation).split()).strip("?! ")
    if not _MEANING.fullmatch(plain) or len(plain.split()) > MAX_WORDS:
        return None
    return plain


@lru_cache(maxsize=65_536)
def roots(meaning: str) -> frozenset[str]:
    """Return what may be the roots of a meaning's words: themselves, and each without affixes.

    Generous on purpose: two meanings that share a root (lari, berlari) must not be told apart in a question, and it
    does no harm to keep two apart that only look related.
    """
    found: set[str] = set()
    for word in re.split(r"[ -]", meaning.casefold()):
        stems = {word, *(_without_prefix(word))}
        found |= stems
        for stem in stems:
            found |= {stem.removesuffix(suffix) for suffix in _SUFFIXES}
    return frozenset(root for root in found if len(root) >= _MIN_ROOT)


def _without_prefix(word: str) -> Iterable[str]:
    for prefix in (*_PREFIXES, *_PREFIXES_SHORT):
        if word.startswith(prefix):
            rest = word.removeprefix(prefix)
            yield rest
            if rest[:1] in set("aeiou"):
                yield _NASALS.get(prefix, "") + rest


def sentence_roots(sentence: str) -> frozenset[str]:
    """Return the roots of a sentence's words."""
    return roots(" ".join(re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*", sentence)))
