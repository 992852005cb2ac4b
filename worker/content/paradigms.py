"""The grammar that BLiMP's paradigms are about: its names, the level where it starts, its rule in two languages."""

import tomllib
from dataclasses import dataclass

from worker.content.values import LEVELS, Level


@dataclass(frozen=True, slots=True)
class Paradigm:
    """One point of grammar.

    Attributes:
        uid: BLiMP's name of it.
        slug: ours, in lessons' slugs.
        floor: the level where it is introduced; a sentence with harder words moves up (see `grammar_choice`).
        rule: what holds, with `rule_id` in Indonesian.
        tip: where speakers of Indonesian go wrong, with `tip_id` in Indonesian.
    """

    uid: str
    slug: str
    title: str
    title_id: str
    floor: Level
    rule: str
    rule_id: str
    tip: str
    tip_id: str


def read_paradigms(text: str) -> tuple[Paradigm, ...]:
    """Return the points of grammar of a TOML file, in its order: that of the lessons.

    Raises:
        TypeError: an entry lacks a field or has one too many.
        ValueError: an entry's floor is no level.
    """
    paradigms = tuple(Paradigm(**entry) for entry in tomllib.loads(text)["paradigm"])
    for paradigm in paradigms:
        if paradigm.floor not in LEVELS:
            raise ValueError(f"{paradigm.uid} starts at the unknown level {paradigm.floor!r}")
    return paradigms
