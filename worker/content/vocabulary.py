"""The words that are taught: CEFR-J joined with the dictionary, after the editors' decisions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from worker.content.indonesian import clean_meaning
from worker.content.pronunciation import typical
from worker.content.sources.cefrj import Word
from worker.content.sources.curation import WordKey
from worker.content.sources.freedict import Entry
from worker.content.values import Level

MAX_MEANINGS: Final = 3
"""Meanings taught for a word that the editors said nothing about."""
_MAX_GLOSS: Final = 90
"""Letters; a longer gloss is an article, not a help."""
_WITHOUT_GLOSS: Final = 0.5
"""Weight of a sense without a gloss: nobody has checked it."""

_DICTIONARY_POS: Final[Mapping[str, frozenset[str]]] = {
    "noun": frozenset({"n", "pn"}),
    "verb": frozenset({"v"}),
    "be-verb": frozenset({"v"}),
    "do-verb": frozenset({"v"}),
    "have-verb": frozenset({"v"}),
    "modal auxiliary": frozenset({"v"}),
    "adjective": frozenset({"adj", "numeral", "determiner"}),
    "adverb": frozenset({"adv"}),
    "preposition": frozenset({"preposition"}),
    "conjunction": frozenset({"conjunction"}),
    "pronoun": frozenset({"pronoun", "determiner"}),
    "determiner": frozenset({"determiner", "article", "numeral", "pronoun", "adj"}),
    "number": frozenset({"numeral", "n"}),
    "interjection": frozenset({"interjection"}),
    "infinitive-to": frozenset({"particle"}),
}
_NO_POS: Final = frozenset({None, "phraseologicalUnit"})


@dataclass(frozen=True, slots=True)
class Item:
    """A word that is taught.

    Attributes:
        meanings: Indonesian meanings, the one asked for first.
        known: all meanings the dictionary lists for the spelling, whatever the part of speech, in lower case.
        ipa: pronunciation without slashes.
        glosses: what the word means, in English, as the dictionary says; the first belongs to the first meaning.
    """

    word: Word
    meanings: tuple[str, ...]
    known: frozenset[str]
    ipa: str | None
    glosses: tuple[str, ...]

    @property
    def meaning(self) -> str:
        """Return the meaning that is asked for."""
        return self.meanings[0]


@dataclass(frozen=True, slots=True)
class JoinFigures:
    """How many rows of CEFR-J the steps of the join keep, by level; and how many different headwords match at all."""

    rows: Mapping[Level, int]
    headword_found: Mapping[Level, int]
    pos_fits: Mapping[Level, int]
    taught: Mapping[Level, int]
    headwords_found: int


def same_pos(word_pos: str, dictionary_pos: str | None) -> bool:
    """Return whether a CEFR-J and a dictionary part of speech go together; where the dictionary gives none, they do."""
    return dictionary_pos in _NO_POS or dictionary_pos in _DICTIONARY_POS.get(word_pos, frozenset())


def join(
    words: Sequence[Word], entries: Iterable[Entry], curated: Mapping[WordKey, tuple[str, ...]]
) -> tuple[list[Item], JoinFigures]:
    """Return the words that can be taught, in CEFR-J's order, and the figures of the join.

    Spellings are matched with their capitals (so that `polish` does not become a language), each form of a slash list
    on its own. A word without a meaning that can be asked is left out: the dictionary lacks it, the editors struck it
    out, or English and Indonesian spell it alike, so that asking would give the answer away.
    """
    by_headword: dict[str, list[Entry]] = {}
    for entry in entries:
        by_headword.setdefault(entry.headword, []).append(entry)
    counts: dict[str, Counter[Level]] = {name: Counter() for name in ("rows", "found", "fits", "taught")}
    found_headwords = set()
    items = []
    for word in words:
        counts["rows"][word.level] += 1
        listed = [entry for form in (word.headword, *word.variants) for entry in by_headword.get(form, ())]
        if not listed:
            continue
        found_headwords.add(word.headword)
        counts["found"][word.level] += 1
        fitting = [entry for entry in listed if same_pos(word.pos, entry.pos)]
        counts["fits"][word.level] += bool(fitting)
        meanings = _meanings(word, fitting, curated)
        if meanings:
            counts["taught"][word.level] += 1
            known = {meaning for entry in listed for meaning in entry_meanings(entry)} | set(meanings)
            items.append(
                Item(
                    word=word,
                    meanings=meanings,
                    known=frozenset(meaning.casefold() for meaning in known),
                    ipa=_pronunciation(word, fitting),
                    glosses=_glosses(meanings[0], fitting),
                )
            )
    figures = JoinFigures(counts["rows"], counts["found"], counts["fits"], counts["taught"], len(found_headwords))
    return items, figures


def entry_meanings(entry: Entry) -> list[str]:
    """Return all meanings of an entry that can be shown."""
    translations = (translation for sense in entry.senses for translation in sense.translations)
    return [meaning for meaning in map(clean_meaning, translations) if meaning]


def _meanings(word: Word, entries: Iterable[Entry], curated: Mapping[WordKey, tuple[str, ...]]) -> tuple[str, ...]:
    decided = curated.get((word.headword, word.pos))
    if decided is not None:
        return decided
    weights = weigh(entries)
    spellings = {form.casefold() for form in (word.headword, *word.variants)}
    if spellings & {meaning.casefold() for meaning in weights}:
        return ()
    # sorted() is stable: among equals the dictionary's order stands.
    ranked = sorted(weights, key=lambda meaning: -weights[meaning])
    distinct = {meaning.casefold(): meaning for meaning in reversed(ranked)}
    return tuple(reversed(distinct.values()))[:MAX_MEANINGS]


def weigh(entries: Iterable[Entry]) -> dict[str, float]:
    """Return how much the dictionary leans on each meaning: in how many senses, by their glosses, it stands."""
    weights: dict[str, float] = {}
    for entry in entries:
        for sense in entry.senses:
            for meaning in filter(None, map(clean_meaning, sense.translations)):
                weights[meaning] = weights.get(meaning, 0) + (len(sense.glosses) or _WITHOUT_GLOSS)
    return weights


def _pronunciation(word: Word, entries: Iterable[Entry]) -> str | None:
    """Return how the word is spoken; None also for possessives, of which the dictionary's generator spelt out the s."""
    if "'" in word.headword:
        return None
    return typical([spoken for entry in entries for spoken in entry.pronunciations])


def _glosses(meaning: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the glosses of the fitting senses, those of the senses that list `meaning` first."""
    first: list[str] = []
    others: list[str] = []
    for entry in entries:
        for sense in entry.senses:
            listed = {cleaned for cleaned in map(clean_meaning, sense.translations) if cleaned}
            (first if meaning in listed else others).extend(sense.glosses)
    fit = [[gloss for gloss in glosses if len(gloss) <= _MAX_GLOSS] for glosses in (first, others)]
    # sorted() is stable: plain ones before those with a label such as `figuratively:`.
    return tuple(dict.fromkeys(gloss for glosses in fit for gloss in sorted(glosses, key=_is_labelled)))


def _is_labelled(gloss: str) -> bool:
    """Return whether a gloss starts with a field or a style: `(computing) …`, `slang: …`."""
    return gloss.startswith("(") or ":" in gloss.split(" ", 2)[0]
