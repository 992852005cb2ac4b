"""Editorial decisions: which meanings of a word are taught, which sentences no question is made from."""

import csv

WordKey = tuple[str, str]
"""A headword and its part of speech."""


def read_meanings(text: str) -> dict[WordKey, tuple[str, ...]]:
    """Return the Indonesian meanings taught for a word, the one asked for first; empty: the word is not asked."""
    return {
        (row["headword"], row["pos"]): tuple(meaning for meaning in row["meanings"].split(";") if meaning)
        for row in csv.DictReader(text.splitlines())
    }


def read_left_out(text: str) -> frozenset[int]:
    """Return the lines of the Tatoeba extract that are not used, whatever the reason."""
    return frozenset(int(line) for row in csv.DictReader(text.splitlines()) for line in row["lines"].split())
