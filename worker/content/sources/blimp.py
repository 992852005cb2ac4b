"""BLiMP: pairs of English sentences that differ in one word, one grammatical, one not; and how far people agree."""

import csv
import json
from dataclasses import dataclass

SOURCE = "blimp"
PUNCTUATION = ".,?!"


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """Two sentences alike but for one word.

    Attributes:
        paradigm: the phenomenon, BLiMP's UID.
        number: the pair's number within the paradigm.
        at: position of the word that differs.
    """

    paradigm: str
    number: int
    good: tuple[str, ...]
    bad: tuple[str, ...]
    at: int

    @property
    def right(self) -> str:
        """Return the word that makes the sentence grammatical."""
        return self.good[self.at].strip(PUNCTUATION)

    @property
    def wrong(self) -> str:
        """Return the word that makes it ungrammatical."""
        return self.bad[self.at].strip(PUNCTUATION)

    @property
    def good_sentence(self) -> str:
        """Return the grammatical sentence."""
        return " ".join(self.good)

    @property
    def bad_sentence(self) -> str:
        """Return the ungrammatical sentence."""
        return " ".join(self.bad)


def read_pairs(text: str) -> list[MinimalPair]:
    """Return the pairs of a JSONL file that differ in exactly one word; a sentence that came before is left out."""
    pairs: list[MinimalPair] = []
    seen: set[str] = set()
    for line in text.splitlines():
        row = json.loads(line)
        good, bad = tuple(row["sentence_good"].split()), tuple(row["sentence_bad"].split())
        differing = [at for at, (left, right) in enumerate(zip(good, bad, strict=False)) if left != right]
        if len(good) == len(bad) and len(differing) == 1 and row["sentence_good"] not in seen:
            seen.add(row["sentence_good"])
            pairs.append(MinimalPair(row["UID"], int(row["pairID"]), good, bad, differing[0]))
    return pairs


def read_agreement(text: str) -> dict[str, float]:
    """Return, for each paradigm, the share of people's judgements that agree with BLiMP's (0–1)."""
    return {row["Condition"]: float(row["total_mean"]) for row in csv.DictReader(text.splitlines())}
