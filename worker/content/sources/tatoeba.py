"""Tatoeba: English sentences with an Indonesian translation."""

from dataclasses import dataclass

SOURCE = "tatoeba-ind-eng"


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A sentence in both languages; `line` (from 1) is its number in the extract."""

    line: int
    english: str
    indonesian: str


def read_pairs(english: str, indonesian: str) -> list[SentencePair]:
    """Return the pairs of two files that go together line by line.

    Raises:
        ValueError: the files have different numbers of lines.
    """
    lines = zip(english.splitlines(), indonesian.splitlines(), strict=True)
    return [SentencePair(line, left.strip(), right.strip()) for line, (left, right) in enumerate(lines, start=1)]
