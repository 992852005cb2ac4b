"""Which of BLiMP's pairs are fit for a lesson: the sentences are generated, and some are odd or a matter of taste."""

import re
from dataclasses import dataclass
from typing import Final

from worker.content.english import Lexicon, bare, is_name
from worker.content.paradigms import Paradigm
from worker.content.sources.blimp import MinimalPair
from worker.content.values import Level, stable_rank

_UNFIT_NAMES: Final = frozenset({"Jesus", "Lutherans", "Clintons", "Borgias", "Impressionists"})
"""Religious figures and groups; families, whose plural names confuse."""
_WOMEN: Final = frozenset({"woman", "girl", "lady", "waitress", "actress", "women", "girls", "ladies"})
_MEN: Final = frozenset({"man", "boy", "guy", "waiter", "men", "boys", "guys"})
_PEOPLE: Final = (
    _WOMEN
    | _MEN
    | frozenset(
        {
            "actor",
            "actors",
            "actresses",
            "waiters",
            "waitresses",
            "adult",
            "adults",
            "child",
            "children",
            "customer",
            "customers",
            "dancer",
            "dancers",
            "doctor",
            "doctors",
            "driver",
            "drivers",
            "guest",
            "guests",
            "patient",
            "patients",
            "pedestrian",
            "pedestrians",
            "people",
            "person",
            "senator",
            "senators",
            "student",
            "students",
            "teacher",
            "teachers",
            "teenager",
            "teenagers",
        }
    )
)
_ANIMALS: Final = frozenset({"bird", "fish", "dog", "cat", "horse", "snake", "bear", "lion"})
_COLLECTIVE: Final = frozenset(
    {
        "association",
        "bank",
        "committee",
        "company",
        "government",
        "hospital",
        "legislature",
        "library",
        "museum",
        "organization",
        "school",
        "senate",
        "university",
    }
)
"""With these British English also allows the plural."""
_DISPUTED: Final = frozenset({("came", "come"), ("shrank", "shrunk"), ("itself", "themselves")})
"""Pairs of which the second is standard for some speakers, or with some subjects."""
_DISPUTED_WORDS: Final = frozenset({"media", "medium", "data"})
_PASSIVE: Final = re.compile(r"(?:is|are|was|were)(?:n't)?")
_MISSPELT: Final = re.compile(r".*(?:ch|sh|x|ss|z|[^aeiou]y)s")
"""Plurals that the generator formed wrongly: couchs."""
_NEGATED: Final = re.compile(r".*n't")


@dataclass(frozen=True, slots=True)
class GradedPair:
    """A pair that is used, with the level of its question."""

    pair: MinimalPair
    level: Level
    name: str | None
    """The name that is the subject, if it is one."""


def graded(pair: MinimalPair, paradigm: Paradigm, lexicon: Lexicon, names: frozenset[str]) -> GradedPair | None:
    """Return the pair with its level: the paradigm's floor or that of the hardest word; None if it is unfit.

    Unfit are sentences with words beyond B2, sentences that make little sense, and pairs whose bad sentence some
    English speakers would accept.
    """
    level = lexicon.sentence_level(pair.good, names)
    name = _subject_name(pair, names)
    if level is None or not _makes_sense(pair, name) or _is_disputed(pair, names):
        return None
    return GradedPair(pair, max(paradigm.floor, level), name)


def lesson_rank(graded_pair: GradedPair) -> str:
    """Return what sorts pairs for lessons: a stable order that mixes their words."""
    return stable_rank(f"{graded_pair.pair.paradigm}/{graded_pair.pair.number}")


def needs_gender_hint(graded_pair: GradedPair) -> bool:
    """Return whether only the gender of a name decides, which a learner cannot know."""
    pair = graded_pair.pair
    return graded_pair.name is not None and {pair.right, pair.wrong} == {"himself", "herself"}


def _makes_sense(pair: MinimalPair, name: str | None) -> bool:
    """Return whether the sentence speaks of somebody, since what the generator lets things do is seldom sensible.

    Where a participle stands before a noun it is the other way round: what is broken, worn or hidden is a thing.
    """
    if "adjectives" in pair.paradigm:
        return bare(pair.good[pair.at + 1]) not in _PEOPLE
    if pair.right == "itself":
        return bool(_subject(pair) & (_COLLECTIVE | _ANIMALS))
    return name is not None or bool(_subject(pair) & _PEOPLE)


def _subject(pair: MinimalPair) -> set[str]:
    """Return the words of the subject and perhaps one more: after there is, those behind the quantifier."""
    if "existential" in pair.paradigm:
        return {bare(word).casefold() for word in pair.good[pair.at + 1 : pair.at + 2]}
    # A determiner and a noun; "a lot of" and a noun.
    length = 4 if pair.good[1] == "lot" else 2
    return {bare(word).casefold() for word in pair.good[:length]}


def _subject_name(pair: MinimalPair, names: frozenset[str]) -> str | None:
    words = []
    for word in pair.good:
        if not is_name(word, names) or "'" in word:
            break
        words.append(bare(word))
    return " ".join(words) or None


def _is_disputed(pair: MinimalPair, names: frozenset[str]) -> bool:
    words = {bare(word) for word in pair.good}
    lowered = {word.casefold() for word in words}
    subject = _subject(pair)
    contrast = (pair.right, pair.wrong)
    return bool(
        words & _UNFIT_NAMES
        or lowered & _DISPUTED_WORDS
        or contrast in _DISPUTED
        or any(map(_MISSPELT.fullmatch, contrast))
        # "Some dancer hurt herself / himself / themselves": nobody's gender is given away by the noun.
        or (
            pair.right in {"himself", "herself"}
            and not is_name(pair.good[0], names)
            and not subject & (_WOMEN if pair.right == "herself" else _MEN)
        )
        or ("subject_verb" in pair.paradigm and subject & _COLLECTIVE)
        # "Homer isn't skated around every mountain": be with a participle is a slip of the generator.
        or ("subject_verb" in pair.paradigm and _PASSIVE.fullmatch(pair.right) and not _is_progressive(pair))
        # "There aren't no …", "There aren't few …"
        or (
            "existential" in pair.paradigm
            and any(map(_NEGATED.fullmatch, words))
            and pair.right in {"no", "few", "some"}
        )
    )


def _is_progressive(pair: MinimalPair) -> bool:
    following = pair.good[pair.at + 1 : pair.at + 2]
    return bool(following) and bare(following[0]).endswith("ing")
