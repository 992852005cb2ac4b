"""Which of Tatoeba's sentences are used, at which level, and which of their words can be left out as a gap."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from worker.content.english import Lexicon, bare, base_forms, is_name, names_of
from worker.content.indonesian import roots, sentence_roots
from worker.content.sources.tatoeba import SentencePair
from worker.content.values import LEVELS, Level, stable_rank
from worker.content.vocabulary import Item

MIN_WORDS, MAX_WORDS = 4, 10
"""Words of an English sentence; shorter ones leave nothing to put in order, longer ones too much."""
_PLAIN: Final = re.compile(r"[A-Z][A-Za-z',-]*(?: [A-Za-z',-]+)*[.?!]")
"""One sentence, no figures, no quotation."""
_LONG: Final = 8
_LONG_LEVEL: Final[Level] = "A2"
"""Least level of a sentence of `_LONG` words or more."""
_CONTENT_POS: Final = frozenset({"noun", "verb", "adjective", "adverb", "number"})
_MIN_GAP: Final = 3
"""Letters that a gap's word has at least."""
_BEYOND: Final[Level] = LEVELS[-1]
"""Level of a sentence with a word that CEFR-J lacks."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A word that can be left out of a sentence: the translation has its meaning.

    Attributes:
        literal: a meaning stands in the translation as it is taught, not only a related word.
    """

    at: int
    word: str
    item: Item
    literal: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that is used.

    Attributes:
        tokens: the English words with their punctuation.
        gap: the word to leave out, if one is fit for it.
    """

    pair: SentencePair
    tokens: tuple[str, ...]
    level: Level
    gap: Gap | None

    @property
    def indonesian(self) -> str:
        """Return the translation, with a capital and a mark at its end."""
        text = self.pair.indonesian
        ended = text if text[-1] in ".?!" else f"{text}{self.pair.english[-1]}"
        return ended[0].upper() + ended[1:]


def chosen(
    pairs: Iterable[SentencePair], left_out: frozenset[int], lexicon: Lexicon, items: Sequence[Item]
) -> list[Sentence]:
    """Return the sentences that are used, in a stable order that mixes their topics.

    Those that editors left out are not used, nor those that are no plain sentence of 4–10 words, nor a second sentence
    with the same English or the same Indonesian text.
    """
    by_form: dict[str, list[Item]] = {}
    for item in items:
        if item.word.pos in _CONTENT_POS:
            by_form.setdefault(item.word.headword.casefold(), []).append(item)
    fit: list[SentencePair] = []
    seen: set[str] = set()
    for pair in pairs:
        texts = {pair.english.casefold(), pair.indonesian.casefold()}
        plain = _PLAIN.fullmatch(pair.english) and MIN_WORDS <= len(pair.english.split()) <= MAX_WORDS
        if plain and pair.line not in left_out and seen.isdisjoint(texts):
            seen |= texts
            fit.append(pair)
    names = names_of(pair.english.split() for pair in fit)
    sentences = [_sentence(pair, lexicon, names, by_form) for pair in fit]
    return sorted(sentences, key=lambda sentence: stable_rank(f"tatoeba/{sentence.pair.line}"))


def _sentence(
    pair: SentencePair, lexicon: Lexicon, names: frozenset[str], by_form: Mapping[str, Sequence[Item]]
) -> Sentence:
    tokens = tuple(pair.english.split())
    level = lexicon.sentence_level(tokens, names) or _BEYOND
    if len(tokens) >= _LONG:
        level = max(level, _LONG_LEVEL)
    # Of several words of one spelling, the one whose meaning is there; then the one that is learnt first.
    gaps = [
        min(found, key=lambda gap: (not gap.literal, gap.item.word.level))
        for at in range(len(tokens))
        if (found := list(_gaps(at, tokens, pair, names, by_form)))
    ]
    # The word that says most: of the highest level, then the longest, then the first.
    best = max(gaps, key=lambda gap: (gap.literal, gap.item.word.level, len(gap.word), -gap.at), default=None)
    return Sentence(pair, tokens, level, best)


def _gaps(
    at: int, tokens: Sequence[str], pair: SentencePair, names: frozenset[str], by_form: Mapping[str, Sequence[Item]]
) -> Iterator[Gap]:
    """Yield a gap at a word for each taught word that it may be, if it stands there once and the translation has it."""
    word = bare(tokens[at])
    lowered = word.casefold()
    if len(word) < _MIN_GAP or "'" in word or is_name(tokens[at], names):
        return
    if [bare(token).casefold() for token in tokens].count(lowered) > 1:
        return
    translated = sentence_roots(pair.indonesian)
    text = f" {' '.join(bare(token) for token in pair.indonesian.split())} ".casefold()
    for form in base_forms(lowered):
        for item in by_form.get(form, ()):
            literal = any(f" {meaning.casefold()} " in text for meaning in item.meanings)
            if literal or any(roots(meaning) & translated for meaning in item.meanings):
                yield Gap(at, word, item, literal)


def alike(one: str, other: str) -> float:
    """Return how much two sentences have in common: shared words over all words (Jaccard index), 0–1."""
    first = {bare(word).casefold() for word in one.split()}
    second = {bare(word).casefold() for word in other.split()}
    return len(first & second) / len(first | second)
