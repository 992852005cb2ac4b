"""CEFR-J vocabulary profile: English words with part of speech, level and topics."""

import csv
from dataclasses import dataclass

from worker.content.values import LEVELS, Level

SOURCE = "cefrj"
_TOPIC_COLUMNS = ("CoreInventory 1", "CoreInventory 2", "Threshold")


@dataclass(frozen=True, slots=True)
class Word:
    """A word at the level where it is learnt.

    Attributes:
        headword: the spelling that is shown (the first of a slash list).
        variants: other spellings that are as good: `colour` beside `color`.
        pos: part of speech as the profile writes it.
        topics: topic labels, the most telling first; often none.
    """

    headword: str
    variants: tuple[str, ...]
    pos: str
    level: Level
    topics: tuple[str, ...]

    @property
    def key(self) -> str:
        """Return what identifies the word: (headword, pos) is unique in the profile."""
        return f"{self.headword}|{self.pos}"


def split_forms(field: str) -> tuple[str, tuple[str, ...]]:
    """Return the headword and the variants of a slash list such as `a.m./A.M./am/AM`.

    Forms that differ from an earlier one only in capitals or full stops are no variants: answers are compared without.
    """
    forms: dict[str, str] = {}
    for form in field.split("/"):
        forms.setdefault(form.strip().replace(".", "").casefold(), form.strip())
    headword, *variants = forms.values()
    return headword, tuple(variants)


def read_words(text: str) -> list[Word]:
    """Return the words of the profile, in its order.

    Raises:
        ValueError: a row has a level that is none of A1–B2.
    """
    words = []
    for row in csv.DictReader(text.splitlines()):
        if row["CEFR"] not in LEVELS:
            raise ValueError(f"CEFR-J: {row['headword']} has the unknown level {row['CEFR']!r}")
        headword, variants = split_forms(row["headword"])
        topics = tuple(row[column] for column in _TOPIC_COLUMNS if row[column])
        words.append(Word(headword, variants, row["pos"], row["CEFR"], topics))
    return words
